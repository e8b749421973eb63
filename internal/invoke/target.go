package invoke

import (
	"context"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// target is where an invocation goes.
type target struct {
	function catalog.Function
	version  lambda.Qualifier // lambda.VersionLatest or a number
	revision *lambda.Revision
	state    lambda.State
}

// resolve finds what a reference means: $LATEST, a version, or one of the versions of an alias.
func (s *Service) resolve(ctx context.Context, ref lambda.FunctionRef) (target, error) {
	at, err := s.target(ctx, ref)
	if err == nil {
		return at, nil
	}
	if lambda.IsKind(err, lambda.NotFound) {
		q := ref.Qualifier
		if q == "" {
			q = lambda.VersionLatest
		}
		return at, &lambda.Error{Kind: lambda.NotFound, Message: "Function not found: " + ref.QualifiedARN(q), Err: err}
	}
	return at, fmt.Errorf("cannot look up %s: %w", ref.ARN(), err)
}

func (s *Service) target(ctx context.Context, ref lambda.FunctionRef) (target, error) {
	fn, err := s.functions.GetFunction(ctx, ref.FunctionKey)
	if err != nil {
		return target{}, err
	}
	number, ok := ref.Qualifier.Number()
	if !ok && ref.Qualifier != "" && ref.Qualifier != lambda.VersionLatest {
		a, err := s.functions.GetAlias(ctx, ref.FunctionKey, ref.Qualifier)
		if err != nil {
			return target{}, err
		}
		number, ok = s.route(a), true
		if number == 0 { // an alias of $LATEST
			ok = false
		}
	}
	if !ok {
		return target{fn, lambda.VersionLatest, &fn.Latest, fn.State}, nil
	}
	v, err := s.functions.GetVersion(ctx, ref.FunctionKey, number)
	return target{fn, lambda.VersionNumber(number), &v.Revision, v.State}, err
}

// route gives the version that one invocation of an alias goes to.
func (s *Service) route(a catalog.Alias) int64 {
	if a.Share != nil && s.rand() < a.Share.Weight {
		return a.Share.Version
	}
	return a.Version
}

// ready refuses what cannot run in its state.
func (t target) ready() error {
	if t.state == lambda.StateActive {
		return nil
	}
	return lambda.Errorf(lambda.NotReady,
		"The operation cannot be performed at this time. The function is currently in the following state: %s", t.state)
}
