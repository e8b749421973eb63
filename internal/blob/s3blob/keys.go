package s3blob

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// defaultRegion is where nobody said another one.
const defaultRegion = "us-east-1"

// standardKeys finds keys as every AWS tool does: in the environment, in the shared files, by web identity, SSO, or a process.
// The metadata service of EC2 is asked only when the store is AWS's own.
func standardKeys(ctx context.Context, o Options) (*credentials.Credentials, string, error) {
	opts := []func(*awsconfig.LoadOptions) error{awsconfig.WithDefaultRegion(defaultRegion)}
	if o.Region != "" {
		opts = append(opts, awsconfig.WithRegion(o.Region))
	}
	if o.Endpoint != "" {
		opts = append(opts, awsconfig.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return nil, "", &Error{Text: fmt.Sprintf("cannot read the AWS configuration: %v", err), Todo: "look at AWS_PROFILE and the files in ~/.aws", Err: err}
	}
	return credentials.New(&keys{from: cfg.Credentials}), cfg.Region, nil
}

// noKeysError says that none were found, and why.
type noKeysError struct{ err error }

func (e *noKeysError) Error() string { return "no keys: " + e.err.Error() }
func (e *noKeysError) Unwrap() error { return e.err }

// keys gives the SDK's keys to the client of the store.
type keys struct {
	from aws.CredentialsProvider // a cache

	mu  sync.Mutex // guards end
	end time.Time  // of what was given last; zero when it has none
}

func (k *keys) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	ctx := context.Background()
	if cc != nil && cc.Context != nil {
		ctx = cc.Context
	}
	got, err := k.from.Retrieve(ctx)
	if err != nil {
		return credentials.Value{}, &noKeysError{err}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.end = time.Time{}
	if got.CanExpire {
		k.end = got.Expires
	}
	return credentials.Value{AccessKeyID: got.AccessKeyID, SecretAccessKey: got.SecretAccessKey, SessionToken: got.SessionToken,
		Expiration: k.end, SignerType: credentials.SignatureV4}, nil
}

// Retrieve is the older form of the same.
func (k *keys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// IsExpired reports whether others must be asked for. The SDK's cache renews them some time before.
func (k *keys) IsExpired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.end.IsZero() && !time.Now().Before(k.end)
}
