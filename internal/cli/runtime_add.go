package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type runtimeAddOptions struct{ settings }

func (o *runtimeAddOptions) AddFlags(fs *pflag.FlagSet) { o.settings.addFlags(fs, "data") }

func newRuntimeAdd(o *output) *cobra.Command {
	return command(o, &runtimeAddOptions{}, cobra.Command{
		Use:   "add RUNTIME [flags]",
		Short: "add a runtime, or complete one of this machine with AWS's SDK",
		Long: "Add a runtime, or complete one of this machine: install the pinned version of AWS's SDK (boto3 for python, a selection\n" +
			"of @aws-sdk for nodejs) where functions find it, with the host's pip or npm. A node that this machine does not have is\n" +
			"fetched with npm and checked against a pinned hash. A server that is running uses it from the next cold start on.",
		Example: "  lamina runtime add python3.12\n  lamina runtime add nodejs22.x",
	}, cobra.ExactArgs(1), runRuntimeAdd)
}

func runRuntimeAdd(ctx context.Context, opts *runtimeAddOptions, out *output, args []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	progress := io.Discard
	if isTerminal(out.Err) {
		progress = out.Err
	}
	r, err := daemon.AddRuntime(ctx, cfg, args[0], progress)
	if err != nil {
		return err
	}
	return out.print(r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s (%s) has %s\n", r.Name, r.Version, r.SDK)
		return err
	})
}
