package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type checkOptions struct{ settings }

func (o *checkOptions) AddFlags(fs *pflag.FlagSet) {
	o.settings.addFlags(fs, "data", "database", "blob")
}

func newCheck(o *output) *cobra.Command {
	return command(o, &checkOptions{}, cobra.Command{
		Use:   "check [flags]",
		Short: "read everything that is kept again, and say what is wrong",
		Long: "Read the whole data folder again: the database, every zip, what records say of zips, how much code of each account is\n" +
			"counted, every unpacked tree and every shared file. For each fault it says what is wrong and how to mend it. It mends\n" +
			"nothing itself, and a server may run meanwhile. The exit code is 0 when everything is as it should be.",
		Example: "  lamina check\n  lamina check --data /var/lib/lamina --format json",
	}, cobra.NoArgs, runCheck)
}

// checkResult is everything that was found.
type checkResult struct {
	daemon.Checked
	Findings []daemon.Finding
}

func runCheck(ctx context.Context, opts *checkOptions, out *output, _ []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	r := checkResult{Findings: []daemon.Finding{}}
	r.Checked, err = daemon.CheckData(ctx, cfg, func(f daemon.Finding) {
		r.Findings = append(r.Findings, f)
		if !out.json() {
			fmt.Fprintf(out.Out, "%s %s: %s\n          mend it: %s\n", f.Kind, f.What, f.Text, f.Mend)
		}
	})
	if err != nil {
		return err
	}
	err = out.print(r, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "looked at %d zips, %d trees, %d shared files: %s\n", r.Zips, r.Trees, r.Files, faults(len(r.Findings)))
		return err
	})
	if err == nil && len(r.Findings) > 0 {
		err = errors.New("not everything is as it should be")
	}
	return err
}

func faults(n int) string {
	switch n {
	case 0:
		return "all is well"
	case 1:
		return "1 fault"
	}
	return fmt.Sprintf("%d faults", n)
}
