package control

import (
	"context"
	"encoding/json"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

const staleFunctionPolicy = stale + "Call the GetPolicy API to retrieve the latest Revision Id"

// AddPermissionInput is the request of AddPermission.
type AddPermissionInput struct {
	Caller     lambda.Scope
	Ref        lambda.FunctionRef // a version or alias has a policy of its own
	Statement  catalog.Statement
	RevisionID lambda.RevisionID
}

// AddPermission lets others use a function; it gives the statement's text.
func (s *Service) AddPermission(ctx context.Context, in AddPermissionInput) (string, error) {
	if err := s.checkPolicyOwner(ctx, in.Caller, in.Ref); err != nil {
		return "", err
	}
	if principal(in.Statement.Principal, in.Ref.Partition) == nil {
		return "", lambda.Errorf(lambda.Invalid, "The provided principal was invalid. Please check the principal and try again.")
	}
	resource := in.Ref.QualifiedARN(in.Ref.Qualifier)
	err := s.updatePolicy(ctx, in.Ref, in.RevisionID, func(list []catalog.Statement) ([]catalog.Statement, error) {
		return addStatement(list, in.Statement, in.Ref.Partition, resource)
	})
	if err != nil {
		return "", kindText(err, lambda.NotFound, functionNotFound(in.Ref))
	}
	return printStatement(in.Statement, in.Ref.Partition, resource), nil
}

// checkPolicyOwner refuses what can have no policy.
func (s *Service) checkPolicyOwner(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	if err := Reach(caller, ref); err != nil {
		return err
	}
	if ref.Qualifier == lambda.VersionLatest {
		return lambda.Errorf(lambda.Invalid, "We currently do not support adding policies for $LATEST.")
	}
	whole := lambda.FunctionRef{FunctionKey: ref.FunctionKey}
	if _, err := s.find(ctx, caller, whole); err != nil {
		return err
	}
	number, version := ref.Qualifier.Number()
	switch {
	case ref.Qualifier == "":
		return nil
	case version:
		_, err := s.catalog.GetVersion(ctx, ref.FunctionKey, number)
		return kindText(err, lambda.NotFound, functionNotFound(ref))
	}
	_, err := s.GetAlias(ctx, caller, ref, ref.Qualifier)
	return err
}

// updatePolicy changes the statements of a function, version or alias.
func (s *Service) updatePolicy(ctx context.Context, ref lambda.FunctionRef, seen lambda.RevisionID, change func([]catalog.Statement) ([]catalog.Statement, error)) error {
	now := s.now()
	_, err := s.catalog.UpdateRecord(ctx, ref.FunctionKey, catalog.RecordPolicy, ref.Qualifier, true, func(r *catalog.Record) error {
		if seen != "" && seen != r.Owner {
			return lambda.Errorf(lambda.Stale, staleFunctionPolicy)
		}
		list, err := readStatements(r.Document)
		if err != nil {
			return err
		}
		if list, err = change(list); err != nil {
			return err
		}
		r.Modified, r.Document = now, ""
		if len(list) > 0 {
			r.Document = policyText(list)
		}
		return nil
	})
	return err
}

func readStatements(document string) ([]catalog.Statement, error) {
	var list []catalog.Statement
	if document == "" {
		return nil, nil
	}
	return list, json.Unmarshal([]byte(document), &list)
}

// GetPolicy gives the text of the policy of a function, version or alias, and the RevisionID of what it belongs to.
func (s *Service) GetPolicy(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (string, lambda.RevisionID, error) {
	if err := Reach(caller, ref); err != nil {
		return "", "", err
	}
	r, err := s.catalog.GetRecord(ctx, ref.FunctionKey, catalog.RecordPolicy, ref.Qualifier)
	if err != nil {
		return "", "", kindText(err, lambda.NotFound, noSuchResource)
	}
	list, err := readStatements(r.Document)
	if err != nil {
		return "", "", err
	}
	revision, err := s.ownRevision(ctx, ref)
	return printPolicy(list, ref.Partition, ref.QualifiedARN(ref.Qualifier)), revision, kindText(err, lambda.NotFound, noSuchResource)
}

// ownRevision gives the RevisionID of a function, a version, or an alias (and not of what the alias means).
func (s *Service) ownRevision(ctx context.Context, ref lambda.FunctionRef) (lambda.RevisionID, error) {
	number, version := ref.Qualifier.Number()
	switch {
	case ref.Qualifier == "":
		f, err := s.catalog.GetFunction(ctx, ref.FunctionKey)
		return f.RevisionID, err
	case version:
		v, err := s.catalog.GetVersion(ctx, ref.FunctionKey, number)
		return v.RevisionID, err
	}
	a, err := s.catalog.GetAlias(ctx, ref.FunctionKey, ref.Qualifier)
	return a.RevisionID, err
}

// RemovePermissionInput is the request of RemovePermission.
type RemovePermissionInput struct {
	Caller      lambda.Scope
	Ref         lambda.FunctionRef
	StatementID string
	RevisionID  lambda.RevisionID
}

// RemovePermission takes a statement back.
func (s *Service) RemovePermission(ctx context.Context, in RemovePermissionInput) error {
	if err := Reach(in.Caller, in.Ref); err != nil {
		return err
	}
	if _, err := s.ownRevision(ctx, in.Ref); err != nil {
		return kindText(err, lambda.NotFound, "No policy found for: "+in.Ref.QualifiedARN(in.Ref.Qualifier))
	}
	return s.updatePolicy(ctx, in.Ref, in.RevisionID, func(list []catalog.Statement) ([]catalog.Statement, error) {
		if len(list) == 0 {
			return nil, lambda.Errorf(lambda.NotFound, noPolicy)
		}
		return removeStatement(list, in.StatementID)
	})
}
