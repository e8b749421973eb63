package objects

import (
	"context"
	"net/netip"
	"regexp"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// MaxBuckets is how many buckets a list may have: as many as AWS ever lets an account have.
const MaxBuckets = 10000

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// IsBucketName reports whether a bucket may have a name.
func IsBucketName(name string) bool {
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || strings.Contains(name, ".-") || strings.Contains(name, "-.") {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err != nil
}

// CreateBucket makes a bucket. As on AWS, to make one's own bucket again is an error but in us-east-1.
func (s *Service) CreateBucket(ctx context.Context, caller lambda.Scope, name string, tags map[string]string) error {
	if !IsBucketName(name) {
		return &Error{Code: InvalidBucketName, Message: "The specified bucket is not valid.", Bucket: name}
	}
	k := catalog.BucketKey{Partition: caller.Partition, Name: name}
	_, err := s.catalog.InsertBucket(ctx, catalog.Bucket{Key: k, Account: caller.Account, Region: caller.Region, Tags: tags, Created: s.now()})
	if !lambda.IsKind(err, lambda.Conflict) {
		return err
	}
	b, err := s.catalog.GetBucket(ctx, k)
	switch {
	case err != nil:
		return gone(err, name)
	case b.Account != caller.Account:
		return &Error{Code: BucketAlreadyExists, Bucket: name, Message: "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."}
	case b.Region == "us-east-1" && caller.Region == b.Region:
		return nil
	}
	return &Error{Code: BucketAlreadyOwnedByYou, Bucket: name, Message: "Your previous request to create the named bucket succeeded and you already own it."}
}

// Bucket gives a bucket of the caller's account, in the caller's region.
func (s *Service) Bucket(ctx context.Context, caller lambda.Scope, name string) (catalog.Bucket, error) {
	return s.bucket(ctx, caller, name)
}

// bucket gives a bucket that the caller may use, from the region where he called.
func (s *Service) bucket(ctx context.Context, caller lambda.Scope, name string) (catalog.Bucket, error) {
	b, err := s.Anywhere(ctx, caller, name)
	if err == nil && b.Region != caller.Region {
		return b, &Error{Code: PermanentRedirect, Bucket: name, Region: b.Region,
			Message: "The bucket is in this region: " + b.Region + ". Please use this region to retry the request"}
	}
	return b, err
}

// Anywhere gives a bucket of the caller's account, in whatever region it is.
func (s *Service) Anywhere(ctx context.Context, caller lambda.Scope, name string) (catalog.Bucket, error) {
	b, err := s.catalog.GetBucket(ctx, catalog.BucketKey{Partition: caller.Partition, Name: name})
	if err != nil {
		return b, gone(unstorable(err), name)
	}
	if b.Account != caller.Account {
		return catalog.Bucket{}, denied()
	}
	return b, nil
}

// ListBuckets gives the buckets of the caller's account, of all regions, by name.
func (s *Service) ListBuckets(ctx context.Context, caller lambda.Scope) ([]catalog.Bucket, error) {
	return s.catalog.ListBuckets(ctx, caller.Partition, caller.Account, "", MaxBuckets)
}

// UpdateBucket changes the settings of a bucket.
func (s *Service) UpdateBucket(ctx context.Context, caller lambda.Scope, name string, change func(*catalog.Bucket)) error {
	b, err := s.bucket(ctx, caller, name)
	if err != nil {
		return err
	}
	_, err = s.catalog.UpdateBucket(ctx, b.Key, func(b *catalog.Bucket) error { change(b); return nil })
	return gone(unstorable(err), name)
}

// DeleteBucket forgets an empty bucket.
func (s *Service) DeleteBucket(ctx context.Context, caller lambda.Scope, name string) error {
	b, err := s.bucket(ctx, caller, name)
	if err != nil {
		return err
	}
	err = s.catalog.DeleteBucket(ctx, b.Key)
	if lambda.IsKind(err, lambda.Conflict) {
		return &Error{Code: BucketNotEmpty, Message: "The bucket you tried to delete is not empty", Bucket: name, Err: err}
	}
	return gone(err, name)
}
