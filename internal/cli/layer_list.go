package cli

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type layerListOptions struct {
	endpoint
	Runtime      string
	Architecture string
}

func (o *layerListOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.Runtime, "runtime", "", "only those made for this `RUNTIME`")
	fs.StringVar(&o.Architecture, "arch", "", "only those made for this `ARCHITECTURE`")
	o.endpoint.AddFlags(fs)
}

func newLayerList(o *output) *cobra.Command {
	opts := &layerListOptions{}
	return command(o, opts, cobra.Command{
		Use:               "list [NAME] [flags]",
		Short:             "list the layers with their newest versions, or the versions of one",
		Example:           "  lamina layer list\n  lamina layer list libs --format json",
		ValidArgsFunction: completeLayer(&opts.endpoint, cobra.ShellCompDirectiveNoFileComp),
	}, cobra.MaximumNArgs(1), runLayerList)
}

func runLayerList(ctx context.Context, opts *layerListOptions, out *output, args []string) error {
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	var versions []types.LayerVersionsListItem
	if len(args) == 1 {
		versions, err = opts.versions(ctx, s, args[0])
	} else {
		versions, err = opts.layers(ctx, s)
	}
	if err != nil {
		return s.failedOn("layer", strings.Join(args, ""), "list layers", err)
	}
	if len(args) == 1 && len(versions) == 0 {
		return &notFoundError{"there is no version of layer " + args[0]}
	}
	members, err := awsMembers(append([]types.LayerVersionsListItem{}, versions...))
	if err != nil {
		return err
	}
	return out.print(members, func(w io.Writer) error { return printVersions(w, versions) })
}

func (o *layerListOptions) layers(ctx context.Context, s *server) (all []types.LayerVersionsListItem, err error) {
	pages := awslambda.NewListLayersPaginator(s.lambda, &awslambda.ListLayersInput{
		CompatibleRuntime: types.Runtime(o.Runtime), CompatibleArchitecture: types.Architecture(o.Architecture),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, l := range page.Layers {
			if l.LatestMatchingVersion != nil {
				all = append(all, *l.LatestMatchingVersion)
			}
		}
	}
	return all, nil
}

func (o *layerListOptions) versions(ctx context.Context, s *server, name string) (all []types.LayerVersionsListItem, err error) {
	pages := awslambda.NewListLayerVersionsPaginator(s.lambda, &awslambda.ListLayerVersionsInput{
		LayerName: aws.String(name), CompatibleRuntime: types.Runtime(o.Runtime), CompatibleArchitecture: types.Architecture(o.Architecture),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.LayerVersions...)
	}
	return all, nil
}

func printVersions(w io.Writer, versions []types.LayerVersionsListItem) error {
	var rows [][]string
	for _, v := range versions {
		rows = append(rows, []string{
			layerName(aws.ToString(v.LayerVersionArn)), strconv.FormatInt(v.Version, 10), day(aws.ToString(v.CreatedDate)),
			dash(join(v.CompatibleRuntimes)), dash(join(v.CompatibleArchitectures)), aws.ToString(v.Description),
		})
	}
	return table(w, []string{"NAME", "VERSION", "CREATED", "RUNTIMES", "ARCHITECTURES", "DESCRIPTION"}, rows)
}

// layerName is the name inside a layer version's ARN.
func layerName(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 {
		return arn
	}
	return parts[6]
}

// day shortens AWS's time to the minute.
func day(s string) string {
	if len(s) < len("2006-01-02T15:04") {
		return s
	}
	return strings.Replace(s[:len("2006-01-02T15:04")], "T", " ", 1)
}

func join[T ~string](all []T) string {
	var s []string
	for _, v := range all {
		s = append(s, string(v))
	}
	return strings.Join(s, ", ")
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
