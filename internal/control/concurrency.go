package control

import (
	"cmp"
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
	provisioned, err := s.provisionedTotal(ctx, ref.FunctionKey)
	if err != nil {
		return err
	}
	if n < provisioned { // the blanks are AWS's
		return lambda.Errorf(lambda.Invalid, " ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].",
			n, provisioned).WithoutType()
	}
	taken, err := s.taken(ctx, caller)
	if err != nil {
		return err
	}
	if f, err = s.catalog.GetFunction(ctx, ref.FunctionKey); err != nil {
		return kindText(err, lambda.NotFound, functionNotFound(ref))
	}
	own := int64(provisioned) // what the function has of it
	if f.Reserved != nil {
		own = int64(*f.Reserved)
	}
	taken -= own
	if least := s.leastUnreserved(); int64(s.concurrency)-taken-int64(n) < least {
		return lambda.Errorf(lambda.Invalid, "Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", least).WithoutType()
	}
	return s.reserve(ctx, ref, &n)
}

// leastUnreserved is what has to be left to the functions that have reserved nothing.
func (s *Service) leastUnreserved() int64 { return min(minUnreserved, int64(s.concurrency)) }

// taken gives how much of an account's concurrency is some function's own: what is reserved, and what is provisioned for
// functions that have reserved nothing.
func (s *Service) taken(ctx context.Context, scope lambda.Scope) (int64, error) {
	n, err := s.catalog.Reserved(ctx, scope)
	if err != nil {
		return 0, err
	}
	list, err := s.catalog.RecordsOf(ctx, scope, catalog.RecordProvisionedConcurrency)
	if err != nil {
		return 0, err
	}
	for _, r := range list {
		f, err := s.catalog.GetFunction(ctx, r.Key)
		if lambda.IsKind(err, lambda.NotFound) { // deleted since
			continue
		}
		v, decodeErr := decode[provisionedRecord](r.Document)
		if err := cmp.Or(err, decodeErr); err != nil {
			return 0, err
		}
		if f.Reserved == nil {
			n += int64(v.Requested)
		}
	}
	return n, nil
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
	Unreserved  int64 // of Concurrency, what is no function's own
	Limits      lambda.Limits
	catalog.Usage
}

// GetAccountSettings gives an account's limits and usage.
func (s *Service) GetAccountSettings(ctx context.Context, caller lambda.Scope) (AccountSettings, error) {
	u, err := s.catalog.Usage(ctx, caller)
	if err != nil {
		return AccountSettings{}, err
	}
	taken, err := s.taken(ctx, caller)
	return AccountSettings{int64(s.concurrency), int64(s.concurrency) - taken, s.limits, u}, err
}
