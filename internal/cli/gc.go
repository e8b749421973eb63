package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type gcOptions struct {
	settings
	Age, Grace time.Duration
	DryRun     bool
}

func (o *gcOptions) AddFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.DryRun, "dry-run", false, "only say what would be freed")
	fs.DurationVar(&o.Age, "age", time.Hour, "keep what is younger than this `TIME`: its record may be on its way")
	fs.DurationVar(&o.Grace, "grace", 30*time.Second, "`TIME` that requests of a running server get to end, before anything is removed")
	o.settings.addFlags(fs, "data", "database", "blob")
}

func newGC(o *output) *cobra.Command {
	return command(o, &gcOptions{}, cobra.Command{
		Use:   "gc [flags]",
		Short: "free the room that nothing needs any more",
		Long: "Remove zips, unpacked trees and shared files of the data folder that no layer version, no function, no version of a\n" +
			"function, no runtime and no object of S3 needs. A server may run meanwhile. With --blob, zips in that store\n" +
			"go when no record needs them, whichever server has put them there; trees and runtimes are those of this machine.\n" +
			"Code of an account that was counted wrong (`lamina check` says so) is counted again.",
		Example: "  lamina gc --dry-run\n  lamina gc --age 0s",
	}, cobra.NoArgs, runGC)
}

func runGC(ctx context.Context, opts *gcOptions, out *output, _ []string) error {
	if opts.Age < 0 || opts.Grace < 0 {
		return usagef("--age and --grace must not be negative")
	}
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	freed, err := daemon.Collect(ctx, cfg, daemon.CollectOptions{Age: opts.Age, Grace: opts.Grace, DryRun: opts.DryRun})
	if err != nil {
		return err
	}
	return out.print(freed, func(w io.Writer) error {
		verb := "freed"
		if opts.DryRun {
			verb = "would free"
		}
		_, err := fmt.Fprintf(w, "%s %s: zips %d, trees %d, shared files %d\n", verb, size(freed.Bytes), freed.Zips, freed.Trees, freed.Files)
		return err
	})
}
