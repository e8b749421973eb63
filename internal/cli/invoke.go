package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type invokeOptions struct {
	endpoint
	Payload   string
	Log       bool
	Type      string
	Qualifier string
}

func (o *invokeOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&o.Payload, "payload", "p", "", "the event: `JSON`, @FILE, or - for standard input (default: none)")
	fs.BoolVar(&o.Log, "log", false, "print the last 4 KB of the log on standard error")
	fs.StringVar(&o.Type, "type", "RequestResponse", "RequestResponse, or DryRun to ask only whether it could be run")
	fs.StringVar(&o.Qualifier, "qualifier", "", "`VERSION` or alias to run")
	o.endpoint.AddFlags(fs)
}

func newInvoke(o *output) *cobra.Command {
	opts := &invokeOptions{}
	return command(o, opts, cobra.Command{
		Use:   "invoke NAME [flags]",
		Short: "run a function and print its answer",
		Long: "Run a function and print its answer. When the function fails, its error goes to standard output, the end of its\n" +
			"log to standard error, and the exit code is 4.",
		Example: "  lamina invoke hello --payload '{\"name\": \"you\"}'\n" +
			"  lamina invoke hello --payload @event.json --log\n" +
			"  lamina invoke hello --payload - < event.json",
		ValidArgsFunction: completeFunction(&opts.endpoint),
	}, cobra.ExactArgs(1), runInvoke)
}

func runInvoke(ctx context.Context, opts *invokeOptions, out *output, args []string) error {
	payload, err := readPayload(opts.Payload, out.In)
	if err != nil {
		return err
	}
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	in := &awslambda.InvokeInput{
		FunctionName:   aws.String(args[0]),
		InvocationType: types.InvocationType(opts.Type),
		LogType:        types.LogTypeTail,
		Payload:        payload,
	}
	if opts.Qualifier != "" {
		in.Qualifier = aws.String(opts.Qualifier)
	}
	answer, err := s.lambda.Invoke(ctx, in)
	if err != nil {
		return s.failedOn("function", args[0], "invoke "+args[0], err)
	}
	return printAnswer(opts, out, answer)
}

func printAnswer(opts *invokeOptions, out *output, answer *awslambda.InvokeOutput) error {
	log, err := base64.StdEncoding.DecodeString(aws.ToString(answer.LogResult))
	if err != nil {
		return fmt.Errorf("cannot read the log of the answer: %w", err)
	}
	err = out.print(invocation{
		answer.StatusCode, aws.ToString(answer.ExecutedVersion), aws.ToString(answer.FunctionError), string(log), jsonOrText(answer.Payload),
	}, func(w io.Writer) error { return printPayload(w, answer.Payload) })
	if err != nil {
		return err
	}
	if !out.json() && (opts.Log || answer.FunctionError != nil) {
		out.Err.Write(log)
	}
	if answer.FunctionError != nil {
		return &functionError{*answer.FunctionError}
	}
	return nil
}

// invocation is the answer as --format json prints it.
type invocation struct {
	StatusCode      int32
	ExecutedVersion string `json:",omitempty"`
	FunctionError   string `json:",omitempty"`
	Log             string `json:",omitempty"`
	Payload         any    `json:",omitempty"`
}

func jsonOrText(b []byte) any {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b):
		return json.RawMessage(b)
	}
	return string(b)
}

// printPayload prints the bytes as they came, with a line end where they have none and a person reads them.
func printPayload(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return err
	}
	if len(b) > 0 && b[len(b)-1] != '\n' && isTerminal(w) {
		fmt.Fprintln(w)
	}
	return nil
}

func readPayload(s string, in io.Reader) ([]byte, error) {
	path, isFile := strings.CutPrefix(s, "@")
	switch {
	case s == "":
		return nil, nil
	case s == "-":
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("cannot read the payload: %w", err)
		}
		return b, nil
	case isFile:
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, usagef("cannot read the payload: %v", err)
		}
		return b, nil
	}
	return []byte(s), nil
}
