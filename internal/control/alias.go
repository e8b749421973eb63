package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Weights is what a request says of the versions beside an alias's own.
type Weights map[lambda.Qualifier]float64

// CreateAliasInput is the request of CreateAlias.
type CreateAliasInput struct {
	Caller      lambda.Scope
	Ref         lambda.FunctionRef
	Name        lambda.Qualifier
	Version     lambda.Qualifier
	Description string
	Weights     Weights
}

// CreateAlias names a version.
func (s *Service) CreateAlias(ctx context.Context, in CreateAliasInput) (catalog.Alias, error) {
	if err := Reach(in.Caller, in.Ref); err != nil {
		return catalog.Alias{}, err
	}
	a := catalog.Alias{Key: in.Ref.FunctionKey, Name: in.Name, Description: in.Description}
	a.Version, _ = in.Version.Number()
	var err error
	if a.Share, err = s.share(ctx, a, in.Weights); err != nil {
		return catalog.Alias{}, err
	}
	a, err = s.catalog.InsertAlias(ctx, a)
	arn := in.Ref.QualifiedARN(in.Name)
	return a, kindText(kindText(err, lambda.Conflict, "Alias already exists: "+arn), lambda.NotFound, "Function not found: "+in.Ref.QualifiedARN(in.Version))
}

// share reads weights, nil when there are none, and refuses those that an alias cannot have.
func (s *Service) share(ctx context.Context, a catalog.Alias, w Weights) (*catalog.Share, error) {
	if len(w) > 1 {
		return nil, lambda.Errorf(lambda.Invalid, "Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for q, weight := range w {
		if a.Version == 0 {
			return nil, lambda.Errorf(lambda.Invalid, "$LATEST is not supported for an alias pointing to more than 1 version").WithoutType()
		}
		number, _ := q.Number()
		if number == a.Version {
			return nil, lambda.Errorf(lambda.Invalid,
				"Invalid function version %d. Function version %d is already included in routing configuration.", number, number)
		}
		other, err := s.catalog.GetVersion(ctx, a.Key, number)
		if err != nil {
			return nil, kindText(err, lambda.NotFound, "Function not found: "+a.Key.QualifiedARN(q))
		}
		own, err := s.catalog.GetVersion(ctx, a.Key, a.Version)
		if err := unlessMissing(err); err != nil { // that it is missing is said later
			return nil, err
		}
		if err == nil && own.Revision.Config.Role != other.Revision.Config.Role {
			return nil, lambda.Errorf(lambda.Invalid, "Specified versions must be associated with the same execution role")
		}
		return &catalog.Share{Version: number, Weight: weight}, nil
	}
	return nil, nil
}

// GetAlias gives an alias.
func (s *Service) GetAlias(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, name lambda.Qualifier) (catalog.Alias, error) {
	if err := Reach(caller, ref); err != nil {
		return catalog.Alias{}, err
	}
	a, err := s.catalog.GetAlias(ctx, ref.FunctionKey, name)
	return a, kindText(err, lambda.NotFound, "Cannot find alias arn: "+ref.QualifiedARN(name))
}

// UpdateAliasInput is the request of UpdateAlias; a nil member stays as it is.
type UpdateAliasInput struct {
	Caller      lambda.Scope
	Ref         lambda.FunctionRef
	Name        lambda.Qualifier
	Version     *lambda.Qualifier
	Description *string
	Weights     *Weights // empty ones remove the share
	RevisionID  lambda.RevisionID
}

// UpdateAlias changes an alias.
func (s *Service) UpdateAlias(ctx context.Context, in UpdateAliasInput) (catalog.Alias, error) {
	if err := Reach(in.Caller, in.Ref); err != nil {
		return catalog.Alias{}, err
	}
	notFound := "Alias not found: " + in.Ref.QualifiedARN(in.Name)
	next, err := s.catalog.GetAlias(ctx, in.Ref.FunctionKey, in.Name)
	if err != nil {
		return catalog.Alias{}, kindText(err, lambda.NotFound, notFound)
	}
	seen := next.RevisionID
	if err := checkSeen(in.RevisionID, seen); err != nil {
		return catalog.Alias{}, err
	}
	if next, err = s.changeAlias(ctx, next, in); err != nil {
		return catalog.Alias{}, err
	}
	a, err := s.catalog.UpdateAlias(ctx, in.Ref.FunctionKey, in.Name, func(a *catalog.Alias) error {
		if a.RevisionID != seen { // somebody was faster: what was checked may not hold
			return lambda.Errorf(lambda.Stale, staleFunction)
		}
		*a = next
		return nil
	})
	return a, kindText(err, lambda.NotFound, notFound)
}

// changeAlias lays the members that were sent over an alias.
func (s *Service) changeAlias(ctx context.Context, a catalog.Alias, in UpdateAliasInput) (catalog.Alias, error) {
	set(&a.Description, in.Description)
	if in.Version != nil {
		a.Version, _ = in.Version.Number()
		if a.Version != 0 {
			if _, err := s.catalog.GetVersion(ctx, a.Key, a.Version); err != nil {
				return a, kindText(err, lambda.NotFound, "Function not found: "+a.Key.QualifiedARN(*in.Version))
			}
		}
	}
	w := Weights{}
	if in.Weights != nil {
		w = *in.Weights
	} else if a.Share != nil {
		w[lambda.VersionNumber(a.Share.Version)] = a.Share.Weight
	}
	var err error
	a.Share, err = s.share(ctx, a, w)
	return a, err
}

// DeleteAlias forgets an alias; AWS answers that it did so too when there is no such alias.
func (s *Service) DeleteAlias(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, name lambda.Qualifier) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	return s.catalog.DeleteAlias(ctx, ref.FunctionKey, name)
}

// ListAliasesInput is the request of ListAliases.
type ListAliasesInput struct {
	Caller  lambda.Scope
	Ref     lambda.FunctionRef
	Version lambda.Qualifier // "": aliases of all versions
	Marker  string           // as in ListFunctionsInput
	Limit   int              // likewise
}

// AliasPage is a page of aliases by name. NextMarker is "" on the last page.
type AliasPage struct {
	Aliases    []catalog.Alias
	NextMarker string
}

// ListAliases gives the aliases of a function.
func (s *Service) ListAliases(ctx context.Context, in ListAliasesInput) (AliasPage, error) {
	if _, err := s.find(ctx, in.Caller, in.Ref); err != nil {
		return AliasPage{}, err
	}
	after, err := readMarker(aliasList, in.Marker)
	if err != nil {
		return AliasPage{}, err
	}
	version := int64(-1)
	if in.Version != "" {
		version, _ = in.Version.Number()
	}
	size := pageSize(in.Limit)
	list, err := s.catalog.ListAliases(ctx, in.Ref.FunctionKey, version, lambda.Qualifier(after), size+1)
	if err != nil {
		return AliasPage{}, err
	}
	var page AliasPage
	page.Aliases, page.NextMarker = cut(list, size, func(a catalog.Alias) string { return newMarker(aliasList, string(a.Name)) })
	return page, nil
}
