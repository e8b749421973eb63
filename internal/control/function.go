package control

import (
	"context"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// GetFunction gives a function. Callers must not change what it points to.
func (s *Service) GetFunction(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (catalog.Function, error) {
	return s.find(ctx, caller, ref)
}

// DeleteFunction forgets a function. A version that is not there counts as deleted, as long as its function is there.
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
	case strings.Trim(string(ref.Qualifier), "0123456789") != "":
		return lambda.Errorf(lambda.Invalid, "Deletion of aliases is not currently supported.")
	}
	_, err := s.find(ctx, caller, whole)
	return err
}

// ListFunctionsInput is the request of ListFunctions.
type ListFunctionsInput struct {
	Caller lambda.Scope
	Marker string // NextMarker of the page before, "" for the first page
	Limit  int    // 0: the longest page; longer than that is cut
}

// FunctionPage is a page of functions by name. NextMarker is "" on the last page.
type FunctionPage struct {
	Functions  []catalog.Function
	NextMarker string
}

// ListFunctions gives the functions of an account and region by name.
func (s *Service) ListFunctions(ctx context.Context, in ListFunctionsInput) (FunctionPage, error) {
	after, err := readMarker(functionList, in.Marker)
	if err != nil {
		return FunctionPage{}, err
	}
	size := pageSize(in.Limit)
	list, err := s.catalog.ListFunctions(ctx, in.Caller, lambda.FunctionName(after), size+1)
	if err != nil {
		return FunctionPage{}, err
	}
	var page FunctionPage
	page.Functions, page.NextMarker = cut(list, size, func(f catalog.Function) string {
		return newMarker(functionList, string(f.Key.Name))
	})
	return page, nil
}
