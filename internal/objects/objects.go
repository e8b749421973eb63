// Package objects keeps S3's buckets and objects: their bytes in the blob store, everything else in the catalog.
//
// Bytes come before the record, and the record before the answer. An object's bytes are one blob by their digest, so an object
// that holds a zip is published as a layer, or copied to another key, without a byte being moved. The parts of an upload are
// blobs too, and are joined when the upload is completed. What is overwritten or deleted stays on the disk until it is
// collected.
//
// A bucket belongs to one account and lies in one region. Nobody else has access to it: there are no bucket policies.
//
// Failures that S3 has a code for are an *Error. Everything else is ours.
package objects

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Options are the parts that a Service works with. It closes none of them.
type Options struct {
	Catalog catalog.Objects
	Blobs   *blob.Store
	Now     func() time.Time
}

// Service answers S3's operations. Its methods may be called concurrently. The first scope of each is the caller's.
type Service struct {
	catalog catalog.Objects
	blobs   *blob.Store
	now     func() time.Time
	joins   singleflight.Group // of the parts of uploads
}

// New gives a service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{catalog: o.Catalog, blobs: o.Blobs, now: o.Now}
}

// Open opens the bytes of an object.
func (s *Service) Open(ctx context.Context, o catalog.Object) (blob.Reader, error) {
	return s.blobs.Open(ctx, o.Digest)
}

// Get gives a version of an object, or with no VersionID the newest one. Of a delete marker the error says so.
func (s *Service) Get(ctx context.Context, caller lambda.Scope, bucket string, id catalog.ObjectID) (catalog.Bucket, catalog.Object, error) {
	b, err := s.bucket(ctx, caller, bucket)
	if err != nil {
		return b, catalog.Object{}, err
	}
	o, err := s.catalog.GetObject(ctx, b.Key, id)
	switch {
	case lambda.IsKind(err, lambda.NotFound) && id.VersionID != "":
		return b, o, &Error{Code: NoSuchVersion, Message: "The specified version does not exist.", Key: id.Name, VersionID: id.VersionID}
	case lambda.IsKind(err, lambda.NotFound):
		return b, o, noSuchKey(id.Name)
	case err != nil:
		return b, o, unstorable(err)
	case o.Marker && id.VersionID != "":
		return b, o, &Error{Code: MethodNotAllowed, Message: "The specified method is not allowed against this resource.",
			Method: "GET", ResourceType: "DeleteMarker", Marker: o.VersionID}
	case o.Marker:
		e := noSuchKey(id.Name)
		e.Marker = o.VersionID
		return b, o, e
	}
	return b, o, nil
}

// Tag gives a version of an object other tags.
func (s *Service) Tag(ctx context.Context, caller lambda.Scope, bucket string, id catalog.ObjectID, tags map[string]string) (catalog.Bucket, catalog.Object, error) {
	b, _, err := s.Get(ctx, caller, bucket, id)
	if err != nil {
		return b, catalog.Object{}, err
	}
	o, err := s.catalog.UpdateObject(ctx, b.Key, id, func(o *catalog.Object) error {
		o.About.Tags = tags
		return nil
	})
	if lambda.IsKind(err, lambda.NotFound) {
		err = noSuchKey(id.Name)
	}
	return b, o, unstorable(err)
}

// Delete deletes objects and versions, and says of each what has become of it (catalog.Objects).
func (s *Service) Delete(ctx context.Context, caller lambda.Scope, bucket string, ids []catalog.ObjectID) ([]catalog.Object, error) {
	b, err := s.bucket(ctx, caller, bucket)
	if err != nil {
		return nil, err
	}
	done, err := s.catalog.DeleteObjects(ctx, b.Key, ids, s.now())
	return done, gone(unstorable(err), bucket)
}

// gone words the absence of a bucket that went while it was worked on.
func gone(err error, bucket string) error {
	if lambda.IsKind(err, lambda.NotFound) {
		return noSuchBucket(bucket)
	}
	return err
}

// lost is the error of a blob that a record names and that is not there: it was freed when the object was overwritten, between
// the reading of its record and of its bytes, or it is a fault of the store's.
func lost(err error, key string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return noSuchKey(key)
	}
	return err
}
