package objects

import (
	"context"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Ref names an object, or with a VersionID a version of it.
type Ref struct{ Bucket, Key, VersionID string }

// Stage gives the bytes of an object as if they had just come, for what keeps them under another name. They are not moved, if
// the store can do without. More than limit are refused with EntityTooLarge.
func (s *Service) Stage(ctx context.Context, caller lambda.Scope, ref Ref, limit int64) (*blob.Staged, error) {
	_, o, err := s.Get(ctx, caller, ref.Bucket, catalog.ObjectID{Name: ref.Key, VersionID: ref.VersionID})
	if err != nil {
		return nil, err
	}
	if o.Size > limit {
		return nil, &Error{Code: EntityTooLarge, Message: tooLarge}
	}
	st, err := s.blobs.Stored(ctx, o.Digest)
	return st, lost(err, ref.Key)
}
