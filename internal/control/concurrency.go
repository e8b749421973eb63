package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// minUnreserved is what AWS keeps for the functions that have reserved nothing.
const minUnreserved = 100

// PutFunctionConcurrency reserves concurrent invocations for a function; 0 lets none run. What is looked at and what is recorded
// are one transaction, so that several servers never give away more than the account has.
func (s *Service) PutFunctionConcurrency(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, n int) error {
	if _, err := s.findWhole(ctx, caller, ref, lambda.VersionLatest); err != nil {
		return err
	}
	_, err := s.catalog.UpdateReserved(ctx, ref.FunctionKey, func(f *catalog.Function, shares catalog.Shares) error {
		if err := s.checkReservable(f, shares, n); err != nil {
			return err
		}
		f.Reserved = &n
		return nil
	})
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}

// checkReservable refuses less than is provisioned for the function, and more than the account has left.
func (s *Service) checkReservable(f *catalog.Function, shares catalog.Shares, n int) error {
	given, err := sharedOut(shares)
	if err != nil {
		return err
	}
	own := given.provisioned[f.Key.Name]
	if n < own { // the blanks are AWS's
		return lambda.Errorf(lambda.Invalid, " ReservedConcurrentExecutions  %d should not be lower than function's total provisioned concurrency [%d].",
			n, own).WithoutType()
	}
	if f.Reserved != nil {
		own = *f.Reserved
	}
	left := int64(s.concurrency) - given.taken + int64(own)
	if least := s.leastUnreserved(); left-int64(n) < least {
		return lambda.Errorf(lambda.Invalid, "Specified ReservedConcurrentExecutions for function decreases account's "+
			"UnreservedConcurrentExecution below its minimum value of [%d].", least).WithoutType()
	}
	return nil
}

// leastUnreserved is what has to be left to the functions that have reserved nothing.
func (s *Service) leastUnreserved() int64 { return min(minUnreserved, int64(s.concurrency)) }

// givenAway is how much of an account's concurrency is some function's own.
type givenAway struct {
	provisioned map[lambda.FunctionName]int // for all versions and aliases of a function
	taken       int64                       // what is reserved, and what is provisioned for functions that have reserved nothing
}

func sharedOut(shares catalog.Shares) (givenAway, error) {
	g := givenAway{provisioned: map[lambda.FunctionName]int{}}
	for _, r := range shares.Provisioned {
		v, err := decode[provisionedRecord](r.Document)
		if err != nil {
			return g, err
		}
		g.provisioned[r.Key.Name] += v.Requested
		if _, reserved := shares.Reserved[r.Key.Name]; !reserved {
			g.taken += int64(v.Requested)
		}
	}
	for _, n := range shares.Reserved {
		g.taken += int64(n)
	}
	return g, nil
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
	_, err := s.catalog.UpdateFunction(ctx, ref.FunctionKey, 0, func(f *catalog.Function) error {
		f.Reserved = nil
		return nil
	})
	return kindText(err, lambda.NotFound, functionNotFound(ref))
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
	shares, err := s.catalog.Shares(ctx, caller)
	if err != nil {
		return AccountSettings{}, err
	}
	g, err := sharedOut(shares)
	return AccountSettings{int64(s.concurrency), int64(s.concurrency) - g.taken, s.limits, u}, err
}
