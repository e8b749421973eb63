package control

import (
	"context"
	"fmt"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

const staleLayerPolicy = stale + "Call the GetLayerPolicy API to retrieve the latest Revision Id"

// AddLayerVersionPermissionInput is the request of AddLayerVersionPermission.
type AddLayerVersionPermissionInput struct {
	Caller     lambda.Scope
	ARN        lambda.LayerVersionARN
	Statement  catalog.Statement
	RevisionID lambda.RevisionID
}

// AddLayerVersionPermission lets others read a layer version; it gives the statement's text and the policy's RevisionID.
func (s *Service) AddLayerVersionPermission(ctx context.Context, in AddLayerVersionPermissionInput) (string, lambda.RevisionID, error) {
	if err := ownLayer(in.Caller, in.ARN, "AddLayerVersionPermission"); err != nil {
		return "", "", err
	}
	if in.Statement.Organisation != "" && in.Statement.Principal != "*" {
		return "", "", lambda.Errorf(lambda.Invalid, "OrganizationId can only be given with the principal *.")
	}
	resource := in.ARN.String()
	p, err := s.catalog.UpdateLayerPolicy(ctx, in.ARN, func(p *catalog.Policy) (err error) {
		if err := checkLayerPolicy(in.RevisionID, p.RevisionID); err != nil {
			return err
		}
		p.Statements, err = addStatement(p.Statements, in.Statement, in.ARN.Partition, resource)
		return err
	})
	if err != nil {
		return "", "", kindText(err, lambda.NotFound, layerVersionMissing(in.ARN))
	}
	return printStatement(in.Statement, in.ARN.Partition, resource), p.RevisionID, nil
}

// GetLayerVersionPolicy gives the text of a layer version's policy and its RevisionID.
func (s *Service) GetLayerVersionPolicy(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) (string, lambda.RevisionID, error) {
	if err := ownLayer(caller, arn, "GetLayerVersionPolicy"); err != nil {
		return "", "", err
	}
	p, err := s.catalog.GetLayerPolicy(ctx, arn)
	if err != nil {
		return "", "", kindText(err, lambda.NotFound, layerVersionMissing(arn))
	}
	if len(p.Statements) == 0 {
		return "", "", lambda.Errorf(lambda.NotFound, noPolicy)
	}
	return printPolicy(p.Statements, arn.Partition, arn.String()), p.RevisionID, nil
}

// RemoveLayerVersionPermissionInput is the request of RemoveLayerVersionPermission.
type RemoveLayerVersionPermissionInput struct {
	Caller      lambda.Scope
	ARN         lambda.LayerVersionARN
	StatementID string
	RevisionID  lambda.RevisionID
}

// RemoveLayerVersionPermission takes a statement back. Functions that use the version keep it.
func (s *Service) RemoveLayerVersionPermission(ctx context.Context, in RemoveLayerVersionPermissionInput) error {
	if err := ownLayer(in.Caller, in.ARN, "RemoveLayerVersionPermission"); err != nil {
		return err
	}
	if _, err := s.catalog.GetLayerPolicy(ctx, in.ARN); err != nil {
		return kindText(err, lambda.NotFound, layerVersionMissing(in.ARN))
	}
	_, err := s.catalog.UpdateLayerPolicy(ctx, in.ARN, func(p *catalog.Policy) (err error) {
		if len(p.Statements) == 0 {
			return lambda.Errorf(lambda.NotFound, noPolicy)
		}
		if err := checkLayerPolicy(in.RevisionID, p.RevisionID); err != nil {
			return err
		}
		p.Statements, err = removeStatement(p.Statements, in.StatementID)
		return err
	})
	return err
}

// ownLayer refuses what no policy can grant, and layers of other regions, of which there are none here.
func ownLayer(caller lambda.Scope, arn lambda.LayerVersionARN, action string) error {
	if foreign(caller, arn.Scope) {
		return layerDenied(caller, action, arn.String())
	}
	if arn.Scope != caller {
		return lambda.Errorf(lambda.NotFound, "%s", layerVersionMissing(arn))
	}
	return nil
}

func checkLayerPolicy(seen, is lambda.RevisionID) error {
	if seen != "" && seen != is {
		return lambda.Errorf(lambda.Stale, staleLayerPolicy)
	}
	return nil
}

func layerVersionMissing(arn lambda.LayerVersionARN) string {
	return fmt.Sprintf("Layer version %s does not exist.", arn)
}

// checkReadable refuses a layer version of another account that has not granted it to the caller. AWS tells nobody which
// versions of others there are.
func (s *Service) checkReadable(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) error {
	if !foreign(caller, arn.Scope) {
		return nil
	}
	denied := layerDenied(caller, "GetLayerVersion", arn.String())
	if arn.Region != caller.Region || arn.Partition != caller.Partition {
		return denied
	}
	p, err := s.catalog.GetLayerPolicy(ctx, arn)
	if lambda.IsKind(err, lambda.NotFound) {
		return denied
	}
	if err != nil {
		return err
	}
	for _, st := range p.Statements {
		if s.grants(st, caller) {
			return nil
		}
	}
	return denied
}

// grants reports whether a statement of a layer version's policy is about the caller.
func (s *Service) grants(st catalog.Statement, caller lambda.Scope) bool {
	if st.Organisation != "" && st.Organisation != s.organisations[caller.Account] {
		return false
	}
	root := "arn:" + caller.Partition + ":iam::" + caller.Account + ":root"
	return st.Principal == "*" || st.Principal == caller.Account || st.Principal == root
}
