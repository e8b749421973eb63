package control

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

// GetFunction gives a function as its qualifier shows it. Callers must not change what it points to.
func (s *Service) GetFunction(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (Described, error) {
	return s.describe(ctx, caller, ref)
}

// DeleteFunction forgets a function, or one version of it. A version that is not there counts as deleted, as long as its
// function is there.
func (s *Service) DeleteFunction(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	whole := lambda.FunctionRef{FunctionKey: ref.FunctionKey} // AWS's text never names the qualifier here
	switch {
	case ref.Qualifier == "":
		return kindText(s.catalog.DeleteFunction(ctx, ref.FunctionKey), lambda.NotFound, functionNotFound(whole))
	case ref.Qualifier == lambda.VersionLatest:
		return lambda.Errorf(lambda.Invalid, "$LATEST version cannot be deleted without deleting the function.")
	}
	number, ok := ref.Qualifier.Number()
	if !ok {
		return lambda.Errorf(lambda.Invalid, "Deletion of aliases is not currently supported.")
	}
	if _, err := s.find(ctx, caller, whole); err != nil {
		return err
	}
	return s.deleteVersion(ctx, ref.FunctionKey, number)
}

// ListFunctionsInput is the request of ListFunctions.
type ListFunctionsInput struct {
	Caller lambda.Scope
	All    bool   // published versions too
	Marker string // NextMarker of the page before, "" for the first page
	Limit  int    // 0: the longest page; longer than that is cut
}

// FunctionPage is a page of functions by name, or of versions. NextMarker is "" on the last page.
type FunctionPage struct {
	Functions  []Described
	NextMarker string
}

// ListFunctions gives the functions of an account and region by name; with All each is followed by its versions.
func (s *Service) ListFunctions(ctx context.Context, in ListFunctionsInput) (FunctionPage, error) {
	place, err := readMarker(functionList, in.Marker)
	if err != nil {
		return FunctionPage{}, err
	}
	name, number, err := readFunctionPlace(place)
	if err != nil {
		return FunctionPage{}, lambda.Errorf(lambda.Invalid, "Invalid marker: %s", in.Marker)
	}
	size := pageSize(in.Limit)
	var list []Described
	if in.All && name != "" { // the rest of the versions of the function that the page before ended in
		list, err = s.restOfVersions(ctx, lambda.FunctionKey{Scope: in.Caller, Name: name}, number, size+1)
	}
	if err == nil && len(list) <= size {
		list, err = s.listFunctions(ctx, in, name, list, size+1)
	}
	if err != nil {
		return FunctionPage{}, err
	}
	var page FunctionPage
	page.Functions, page.NextMarker = cut(list, size, func(f Described) string {
		return newMarker(functionList, functionPlace(f, in.All))
	})
	return page, nil
}

// listFunctions adds the functions after a name to a list until it has limit items.
func (s *Service) listFunctions(ctx context.Context, in ListFunctionsInput, after lambda.FunctionName, list []Described, limit int) ([]Described, error) {
	functions, err := s.catalog.ListFunctions(ctx, in.Caller, after, limit-len(list))
	if err != nil {
		return nil, err
	}
	list = slices.Grow(list, len(functions))
	for _, f := range functions {
		if len(list) >= limit {
			break
		}
		list = append(list, latest(f))
		if !in.All || f.Newest == 0 || len(list) >= limit {
			continue
		}
		versions, err := s.catalog.ListVersions(ctx, f.Key, 0, limit-len(list))
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			list = append(list, published(f, v))
		}
	}
	return list, nil
}

// restOfVersions gives the versions after one of a function, which may be gone by now.
func (s *Service) restOfVersions(ctx context.Context, k lambda.FunctionKey, after int64, limit int) ([]Described, error) {
	f, err := s.catalog.GetFunction(ctx, k)
	if lambda.IsKind(err, lambda.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	versions, err := s.catalog.ListVersions(ctx, k, after, limit)
	var list []Described
	for _, v := range versions {
		list = append(list, published(f, v))
	}
	return list, err
}

// A place in a list of functions is a name; in one with versions the name and the number after which it goes on.
func functionPlace(f Described, all bool) string {
	if !all {
		return string(f.Key.Name)
	}
	number, _ := f.Version.Number() // of $LATEST: 0
	return fmt.Sprintf("%s %d", f.Key.Name, number)
}

func readFunctionPlace(place string) (name lambda.FunctionName, number int64, err error) {
	text, after, all := strings.Cut(place, " ")
	if all {
		number, err = strconv.ParseInt(after, 10, 64)
	}
	return lambda.FunctionName(text), number, err
}
