package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type runtimeListOptions struct{ settings }

func (o *runtimeListOptions) AddFlags(fs *pflag.FlagSet) { o.settings.addFlags(fs, "data") }

func newRuntimeList(o *output) *cobra.Command {
	return command(o, &runtimeListOptions{}, cobra.Command{
		Use:     "list [flags]",
		Short:   "list the runtimes that functions can use on this machine",
		Example: "  lamina runtime list",
	}, cobra.NoArgs, runRuntimeList)
}

func runRuntimeList(ctx context.Context, opts *runtimeListOptions, out *output, _ []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	all, err := daemon.ListRuntimes(ctx, cfg)
	if err != nil {
		return err
	}
	return out.print(all, func(w io.Writer) error {
		var rows [][]string
		for _, r := range all {
			rows = append(rows, []string{r.Name, dash(r.Version), dash(r.SDK), r.Source, r.Interpreter})
		}
		return table(w, []string{"RUNTIME", "VERSION", "SDK", "SOURCE", "INTERPRETER"}, rows)
	})
}
