package s3blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/lambda"
)

// Error is a failure of the store that its user can mend.
type Error struct {
	Text string // what could not be done and why
	Todo string // what to do next
	Err  error
}

func (e *Error) Error() string { return e.Text }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Todo }

// Fault says what callers are told while the store cannot be used; "" when the failure is no such.
func (e *Error) Fault() string {
	if e.Todo == "" {
		return ""
	}
	return "The S3 store that holds lamina's zips cannot be used now. The server's log says why; try again when it can."
}

var errSlow = errors.New("it does not answer in time")

// explain says what an error of the store means, and what to do.
func (d *Driver) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && context.Cause(ctx) != errSlow {
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	}
	why, todo := d.reason(err)
	return &Error{Text: what + ": " + why, Todo: todo, Err: err}
}

func (d *Driver) reason(err error) (why, todo string) {
	var none *noKeysError
	var answer minio.ErrorResponse
	var network net.Error
	switch {
	case errors.As(err, &none):
		return "there are no AWS credentials for it", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the server"
	case errors.As(err, &answer):
		return d.answered(answer)
	case errors.Is(err, errSlow), errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return d.endpoint + " does not answer in time", "see whether the store is overloaded: curl -v " + d.endpoint
	case lambda.FaultText(err) != "": // what this machine lacks looks like an error of the network: it may be temporary
		return err.Error(), ""
	case errors.As(err, &network): // every error of the network is one
		return fmt.Sprintf("cannot reach %s: %v", d.endpoint, err), "start the store, or name the right one: --blob 's3://" + d.o.Bucket + "?endpoint=URL'"
	}
	return err.Error(), ""
}

// refused is what to do about credentials that the store does not know.
const refused = "set the right AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for the server"

// answered says what an error that the store itself has answered means.
func (d *Driver) answered(answer minio.ErrorResponse) (why, todo string) {
	said := answer.Code
	if answer.Message != "" {
		said += ": " + answer.Message
	}
	switch answer.Code {
	case minio.NoSuchBucket:
		return fmt.Sprintf("there is no bucket %q at %s", d.o.Bucket, d.endpoint), fmt.Sprintf("aws s3 mb s3://%s --endpoint-url %s", d.o.Bucket, d.endpoint)
	case minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "InvalidToken", "ExpiredToken", "TokenRefreshRequired":
		return d.endpoint + " refuses the credentials (" + said + ")", refused
	case minio.AccessDenied, "AllAccessDisabled":
		return d.endpoint + " denies access (" + said + ")", fmt.Sprintf("allow these credentials s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on the bucket %q", d.o.Bucket)
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException", minio.InvalidRegion:
		region := answer.Region
		if region == "" {
			region = "REGION"
		}
		return fmt.Sprintf("the bucket %q is not in region %s (%s)", d.o.Bucket, d.o.Region, said), fmt.Sprintf("--blob 's3://%s?region=%s'", d.o.Bucket, region)
	case "RequestTimeTooSkewed":
		return "this machine's clock and that of " + d.endpoint + " differ too much", "timedatectl set-ntp true"
	case "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout":
		return d.endpoint + " is too busy (" + said + ")", "try again, and look at the store's own log"
	}
	if answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized { // stores have codes of their own
		return d.endpoint + " refuses the credentials (" + said + ")", refused
	}
	return d.endpoint + " answered " + said, ""
}

// gone reports whether an object is not there.
func gone(err error) bool { return minio.ToErrorResponse(err).Code == minio.NoSuchKey }

// absent is the error of a blob that is not there.
func absent(what string) error { return fmt.Errorf("%s: %w", what, fs.ErrNotExist) }
