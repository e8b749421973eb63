package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/layer"
)

type layerShowOptions struct {
	endpoint
	Contents bool
}

func (o *layerShowOptions) AddFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.Contents, "contents", false, "also list its files, as a function sees them below /opt")
	o.endpoint.AddFlags(fs)
}

func newLayerShow(o *output) *cobra.Command {
	opts := &layerShowOptions{}
	return command(o, opts, cobra.Command{
		Use:   "show NAME[:VERSION] [flags]",
		Short: "show a layer version, the newest one when none is named",
		Long:  "Show a layer version: its record and, with --contents, its files. An ARN is as good as a name.",
		Example: "  lamina layer show libs\n" +
			"  lamina layer show libs:3 --contents",
		ValidArgsFunction: completeLayer(&opts.endpoint, cobra.ShellCompDirectiveNoFileComp),
	}, cobra.ExactArgs(1), runLayerShow)
}

func runLayerShow(ctx context.Context, opts *layerShowOptions, out *output, args []string) error {
	name, version, err := parseLayer(args[0])
	if err != nil {
		return err
	}
	s, err := opts.connect(ctx, nil)
	if err != nil {
		return err
	}
	v, err := getLayerVersion(ctx, s, name, version)
	if err != nil {
		return s.failedOn("layer", args[0], "show layer "+args[0], err)
	}
	var paths []layerPath
	if opts.Contents {
		if paths, err = layerContents(ctx, s, v); err != nil {
			return fmt.Errorf("cannot list the files of layer %s: %w", args[0], err)
		}
	}
	members, err := awsMembers(v)
	if err != nil {
		return err
	}
	if opts.Contents {
		members.(map[string]any)["Contents"] = paths
	}
	return out.print(members, func(w io.Writer) error { return printLayer(w, v, paths) })
}

// parseLayer reads NAME, NAME:VERSION, or an ARN with or without a version. Version 0 stands for the newest. An ARN that leaves
// out what it names is for the server to refuse.
func parseLayer(s string) (name string, version int64, err error) {
	const partsOfARN = 7
	if slipARN.MatchString(s) {
		return s, 0, nil
	}
	parts := strings.Split(s, ":")
	named := 1
	if parts[0] == "arn" {
		named = partsOfARN
	}
	switch len(parts) {
	case named:
		return s, 0, nil
	case named + 1:
		n, err := strconv.ParseInt(parts[named], 10, 64)
		if err == nil && n > 0 {
			return strings.Join(parts[:named], ":"), n, nil
		}
	}
	return "", 0, &usageError{fmt.Sprintf("%q is not NAME, NAME:VERSION or the ARN of a layer", s), meant("layer", s)}
}

func getLayerVersion(ctx context.Context, s *server, name string, version int64) (*awslambda.GetLayerVersionOutput, error) {
	if version > 0 {
		return s.lambda.GetLayerVersion(ctx, &awslambda.GetLayerVersionInput{LayerName: aws.String(name), VersionNumber: aws.Int64(version)})
	}
	v, err := newestVersion(ctx, s, name)
	if err == nil && v == nil {
		return nil, &notFoundError{"there is no version of it"}
	}
	return v, err
}

// layerPath is one file as a function sees it.
type layerPath struct {
	Path string
	Mode string
	Size int64
}

// layerContents downloads the zip, checks it against the version's SHA-256, and lists it.
func layerContents(ctx context.Context, s *server, v *awslambda.GetLayerVersionOutput) ([]layerPath, error) {
	f, err := s.download(ctx, aws.ToString(v.Content.Location), aws.ToString(v.Content.CodeSha256))
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	l, err := layer.FromZip(f, v.Content.CodeSize)
	if err != nil {
		return nil, err
	}
	var paths []layerPath
	for _, e := range l.Entries() {
		paths = append(paths, layerPath{"/opt/" + e.Path, modeOf(e.Type, e.Mode), e.Size})
	}
	return paths, nil
}

// modeOf writes type and permissions as ls does.
func modeOf(kind fmt.Stringer, mode fs.FileMode) string {
	first := map[string]string{"directory": "d", "symbolic link": "l"}[kind.String()]
	return cmp.Or(first, "-") + mode.Perm().String()[1:]
}

func printLayer(w io.Writer, v *awslambda.GetLayerVersionOutput, paths []layerPath) error {
	fmt.Fprintln(w, aws.ToString(v.LayerVersionArn))
	err := fields(w, [][2]string{
		{"description", aws.ToString(v.Description)},
		{"created", aws.ToString(v.CreatedDate)},
		{"size", size(v.Content.CodeSize)},
		{"sha256", aws.ToString(v.Content.CodeSha256)},
		{"runtimes", join(v.CompatibleRuntimes)},
		{"architectures", join(v.CompatibleArchitectures)},
		{"licence", aws.ToString(v.LicenseInfo)},
	})
	for _, p := range paths {
		fmt.Fprintf(w, "%s %10d  %s\n", p.Mode, p.Size, p.Path)
	}
	return err
}
