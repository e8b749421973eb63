package control

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Described is a function as a qualifier shows it: Latest is the revision that the version has, and RevisionID, states and
// description are the version's.
type Described struct {
	catalog.Function
	Version lambda.Qualifier // lambda.VersionLatest or a number
}

func latest(f catalog.Function) Described { return Described{f, lambda.VersionLatest} }

func published(f catalog.Function, v catalog.Version) Described {
	f.Latest, f.RevisionID, f.State, f.StateReason = v.Revision, v.RevisionID, v.State, v.StateReason
	f.Latest.Config.Description = v.Description
	f.UpdateStatus, f.UpdateReason = "", catalog.Reason{}
	if v.State == lambda.StateActive {
		f.UpdateStatus = lambda.UpdateSuccessful
	}
	return Described{f, lambda.VersionNumber(v.Number)}
}

// describe gives what a request's function and qualifier mean.
func (s *Service) describe(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (Described, error) {
	if err := Reach(caller, ref); err != nil {
		return Described{}, err
	}
	notFound := functionNotFound(ref)
	f, err := s.catalog.GetFunction(ctx, ref.FunctionKey)
	if err != nil {
		return Described{}, kindText(err, lambda.NotFound, notFound)
	}
	if ref.Qualifier == "" || ref.Qualifier == lambda.VersionLatest {
		return latest(f), nil
	}
	number, ok := ref.Qualifier.Number()
	if !ok {
		a, err := s.catalog.GetAlias(ctx, ref.FunctionKey, ref.Qualifier)
		if err != nil {
			return Described{}, kindText(err, lambda.NotFound, notFound)
		}
		if a.Version == 0 {
			return latest(f), nil
		}
		number = a.Version
	}
	v, err := s.catalog.GetVersion(ctx, ref.FunctionKey, number)
	if err != nil {
		return Described{}, kindText(err, lambda.NotFound, notFound)
	}
	return published(f, v), nil
}

// sameContent reports whether publishing b after a would publish nothing new.
func sameContent(a, b lambda.Revision) bool {
	return a.Code == b.Code && reflect.DeepEqual(a.Config, b.Config) && reflect.DeepEqual(a.Layers, b.Layers)
}

// PublishVersionInput is the request of PublishVersion.
type PublishVersionInput struct {
	Caller      lambda.Scope
	Ref         lambda.FunctionRef
	CodeSHA256  string  // of the code that the caller means to publish, "" for any
	Description *string // nil: the function's
	RevisionID  lambda.RevisionID
	NotBuilt    []string // as in CreateFunctionInput
}

// PublishVersion gives the newest revision of a function a number. One that has not changed since it was published last keeps
// its number.
func (s *Service) PublishVersion(ctx context.Context, in PublishVersionInput) (Described, error) {
	if _, err := s.findLatest(ctx, in.Caller, in.Ref); err != nil {
		return Described{}, err
	}
	if err := checkMembers(in.NotBuilt); err != nil {
		return Described{}, err
	}
	f, v, err := s.catalog.PublishVersion(ctx, in.Ref.FunctionKey, s.limits.CodeStorage, func(f *catalog.Function, newest *catalog.Version) (*catalog.Version, error) {
		if err := checkUpdatable(*f, in.RevisionID); err != nil {
			return nil, err
		}
		if sum := f.Latest.Code.Digest.Base64(); in.CodeSHA256 != "" && in.CodeSHA256 != sum {
			return nil, lambda.Errorf(lambda.Invalid, "CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). "+
				"Please try again with the CodeSHA256 in $LATEST.", in.CodeSHA256, sum)
		}
		if newest != nil && sameContent(newest.Revision, f.Latest) {
			return nil, nil
		}
		v := &catalog.Version{Description: f.Latest.Config.Description, State: f.State, StateReason: f.StateReason}
		set(&v.Description, in.Description)
		return v, nil
	})
	if err != nil {
		return Described{}, storageText(kindText(err, lambda.NotFound, functionNotFound(in.Ref)))
	}
	return published(f, v), nil
}

// ListVersionsInput is the request of ListVersionsByFunction.
type ListVersionsInput struct {
	Caller lambda.Scope
	Ref    lambda.FunctionRef
	Marker string // as in ListFunctionsInput
	Limit  int    // likewise
}

// ListVersions gives $LATEST and then a function's versions, ascending.
func (s *Service) ListVersions(ctx context.Context, in ListVersionsInput) (FunctionPage, error) {
	f, err := s.find(ctx, in.Caller, in.Ref)
	if err != nil {
		return FunctionPage{}, err
	}
	place, err := readMarker(versionList, in.Marker)
	if err != nil {
		return FunctionPage{}, err
	}
	var after int64
	var list []Described
	if place == "" {
		list = append(list, latest(f))
	} else if after, err = strconv.ParseInt(place, 10, 64); err != nil {
		return FunctionPage{}, lambda.Errorf(lambda.Invalid, "Invalid marker: %s", in.Marker)
	}
	size := pageSize(in.Limit)
	versions, err := s.catalog.ListVersions(ctx, in.Ref.FunctionKey, after, size+1-len(list))
	if err != nil {
		return FunctionPage{}, err
	}
	for _, v := range versions {
		list = append(list, published(f, v))
	}
	var page FunctionPage
	page.Functions, page.NextMarker = cut(list, size, func(d Described) string {
		number, _ := d.Version.Number() // of $LATEST: 0
		return newMarker(versionList, strconv.FormatInt(number, 10))
	})
	return page, nil
}

// deleteVersion forgets a version that no alias means.
func (s *Service) deleteVersion(ctx context.Context, k lambda.FunctionKey, number int64) error {
	err := s.catalog.DeleteVersion(ctx, k, number)
	if !lambda.IsKind(err, lambda.Conflict) {
		return err
	}
	aliases, listErr := s.catalog.ListAliases(ctx, k, number, "", lambda.MaxPageSize)
	if listErr != nil {
		return listErr
	}
	names := make([]string, len(aliases))
	for i, a := range aliases {
		names[i] = string(a.Name)
	}
	return kindText(err, lambda.Conflict, "Unable to delete version because the following aliases reference it: ["+strings.Join(names, ", ")+"]")
}
