package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/spf13/pflag"

	"github.com/laminadev/lamina/client"
	"github.com/laminadev/lamina/internal/config"
)

// defaultURL is where lamina listens when nobody said otherwise.
const defaultURL = "http://" + config.DefaultListen

// endpoint says which server a command speaks to.
type endpoint struct {
	URL     string
	AWS     bool
	Profile string
	Region  string
}

func (e *endpoint) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&e.URL, "endpoint-url", "", "`URL` of the server (default: AWS_ENDPOINT_URL or the profile's, else "+defaultURL+")")
	fs.BoolVar(&e.AWS, "aws", false, "speak to AWS itself")
	fs.StringVar(&e.Profile, "profile", "", "AWS `PROFILE` to use (default: AWS_PROFILE)")
	fs.StringVar(&e.Region, "region", "", "`REGION` to use (default: AWS_REGION or the profile's, else "+config.DefaultRegion+")")
}

// server is a connection to the chosen one.
type server struct {
	lambda *awslambda.Client
	url    string // "" is AWS
	cfg    aws.Config
}

// connect reads the AWS configuration. It calls nobody: not even the instance metadata service, which could only keep a
// machine outside EC2 waiting.
func (e *endpoint) connect(ctx context.Context, wrap func(aws.HTTPClient) aws.HTTPClient) (*server, error) {
	if e.AWS && e.URL != "" {
		return nil, usagef("--aws and --endpoint-url exclude each other")
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, e.loadOptions()...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the AWS configuration: %w", err)
	}
	if e.AWS && unconfigured(cfg.Credentials) {
		return nil, usagef("there are no keys for AWS: run `aws configure`, or choose a profile with --profile or AWS_PROFILE")
	}
	if wrap != nil {
		cfg.HTTPClient = wrap(httpClient(cfg))
	}
	s := &server{cfg: cfg}
	s.lambda = awslambda.NewFromConfig(cfg, func(o *awslambda.Options) { e.choose(o, s) })
	return s, nil
}

func (e *endpoint) loadOptions() []func(*awsconfig.LoadOptions) error {
	opts := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		awsconfig.WithDefaultRegion(config.DefaultRegion),
	}
	if e.Profile != "" {
		opts = append(opts, awsconfig.WithSharedConfigProfile(e.Profile))
	}
	if e.Region != "" {
		opts = append(opts, awsconfig.WithRegion(e.Region))
	}
	return opts
}

// choose settles the endpoint: the flag, else what the SDK found in the AWS configuration, else lamina's own.
func (e *endpoint) choose(o *awslambda.Options, s *server) {
	if e.AWS {
		o.BaseEndpoint = nil
		return
	}
	switch {
	case e.URL != "":
		o.BaseEndpoint = aws.String(strings.TrimRight(e.URL, "/"))
	case aws.ToString(o.BaseEndpoint) == "":
		o.BaseEndpoint = aws.String(defaultURL)
	}
	s.url = *o.BaseEndpoint
	if unconfigured(o.Credentials) {
		// A server in open mode takes any key.
		o.Credentials = credentials.NewStaticCredentialsProvider("lamina", "lamina", "")
	}
	if s.cfg.RetryMaxAttempts == 0 {
		o.Retryer = aws.NopRetryer{} // a refused connection or a full server is news, not something to sit out
	}
}

// unconfigured reports whether the SDK found no keys and would ask the instance metadata service.
func unconfigured(p aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(p, (*ec2rolecreds.Provider)(nil))
}

func httpClient(cfg aws.Config) aws.HTTPClient {
	if cfg.HTTPClient != nil {
		return cfg.HTTPClient
	}
	return awshttp.NewBuildableClient()
}

// lamina is the client of what AWS's API lacks, with the same address, region and keys.
func (s *server) lamina() *client.Client {
	o := s.lambda.Options()
	return client.New(client.Options{Endpoint: s.url, Region: o.Region, Credentials: o.Credentials})
}

// failed words an error of a call for people: what could not be done, the server's own message, and what to do next.
func (s *server) failed(what string, err error) error {
	var (
		api smithy.APIError
		own *client.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return &callError{text: "nothing answers at " + s.url + ": start it with `lamina serve`, or set AWS_ENDPOINT_URL", err: err}
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return &callError{text: "cannot " + what + ": the server at " + s.url + " broke the call off; was it stopped?", err: err}
	case errors.As(err, &api):
		return &callError{"cannot " + what + ": " + api.ErrorMessage(), api.ErrorCode() + requestID(err), grant(api.ErrorMessage(), s.url), err}
	}
	if errors.As(err, &own) {
		return &callError{text: "cannot " + what + ": " + own.Message, code: own.Code + ", request " + own.RequestID, err: err}
	}
	return fmt.Errorf("cannot %s: %w", what, err)
}

// failedOn is failed about a layer or a function, as the command was given it.
func (s *server) failedOn(kind, named, what string, err error) error {
	err = s.failed(what, err)
	var call *callError
	if errors.As(err, &call) && call.todo == "" {
		call.todo = meant(kind, named)
	}
	return err
}

func requestID(err error) string {
	var resp *awshttp.ResponseError
	if errors.As(err, &resp) && resp.RequestID != "" {
		return ", request " + resp.RequestID
	}
	return ""
}

// callError prints shorter than the SDK's error, which it keeps.
type callError struct {
	text string
	code string
	todo string // what to do next
	err  error
}

func (e *callError) Error() string {
	if e.code == "" {
		return e.text
	}
	return e.text + " (" + e.code + ")"
}

// Hint is what to do next.
func (e *callError) Hint() string { return e.todo }

func (e *callError) Unwrap() error { return e.err }
