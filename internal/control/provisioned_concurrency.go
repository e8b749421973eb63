package control

import (
	"context"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// Provisioned concurrency is a record: AWS's arithmetic holds, and no environment is kept ready for it.

// ProvisionedConcurrency is what is provisioned for a version or an alias.
type ProvisionedConcurrency struct {
	Requested   int
	Ready       bool   // all of it is there
	Failure     string // why it never will be
	FunctionARN string // with its qualifier
	Modified    time.Time
}

// provisionedRecord is what the catalog keeps.
type provisionedRecord struct{ Requested int }

// PutProvisionedConcurrencyConfig provisions environments for a version or an alias; see PutFunctionConcurrency. (Two servers that
// provision a version at the same moment, one by its number and one by an alias, may both do so.)
func (s *Service) PutProvisionedConcurrencyConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, n int) (ProvisionedConcurrency, error) {
	const unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
	f, err := s.provisionable(ctx, caller, ref, unpublished)
	if err != nil {
		return ProvisionedConcurrency{}, err
	}
	if f.Version == lambda.VersionLatest {
		return ProvisionedConcurrency{}, lambda.Errorf(lambda.Invalid, unpublished)
	}
	if err := s.checkUnweighted(ctx, ref); err != nil {
		return ProvisionedConcurrency{}, err
	}
	s.provisioning.Lock()
	defer s.provisioning.Unlock()
	if err := s.checkProvisionedTwice(ctx, ref, f); err != nil {
		return ProvisionedConcurrency{}, err
	}
	now := s.now()
	r, err := s.catalog.UpdateProvisioned(ctx, ref.FunctionKey, ref.Qualifier, func(r *catalog.Record, shares catalog.Shares) error {
		if err := s.checkProvisionable(ref, shares, n); err != nil {
			return err
		}
		r.Document, r.Modified = policyText(provisionedRecord{n}), now
		return nil
	})
	return ProvisionedConcurrency{Requested: n, FunctionARN: ref.QualifiedARN(ref.Qualifier), Modified: r.Modified},
		kindText(err, lambda.NotFound, functionNotFound(ref))
}

// provisionable finds the version or alias of a request; the text is that about $LATEST.
func (s *Service) provisionable(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, latest string) (Described, error) {
	if err := Reach(caller, ref); err != nil {
		return Described{}, err
	}
	if ref.Qualifier == lambda.VersionLatest {
		return Described{}, lambda.Errorf(lambda.Invalid, "%s", latest)
	}
	if _, err := s.catalog.GetFunction(ctx, ref.FunctionKey); err != nil {
		return Described{}, kindText(err, lambda.NotFound, functionNotFound(ref))
	}
	if _, number := ref.Qualifier.Number(); !number {
		if _, err := s.GetAlias(ctx, caller, ref, ref.Qualifier); err != nil {
			return Described{}, err
		}
	}
	return s.describe(ctx, caller, ref)
}

// checkUnweighted refuses an alias that means two versions.
func (s *Service) checkUnweighted(ctx context.Context, ref lambda.FunctionRef) error {
	a, err := s.catalog.GetAlias(ctx, ref.FunctionKey, ref.Qualifier)
	if err == nil && a.Share != nil {
		return lambda.Errorf(lambda.Invalid, "Alias with weights can not be used with Provisioned Concurrency")
	}
	return unlessMissing(err) // a version is no alias
}

