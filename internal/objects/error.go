package objects

import (
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/lambda"
)

// Code is what S3 calls a failure. Codes are words of more than its protocol: Lambda prints them too.
type Code string

// The codes that objects give. The protocol has more.
const (
	AccessDenied             Code = "AccessDenied"
	BadDigest                Code = "BadDigest"
	BucketAlreadyExists      Code = "BucketAlreadyExists"
	BucketAlreadyOwnedByYou  Code = "BucketAlreadyOwnedByYou"
	BucketNotEmpty           Code = "BucketNotEmpty"
	EntityTooLarge           Code = "EntityTooLarge"
	EntityTooSmall           Code = "EntityTooSmall"
	InvalidArgument          Code = "InvalidArgument"
	InvalidBucketName        Code = "InvalidBucketName"
	InvalidPart              Code = "InvalidPart"
	InvalidPartOrder         Code = "InvalidPartOrder"
	InvalidRange             Code = "InvalidRange"
	InvalidRequest           Code = "InvalidRequest"
	KeyTooLong               Code = "KeyTooLongError"
	MalformedTrailer         Code = "MalformedTrailerError"
	MethodNotAllowed         Code = "MethodNotAllowed"
	NoSuchBucket             Code = "NoSuchBucket"
	NoSuchKey                Code = "NoSuchKey"
	NoSuchUpload             Code = "NoSuchUpload"
	NoSuchVersion            Code = "NoSuchVersion"
	PreconditionFailed       Code = "PreconditionFailed"
	PermanentRedirect        Code = "PermanentRedirect"
	XAmzContentSHA256Invalid Code = "XAmzContentSHA256Mismatch"
)

// Error is a failure that S3 has a code for. Message is for the caller; the other members are what S3 says beside it.
type Error struct {
	Code      Code
	Message   string
	Bucket    string
	Key       string
	VersionID string
	Region    string // of PermanentRedirect: where the bucket is
	Condition string // of PreconditionFailed: the header that failed

	Method, ResourceType string // of MethodNotAllowed
	Marker               string // ID of the delete marker that was met
	Err                  error  // the cause, for logs
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Code, e.Message) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsCode reports whether err is of a code.
func IsCode(err error, c Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == c
}

func noSuchBucket(name string) *Error {
	return &Error{Code: NoSuchBucket, Message: "The specified bucket does not exist", Bucket: name}
}

func noSuchKey(key string) *Error {
	return &Error{Code: NoSuchKey, Message: "The specified key does not exist.", Key: key}
}

func noSuchUpload() *Error {
	return &Error{Code: NoSuchUpload, Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."}
}

func denied() *Error { return &Error{Code: AccessDenied, Message: "Access Denied"} }

func invalid(format string, args ...any) *Error {
	return &Error{Code: InvalidArgument, Message: fmt.Sprintf(format, args...)}
}

// unstorable words the refusal of a text that no database holds: AWS takes keys with a NUL, we cannot.
func unstorable(err error) error {
	if lambda.IsKind(err, lambda.Invalid) {
		return &Error{Code: InvalidArgument, Message: "lamina cannot keep a NUL character, or text that is not UTF-8.", Err: err}
	}
	return err
}
