package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
)

// retries of a request to another S3 that failed on its way, or that it was too busy for.
const retries = 3

// Elsewhere fetches objects from an S3 that is not ours. It calls with its own keys, whoever the caller is, in the caller's region.
type Elsewhere struct {
	Blobs     *blob.Store // where bytes are staged
	Endpoint  string      // http(s)://host[:port]
	Keys      aws.CredentialsProvider
	Transport http.RoundTripper
}

// Stage fetches an object of at most limit bytes.
func (e *Elsewhere) Stage(ctx context.Context, caller lambda.Scope, ref Ref, limit int64) (*blob.Staged, error) {
	client, err := e.client(ctx, caller.Region)
	if err != nil {
		return nil, err
	}
	r, info, _, err := client.GetObject(ctx, ref.Bucket, ref.Key, minio.GetObjectOptions{VersionID: ref.VersionID})
	if err != nil {
		return nil, e.explain(err)
	}
	defer r.Close()
	if info.Size > limit {
		return nil, &Error{Code: EntityTooLarge, Message: tooLarge}
	}
	source := &fetched{r: io.LimitReader(r, limit+1)}
	st, err := e.Blobs.Stage(ctx, source)
	switch {
	case source.err != nil:
		if err == nil {
			st.Discard()
		}
		return nil, e.explain(source.err)
	case err != nil:
		return nil, err
	case info.Size >= 0 && st.Size() != info.Size:
		st.Discard()
		return nil, e.explain(io.ErrUnexpectedEOF)
	}
	return st, nil
}

// fetched keeps the error that it ended with, so that it is told from one of the place that stores its bytes.
type fetched struct {
	r   io.Reader
	err error
}

func (f *fetched) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}

func (e *Elsewhere) client(ctx context.Context, region string) (*minio.Core, error) {
	keys, err := e.Keys.Retrieve(ctx)
	if err != nil {
		return nil, &unreachable{fmt.Errorf("there are no AWS credentials for %s: %w", e.Endpoint, err)}
	}
	u, err := url.Parse(e.Endpoint)
	if err != nil {
		return nil, err
	}
	return minio.NewCore(u.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
		Secure: u.Scheme == "https", Region: region, Transport: e.Transport, MaxRetries: retries,
	})
}

// explain gives what the other S3 answered as an *Error, and says of everything else that it cannot be used.
func (e *Elsewhere) explain(err error) error {
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode == 0 || answer.StatusCode >= 500 {
		return &unreachable{fmt.Errorf("cannot fetch an object from %s: %w", e.Endpoint, err)}
	}
	switch answer.Code {
	case "AuthorizationHeaderMalformed", "PermanentRedirect":
		if answer.Region != "" {
			return &Error{Code: PermanentRedirect, Region: answer.Region, Err: err,
				Message: "The bucket is in this region: " + answer.Region + ". Please use this region to retry the request"}
		}
	}
	return &Error{Code: Code(answer.Code), Message: answer.Message, Region: answer.Region, Err: err}
}

// unreachable is a failure of an S3 elsewhere, or of the way to it.
type unreachable struct{ err error }

func (u *unreachable) Error() string { return u.err.Error() }

// Unwrap gives the cause.
func (u *unreachable) Unwrap() error { return u.err }

// Fault is what callers are told.
func (*unreachable) Fault() string {
	return "The S3 that --s3-endpoint names cannot be used now. The server's log says why; try again when it can."
}
