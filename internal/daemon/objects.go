package daemon

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// openObjects opens S3: lamina's own, or where the settings say that objects are. Then lamina answers S3 no more, so that nobody
// puts what is never looked for.
func (p *parts) openObjects(ctx context.Context) error {
	if p.cfg.S3Endpoint == "" {
		p.objects = objects.New(objects.Options{Catalog: p.catalog, Blobs: p.blobs, Now: now})
		p.named = p.objects
		return nil
	}
	opts := []func(*awsconfig.LoadOptions) error{awsconfig.WithDefaultRegion(p.cfg.Region)}
	if !isAmazon(p.cfg.S3Endpoint) { // its keys are not those of the machine in EC2
		opts = append(opts, awsconfig.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return &Problem{Text: "cannot read the AWS configuration, which has the keys for --s3-endpoint: " + err.Error(),
			Todo: "look at AWS_PROFILE and the files in ~/.aws", Err: err}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	p.add("S3 elsewhere", func(context.Context) error { transport.CloseIdleConnections(); return nil })
	p.named = forPeople{&objects.Elsewhere{Blobs: p.blobs, Endpoint: p.cfg.S3Endpoint, Keys: cfg.Credentials, Transport: transport}}
	return nil
}

// forPeople fetches objects with keys of whoever started the server, and so not for functions: they could read with them
// whatever those may read.
type forPeople struct{ control.Objects }

// Stage refuses callers that are in a sandbox.
func (o forPeople) Stage(ctx context.Context, caller lambda.Scope, ref objects.Ref, limit int64) (*blob.Staged, error) {
	if api.IsFromSandbox(ctx) {
		return nil, &objects.Error{Code: objects.AccessDenied, Message: "Functions may not use the keys of this server for --s3-endpoint."}
	}
	return o.Objects.Stage(ctx, caller, ref, limit)
}

func isAmazon(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
}
