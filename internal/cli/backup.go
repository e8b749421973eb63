package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type backupOptions struct{ settings }

func (o *backupOptions) AddFlags(fs *pflag.FlagSet) {
	o.settings.addFlags(fs, "data", "database", "blob")
}

func newBackup(o *output) *cobra.Command {
	return command(o, &backupOptions{}, cobra.Command{
		Use:   "backup FILE [flags]",
		Short: "write all that is kept to one file",
		Long: "Write the records as of this moment, every zip that they need, logs and keys to a new file, a tar. A server may run\n" +
			"meanwhile. Unpacked trees are left out, since they are made again when they are needed. Keep the file private: it\n" +
			"holds the code of functions and the key that signs.",
		Example: "  lamina backup lamina-$(date +%F).tar",
	}, cobra.ExactArgs(1), runBackup)
}

func runBackup(ctx context.Context, opts *backupOptions, out *output, args []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	done, err := daemon.Backup(ctx, cfg, args[0])
	if err != nil {
		return err
	}
	return printBackup(out, done, "in "+args[0])
}

func printBackup(out *output, done daemon.BackedUp, where string) error {
	return out.print(done, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s %s, with %d zips\n", size(done.Bytes), where, done.Zips)
		return err
	})
}
