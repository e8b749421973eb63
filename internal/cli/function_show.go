package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type functionShowOptions struct{ endpoint }

func (o *functionShowOptions) AddFlags(fs *pflag.FlagSet) { o.endpoint.AddFlags(fs) }

func newFunctionShow(o *output) *cobra.Command {
	opts := &functionShowOptions{}
	return command(o, opts, cobra.Command{
		Use:   "show NAME [flags]",
		Short: "show a function's configuration, state and layers",
		Long: "Show a function's configuration, state and layers, in the order in which they are merged: the last one wins.\n" +
			"Of environment variables, text shows the names and --format json the values too.",
		Example:           "  lamina function show hello",
		ValidArgsFunction: completeFunction(&opts.endpoint),
	}, cobra.ExactArgs(1), runFunctionShow)
}

func runFunctionShow(ctx context.Context, opts *functionShowOptions, out *output, args []string) error {
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	f, err := s.lambda.GetFunction(ctx, &awslambda.GetFunctionInput{FunctionName: aws.String(args[0])})
	if err != nil {
		return s.failedOn("function", args[0], "show function "+args[0], err)
	}
	members, err := awsMembers(f)
	if err != nil {
		return err
	}
	return out.print(members, func(w io.Writer) error { return printFunction(w, f.Configuration) })
}

func printFunction(w io.Writer, c *types.FunctionConfiguration) error {
	fmt.Fprintln(w, aws.ToString(c.FunctionArn))
	pairs := [][2]string{
		{"description", aws.ToString(c.Description)},
		{"runtime", string(c.Runtime)},
		{"handler", aws.ToString(c.Handler)},
		{"architecture", join(c.Architectures)},
		{"memory", strconv.Itoa(int(aws.ToInt32(c.MemorySize))) + " MB"},
		{"timeout", strconv.Itoa(int(aws.ToInt32(c.Timeout))) + " s"},
		{"state", withReason(string(c.State), c.StateReason)},
		{"last update", withReason(string(c.LastUpdateStatus), c.LastUpdateStatusReason)},
		{"code", size(c.CodeSize) + ", sha256 " + aws.ToString(c.CodeSha256)},
		{"modified", aws.ToString(c.LastModified)},
		{"variables", variableNames(c.Environment)},
	}
	for i, l := range c.Layers {
		pairs = append(pairs, [2]string{"layer " + strconv.Itoa(i+1), aws.ToString(l.Arn) + " (" + size(l.CodeSize) + ")"})
	}
	return fields(w, pairs)
}

func withReason(s string, reason *string) string {
	if aws.ToString(reason) == "" {
		return s
	}
	return s + ": " + *reason
}

func variableNames(e *types.EnvironmentResponse) string {
	if e == nil {
		return ""
	}
	var names []string
	for name := range e.Variables {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
