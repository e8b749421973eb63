package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/internal/layer"
)

type layerPublishOptions struct {
	endpoint
	Description   string
	License       string
	Runtimes      []string
	Architectures []string
}

func (o *layerPublishOptions) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.Description, "description", "", "`TEXT` that says what this version is")
	fs.StringVar(&o.License, "license", "", "its licence: an SPDX `NAME`, a URL, or the text")
	fs.StringSliceVar(&o.Runtimes, "runtime", nil, "`RUNTIME` that it is made for (repeatable)")
	fs.StringSliceVar(&o.Architectures, "arch", nil, "`ARCHITECTURE` that it is made for: x86_64 or arm64 (repeatable)")
	o.endpoint.AddFlags(fs)
}

func newLayerPublish(o *output) *cobra.Command {
	opts := &layerPublishOptions{}
	return command(o, opts, cobra.Command{
		Use:   "publish NAME PATH [flags]",
		Short: "publish a zip or a folder as a new version of a layer",
		Long: "Publish a zip file, or a folder, as a new version of a layer. What PATH holds will be seen below /opt: Python\n" +
			"looks in python/ there, Node.js in nodejs/node_modules/, all look for programs in bin/ and for libraries in lib/. A\n" +
			"folder is zipped reproducibly: the same files give the same bytes. As on AWS, a version is published even when the\n" +
			"newest one has the same bytes; a note on standard error says so.",
		Example: "  lamina layer publish libs ./layer --runtime python3.12 --arch x86_64\n" +
			"  lamina layer publish libs layer.zip --description 'requests 2.32'",
		ValidArgsFunction: completeLayer(&opts.endpoint, cobra.ShellCompDirectiveDefault),
	}, cobra.ExactArgs(2), runLayerPublish)
}

func runLayerPublish(ctx context.Context, opts *layerPublishOptions, out *output, args []string) error {
	name, path := args[0], args[1]
	zip, err := readLayer(path)
	if err != nil {
		return err
	}
	s, err := opts.connect(ctx, out.uploads)
	if err != nil {
		return err
	}
	before, err := newestVersion(ctx, s, name)
	if err != nil {
		return s.failedOn("layer", name, "publish layer "+name, err)
	}
	answer, err := s.lambda.PublishLayerVersion(ctx, opts.input(name, zip))
	if err != nil {
		return s.failedOn("layer", name, "publish layer "+name, err)
	}
	if before != nil && *before.Content.CodeSha256 == aws.ToString(answer.Content.CodeSha256) {
		fmt.Fprintf(out.Err, "note: version %d has the same bytes\n", before.Version)
	}
	if !hasLayerFolder(zip) {
		fmt.Fprint(out.Err, unseen)
	}
	members, err := awsMembers(answer)
	if err != nil {
		return err
	}
	return out.print(members, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, aws.ToString(answer.LayerVersionArn))
		return err
	})
}

func (o *layerPublishOptions) input(name string, zip []byte) *awslambda.PublishLayerVersionInput {
	in := &awslambda.PublishLayerVersionInput{
		LayerName: aws.String(name),
		Content:   &types.LayerVersionContentInput{ZipFile: zip},
	}
	if o.Description != "" {
		in.Description = aws.String(o.Description)
	}
	if o.License != "" {
		in.LicenseInfo = aws.String(o.License)
	}
	for _, r := range o.Runtimes {
		in.CompatibleRuntimes = append(in.CompatibleRuntimes, types.Runtime(r))
	}
	for _, a := range o.Architectures {
		in.CompatibleArchitectures = append(in.CompatibleArchitectures, types.Architecture(a))
	}
	return in
}

// readLayer gives the zip at path, or the zip of the folder at path.
func readLayer(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, usagef("cannot read the layer: %v", err)
	}
	if !info.IsDir() {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the layer: %w", err)
		}
		return b, nil
	}
	l, err := layer.FromFolder(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the layer: %w", err)
	}
	var b bytes.Buffer
	if err := l.WriteZip(&b); err != nil {
		return nil, fmt.Errorf("cannot zip %s: %w", path, err)
	}
	return b.Bytes(), nil
}

// newestVersion gives the newest version of a layer, nil when there is none.
func newestVersion(ctx context.Context, s *server, name string) (*awslambda.GetLayerVersionOutput, error) {
	list, err := s.lambda.ListLayerVersions(ctx, &awslambda.ListLayerVersionsInput{LayerName: aws.String(name), MaxItems: aws.Int32(1)})
	if err != nil || len(list.LayerVersions) == 0 {
		return nil, err
	}
	return s.lambda.GetLayerVersion(ctx, &awslambda.GetLayerVersionInput{
		LayerName: aws.String(name), VersionNumber: aws.Int64(list.LayerVersions[0].Version),
	})
}
