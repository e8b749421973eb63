package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/client"
)

type functionLogsOptions struct {
	endpoint
	Follow bool
	Since  time.Duration
	Limit  int
}

func (o *functionLogsOptions) AddFlags(fs *pflag.FlagSet) {
	fs.BoolVarP(&o.Follow, "follow", "f", false, "go on with what is printed from now on, until Ctrl-C")
	fs.DurationVar(&o.Since, "since", 0, "only the last `TIME`, such as 10m (default: everything)")
	fs.IntVar(&o.Limit, "limit", 0, "only the newest `N` records of those (default: all)")
	o.endpoint.AddFlags(fs)
}

func newFunctionLogs(o *output) *cobra.Command {
	opts := &functionLogsOptions{}
	return command(o, opts, cobra.Command{
		Use:   "logs NAME [flags]",
		Short: "print what a function printed, and what the platform says of each run",
		Long: "Print the log of a function of a lamina server: its own output, and the START, END and REPORT lines of the platform.\n" +
			"Each line begins with its time. With --format json each record is one line of JSON.",
		Example: "  lamina function logs hello --since 10m\n" +
			"  lamina function logs hello -f",
		ValidArgsFunction: completeFunction(&opts.endpoint),
	}, cobra.ExactArgs(1), runFunctionLogs)
}

func runFunctionLogs(ctx context.Context, opts *functionLogsOptions, out *output, args []string) error {
	if opts.AWS {
		return usagef("logs of AWS itself are in CloudWatch: aws logs tail /aws/lambda/%s", args[0])
	}
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	query := client.LogsOptions{Follow: opts.Follow, Limit: opts.Limit}
	if opts.Since > 0 {
		query.Since = time.Now().Add(-opts.Since)
	}
	print := printRecord
	if out.json() {
		print = encodeRecord
	}
	err = s.lamina().Logs(ctx, args[0], query, func(r client.LogRecord) error { return print(out.Out, r) })
	return s.failedOn("function", args[0], "read the log of "+args[0], err)
}

// printRecord prints a record, which may have lines, below its time.
func printRecord(w io.Writer, r client.LogRecord) error {
	_, err := fmt.Fprintf(w, "%s %s\n", r.Time.UTC().Format("2006-01-02T15:04:05.000Z"), strings.TrimRight(r.Message, "\n"))
	return err
}

func encodeRecord(w io.Writer, r client.LogRecord) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
