package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// minUnreserved is what AWS keeps for the functions that have reserved nothing.
const minUnreserved = 100

// PutFunctionConcurrency reserves concurrent invocations for a function; 0 lets none run. Two servers that do so for two
// functions of one account at the same moment can reserve more together than the account has.
func (s *Service) PutFunctionConcurrency(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, n int) error {
	f, err := s.findWhole(ctx, caller, ref, lambda.VersionLatest)
	if err != nil {
		return err
	}
	s.reserving.Lock()
	defer s.reserving.Unlock()
	reserved, err := s.catalog.Reserved(ctx, caller)
	if err != nil {
		return err
	}
	if f, err = s.catalog.GetFunction(ctx, ref.FunctionKey); err != nil {
		return kindText(err, lambda.NotFound, functionNotFound(ref))
	}
	if f.Reserved != nil {
		reserved -= int64(*f.Reserved)
	}
	rest, least := int64(s.concurrency)-reserved-int64(n), min(minUnreserved, int64(s.concurrency))
	if rest < least {
		return lambda.Errorf(lambda.Invalid, "Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", least).WithoutType()
	}
	return s.reserve(ctx, ref, &n)
}

// GetFunctionConcurrency gives what a function has reserved, nil when nothing.
func (s *Service) GetFunctionConcurrency(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (*int, error) {
	f, err := s.findWhole(ctx, caller, ref, "")
	return f.Reserved, err
}

// DeleteFunctionConcurrency gives back what a function has reserved.
func (s *Service) DeleteFunctionConcurrency(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if _, err := s.findWhole(ctx, caller, ref, ""); err != nil {
		return err
	}
	return s.reserve(ctx, ref, nil)
}

// findWhole gives a function that may not be named with a qualifier. A text that it is not there ends in a qualifier or none,
// as AWS has it for the operation.
func (s *Service) findWhole(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, shown lambda.Qualifier) (catalog.Function, error) {
	if err := Reach(caller, ref); err != nil {
		return catalog.Function{}, err
	}
	if ref.Qualifier != "" {
		return catalog.Function{}, lambda.Errorf(lambda.Invalid, "This operation is permitted on Lambda functions only. Aliases and "+
			"versions do not support this operation. Please specify either a function name or an unqualified function ARN.")
	}
	f, err := s.catalog.GetFunction(ctx, ref.FunctionKey)
	return f, kindText(err, lambda.NotFound, "Function not found: "+ref.QualifiedARN(shown))
}

func (s *Service) reserve(ctx context.Context, ref lambda.FunctionRef, n *int) error {
	_, err := s.catalog.UpdateFunction(ctx, ref.FunctionKey, 0, func(f *catalog.Function) error {
		f.Reserved = n
		return nil
	})
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}

// AccountSettings is what an account may have in a region, and what it has.
type AccountSettings struct {
	Concurrency int64
	catalog.Usage
}

// GetAccountSettings gives an account's limits and usage.
func (s *Service) GetAccountSettings(ctx context.Context, caller lambda.Scope) (AccountSettings, error) {
	u, err := s.catalog.Usage(ctx, caller)
	return AccountSettings{int64(s.concurrency), u}, err
}