// checkProvisionedTwice refuses to provision a version both by its number and by an alias.
func (s *Service) checkProvisionedTwice(ctx context.Context, ref lambda.FunctionRef, f Described) error {
	if f.Version != ref.Qualifier { // an alias of the version
		_, _, err := readRecord[provisionedRecord](ctx, s, lambda.FunctionRef{FunctionKey: ref.FunctionKey, Qualifier: f.Version}, catalog.RecordProvisionedConcurrency)
		if err == nil {
			return lambda.Errorf(lambda.Conflict, "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
		}
		return unlessMissing(err)
	}
	list, err := s.provisionedOf(ctx, ref.FunctionKey)
	if err != nil {
		return err
	}
	number, _ := f.Version.Number()
	for q := range list {
		a, err := s.catalog.GetAlias(ctx, ref.FunctionKey, q)
		if err == nil && a.Version == number {
			return lambda.Errorf(lambda.Conflict, "Version is pointed by a Provisioned Concurrency alias")
		}
		if err := unlessMissing(err); err != nil {
			return err
		}
	}
	return nil
}

func unlessMissing(err error) error {
	if lambda.IsKind(err, lambda.NotFound) {
		return nil
	}
	return err
}

// checkProvisionable refuses more than the function has reserved, or else than the account has left.
func (s *Service) checkProvisionable(ref lambda.FunctionRef, shares catalog.Shares, n int) error {
	g, err := sharedOut(shares)
	if err != nil {
		return err
	}
	own := 0 // of the version or alias, until now
	for _, r := range shares.Provisioned {
		if r.Key == ref.FunctionKey && r.Qualifier == ref.Qualifier {
			v, err := decode[provisionedRecord](r.Document)
			if err != nil {
				return err
			}
			own = v.Requested
		}
	}
	if reserved, ok := shares.Reserved[ref.Name]; ok {
		if g.provisioned[ref.Name]-own+n > reserved {
			return lambda.Errorf(lambda.Invalid, "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function").WithoutType()
		}
		return nil
	}
	left := int64(s.concurrency) - g.taken + int64(own)
	switch least := s.leastUnreserved(); {
	case int64(n) > left:
		return lambda.Errorf(lambda.Invalid, "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [%d].", left).WithoutType()
	case left-int64(n) < least:
		return lambda.Errorf(lambda.Invalid, "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "+
			"below its minimum value of [%d].", least).WithoutType()
	}
	return nil
}

// provisionedOf gives what is provisioned for each version and alias of a function.
func (s *Service) provisionedOf(ctx context.Context, k lambda.FunctionKey) (map[lambda.Qualifier]int, error) {
	all := map[lambda.Qualifier]int{}
	for marker, more := "", true; more; more = marker != "" {
		list, next, err := pageOfRecords(ctx, s, k, catalog.RecordProvisionedConcurrency, marker, 0)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			v, err := decode[provisionedRecord](r.Document)
			if err != nil {
				return nil, err
			}
			all[r.Qualifier] = v.Requested
		}
		marker = next
	}
	return all, nil
}

// GetProvisionedConcurrencyConfig gives what is provisioned for a version or an alias; kind Unprovisioned when nothing is.
func (s *Service) GetProvisionedConcurrencyConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (ProvisionedConcurrency, error) {
	f, err := s.provisionable(ctx, caller, ref, notProvisionable)
	if err != nil {
		return ProvisionedConcurrency{}, err
	}
	v, modified, err := readRecord[provisionedRecord](ctx, s, ref, catalog.RecordProvisionedConcurrency)
	if lambda.IsKind(err, lambda.NotFound) {
		err = &lambda.Error{Kind: lambda.Unprovisioned, Message: "No Provisioned Concurrency Config found for this function", Err: err}
	}
	return provisioned(f, ref, v, modified), err
}

const notProvisionable = "The function resource provided must be an alias or a published version."

// provisioned is what a record means now: it is ready once the version is.
func provisioned(f Described, ref lambda.FunctionRef, v provisionedRecord, modified time.Time) ProvisionedConcurrency {
	p := ProvisionedConcurrency{Requested: v.Requested, FunctionARN: ref.QualifiedARN(ref.Qualifier), Modified: modified}
	switch f.State {
	case lambda.StateActive:
		p.Ready = true
	case lambda.StateFailed:
		p.Failure = "FUNCTION_ERROR_INIT_FAILURE"
	}
	return p
}

// DeleteProvisionedConcurrencyConfig gives back what is provisioned; where nothing is, AWS answers that it did so too.
func (s *Service) DeleteProvisionedConcurrencyConfig(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if _, err := s.provisionable(ctx, caller, ref, notProvisionable); err != nil {
		return err
	}
	_, err := changeRecord(ctx, s, ref, catalog.RecordProvisionedConcurrency,
		func(*provisionedRecord) (*provisionedRecord, error) { return nil, nil })
	return kindText(err, lambda.NotFound, functionNotFound(ref))
}

// ProvisionedPage is a page of what is provisioned, by qualifier. NextMarker is "" on the last page.
type ProvisionedPage struct {
	Configs    []ProvisionedConcurrency
	NextMarker string
}

// ListProvisionedConcurrencyConfigs gives what is provisioned for all versions and aliases of a function.
func (s *Service) ListProvisionedConcurrencyConfigs(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef, marker string, limit int) (ProvisionedPage, error) {
	if _, err := s.find(ctx, caller, ref); err != nil {
		return ProvisionedPage{}, err
	}
	list, next, err := pageOfRecords(ctx, s, ref.FunctionKey, catalog.RecordProvisionedConcurrency, marker, limit)
	if err != nil {
		return ProvisionedPage{}, err
	}
	page := ProvisionedPage{NextMarker: next}
	for _, r := range list {
		v, err := decode[provisionedRecord](r.Document)
		if err != nil {
			return ProvisionedPage{}, err
		}
		f, err := s.describe(ctx, caller, recordOwner(r))
		if lambda.IsKind(err, lambda.NotFound) { // deleted since
			continue
		}
		if err != nil {
			return ProvisionedPage{}, err
		}
		page.Configs = append(page.Configs, provisioned(f, recordOwner(r), v, r.Modified))
	}
	return page, nil
}
