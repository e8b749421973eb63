package cli

import (
	"context"
	"io"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type functionListOptions struct{ endpoint }

func (o *functionListOptions) AddFlags(fs *pflag.FlagSet) { o.endpoint.AddFlags(fs) }

func newFunctionList(o *output) *cobra.Command {
	return command(o, &functionListOptions{}, cobra.Command{
		Use:     "list [flags]",
		Short:   "list the functions",
		Example: "  lamina function list",
	}, cobra.NoArgs, runFunctionList)
}

func runFunctionList(ctx context.Context, opts *functionListOptions, out *output, _ []string) error {
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	all := []types.FunctionConfiguration{}
	pages := awslambda.NewListFunctionsPaginator(s.lambda, &awslambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return s.failed("list functions", err)
		}
		all = append(all, page.Functions...)
	}
	members, err := awsMembers(all)
	if err != nil {
		return err
	}
	return out.print(members, func(w io.Writer) error {
		var rows [][]string
		for _, f := range all {
			rows = append(rows, []string{
				aws.ToString(f.FunctionName), dash(string(f.Runtime)), strconv.Itoa(int(aws.ToInt32(f.MemorySize))) + " MB",
				strconv.Itoa(int(aws.ToInt32(f.Timeout))) + " s", strconv.Itoa(len(f.Layers)), day(aws.ToString(f.LastModified)),
			})
		}
		return table(w, []string{"NAME", "RUNTIME", "MEMORY", "TIMEOUT", "LAYERS", "MODIFIED"}, rows)
	})
}
