package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type functionLogsOptions struct {
	endpoint
	Follow bool
	Since  time.Duration
}

func (o *functionLogsOptions) AddFlags(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.Follow, "follow", "f", false, "go on with what is printed from now on, until Ctrl-C")
	fs.DurationVar(&o.Since, "since", 0, "only the last `TIME`, such as 10m (default: everything)")
	o.endpoint.AddFlags(fs)
}

func newFunctionLogs(o *output) *cobra.Command {
	return command(o, &functionLogsOptions{}, cobra.Command{
		Use:   "logs NAME [flags]",
		Short: "print what a function printed, and what the platform says of each run",
		Long:  "Print the log of a function: its own output, and the START, END and REPORT lines of the platform.",
		Example: "  lamina function logs hello --since 10m\n" +
			"  lamina function logs hello -f",
	}, cobra.ExactArgs(1), runFunctionLogs)
}

func runFunctionLogs(ctx context.Context, opts *functionLogsOptions, out *output, args []string) error {
	return nil
}
