package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type restoreOptions struct{ settings }

func (o *restoreOptions) AddFlags(fs *pflag.FlagSet) {
	o.settings.addFlags(fs, "data", "database", "blob")
}

func newRestore(o *output) *cobra.Command {
	return command(o, &restoreOptions{}, cobra.Command{
		Use:   "restore FILE [flags]",
		Short: "make a data folder of a backup",
		Long: "Make a data folder of what `lamina backup` wrote. The folder must be absent or empty, and is there only when all of the\n" +
			"backup is in it. With --blob, zips go to that S3 store. `lamina check` then reads it all again.",
		Example: "  lamina restore lamina-2026-01-31.tar --data ./restored\n  lamina check --data ./restored",
	}, cobra.ExactArgs(1), runRestore)
}

func runRestore(ctx context.Context, opts *restoreOptions, out *output, args []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	done, err := daemon.Restore(ctx, cfg, args[0])
	if err != nil {
		return err
	}
	return printBackup(out, done, "in "+cfg.Data)
}
