package control

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// readRecord gives what a record of a function says and when it was written; kind NotFound when there is none.
func readRecord[T any](ctx context.Context, s *Service, ref lambda.FunctionRef, kind catalog.RecordKind) (v T, modified time.Time, err error) {
	r, err := s.catalog.GetRecord(ctx, ref.FunctionKey, kind, ref.Qualifier)
	if err != nil {
		return v, modified, err
	}
	v, err = decode[T](r.Document)
	return v, r.Modified, err
}

func decode[T any](document string) (v T, err error) {
	err = json.Unmarshal([]byte(document), &v)
	return v, err
}

// after gives the qualifier of a place in a list of records, which begins with a dash so that it is never empty.
func after(place string) lambda.Qualifier { return lambda.Qualifier(strings.TrimPrefix(place, "-")) }

// pageOfRecords gives a page of a function's records of one kind, by qualifier, and the marker of the next one.
func pageOfRecords(ctx context.Context, s *Service, k lambda.FunctionKey, kind catalog.RecordKind, marker string, limit int) ([]catalog.Record, string, error) {
	place, err := readMarker(recordList, marker)
	if err != nil {
		return nil, "", err
	}
	size := pageSize(limit)
	list, err := s.catalog.ListRecords(ctx, k, kind, after(place), place == "", size+1)
	if err != nil {
		return nil, "", err
	}
	list, next := cut(list, size, func(r catalog.Record) string { return newMarker(recordList, "-"+string(r.Qualifier)) })
	return list, next, nil
}

// recordOwner names the function, version or alias that a record belongs to.
func recordOwner(r catalog.Record) lambda.FunctionRef {
	return lambda.FunctionRef{FunctionKey: r.Key, Qualifier: r.Qualifier}
}

// changeRecord lets change make a record out of the one that is there, nil when there is none. nil deletes it.
func changeRecord[T any](ctx context.Context, s *Service, ref lambda.FunctionRef, kind catalog.RecordKind, change func(*T) (*T, error)) (time.Time, error) {
	return changeRecordAt(ctx, s, s.now(), ref, kind, change)
}

// changeRecordAt does so at a moment that the record shows in other ways too.
func changeRecordAt[T any](ctx context.Context, s *Service, now time.Time, ref lambda.FunctionRef, kind catalog.RecordKind, change func(*T) (*T, error)) (time.Time, error) {
	r, err := s.catalog.UpdateRecord(ctx, ref.FunctionKey, kind, ref.Qualifier, false, func(r *catalog.Record) error {
		var old *T
		if r.Document != "" {
			v, err := decode[T](r.Document)
			if err != nil {
				return err
			}
			old = &v
		}
		v, err := change(old)
		if err != nil {
			return err
		}
		r.Document, r.Modified = "", now
		if v != nil {
			r.Document = policyText(v)
		}
		return nil
	})
	return r.Modified, err
}

// unlatest takes the qualifier $LATEST from a reference: its records are those of the function itself.
func unlatest(ref lambda.FunctionRef) lambda.FunctionRef {
	if ref.Qualifier == lambda.VersionLatest {
		ref.Qualifier = ""
	}
	return ref
}

// namedARN is the ARN of a record's owner, with $LATEST where there is no qualifier.
func namedARN(ref lambda.FunctionRef) string {
	if ref.Qualifier == "" {
		return ref.QualifiedARN(lambda.VersionLatest)
	}
	return ref.QualifiedARN(ref.Qualifier)
}
