package control

import (
	"context"
	"errors"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// Objects is where the objects of S3 are that requests name: *objects.Service, or *objects.Elsewhere.
type Objects interface {
	// Stage gives the bytes of an object as if they had been sent, at most limit of them. What S3 refuses is an *objects.Error.
	Stage(ctx context.Context, caller lambda.Scope, o objects.Ref, limit int64) (*blob.Staged, error)
}

// S3Object names an object that holds a zip, as a request does.
type S3Object struct{ Bucket, Key, Version string }

// zip is where the bytes of a zip come from, and how many they may be.
type zip struct {
	*blob.Staged
	limit int64 // 0: as many as there are
}

// zipSlack is how much longer than what it may hold an object is taken in: a zip may be somewhat longer.
const zipSlack = 64 << 20

// fetch gives the zip of a request: the one that was sent, or else the object that is named. AWS limits the size of the former
// alone.
func (s *Service) fetch(ctx context.Context, caller lambda.Scope, sent *blob.Staged, from *S3Object) (zip, error) {
	if from == nil {
		return zip{sent, s.limits.ZipSize}, nil
	}
	if s.objects == nil {
		return zip{}, notBuilt("S3Bucket and S3Key here")
	}
	st, err := s.objects.Stage(ctx, caller, objects.Ref{Bucket: from.Bucket, Key: from.Key, VersionID: from.Version}, s.limits.UnzippedSize+zipSlack)
	return zip{Staged: st}, s.s3Text(err, *from)
}

// s3Text words what S3 refuses as Lambda does.
func (s *Service) s3Text(err error, from S3Object) error {
	var e *objects.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case objects.EntityTooLarge:
		return &lambda.Error{Kind: lambda.Invalid, Message: codeTooLarge(s.limits.UnzippedSize).Error(), Err: err}
	case objects.AccessDenied:
		return &lambda.Error{Kind: lambda.Denied, Err: err, Message: "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for " +
			from.Bucket + "/" + from.Key + ". S3 Error Code: AccessDenied. S3 Error Message: " + e.Message}
	}
	return &lambda.Error{Kind: lambda.Invalid, Err: err,
		Message: "Error occurred while GetObject. S3 Error Code: " + string(e.Code) + ". S3 Error Message: " + e.Message}
}
