package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/daemon"
)

type doctorOptions struct{ settings }

func (o *doctorOptions) AddFlags(fs *pflag.FlagSet) {
	o.settings.addFlags(fs, "listen", "data", "database", "blob", "helper", "network")
}

func newDoctor(o *output) *cobra.Command {
	return command(o, &doctorOptions{}, cobra.Command{
		Use:   "doctor [flags]",
		Short: "find out what this machine can do, and how to mend what it can't",
		Long: "Find out, by doing it, what functions need of this machine: name spaces, an overlay, limits, an interpreter, a folder,\n" +
			"a port; at last a whole sandbox. For each it says what works, what degrades and to what, and the line that mends it.\n" +
			"The exit code is 0 when functions can run here.",
		Example: "  lamina doctor\n  lamina doctor --format json",
	}, cobra.NoArgs, runDoctor)
}

func runDoctor(ctx context.Context, opts *doctorOptions, out *output, _ []string) error {
	cfg, err := opts.load()
	if err != nil {
		return err
	}
	d := diagnosis{Checks: []daemon.Check{}, CanRun: true}
	daemon.Examine(ctx, cfg, func(c daemon.Check) {
		c.Fix = asCalled(c.Fix, os.Args[0])
		d.Checks = append(d.Checks, c)
		d.CanRun = d.CanRun && c.State != daemon.Failed
		if !out.json() {
			printCheck(out.Out, c)
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := out.print(d, d.conclude); err != nil {
		return err
	}
	if !d.CanRun {
		return errors.New("functions cannot run on this machine yet")
	}
	return nil
}

// diagnosis is everything that was found.
type diagnosis struct {
	Checks []daemon.Check
	CanRun bool
}

// ownCommand is a command of ours in a line to run, as opposed to our name in a sentence.
var ownCommand = regexp.MustCompile(`\blamina (serve|runtime)\b`)

// asCalled names lamina in a line as it was called, when that was by a path: it may be nowhere else.
func asCalled(line, program string) string {
	if filepath.Base(program) != "lamina" || !strings.Contains(program, "/") {
		return line
	}
	return ownCommand.ReplaceAllString(line, strings.ReplaceAll(program, "$", "$$")+" $1")
}

func printCheck(w io.Writer, c daemon.Check) {
	fmt.Fprintf(w, "%-9s %s: %s\n", c.State, c.Name, c.Detail)
	if c.Degrade != "" {
		fmt.Fprintf(w, "          instead: %s\n", c.Degrade)
	}
	if c.Fix != "" {
		fmt.Fprintf(w, "          mend it: %s\n", c.Fix)
	}
}

func (d diagnosis) conclude(w io.Writer) error {
	degraded := 0
	for _, c := range d.Checks {
		if c.State == daemon.Degraded {
			degraded++
		}
	}
	switch {
	case !d.CanRun:
		return nil // the error says it
	case degraded == 1:
		fmt.Fprintln(w, "\nFunctions can run here; 1 thing is not as on AWS.")
	case degraded > 1:
		fmt.Fprintf(w, "\nFunctions can run here; %d things are not as on AWS.\n", degraded)
	default:
		fmt.Fprintln(w, "\nFunctions can run here.")
	}
	return nil
}
