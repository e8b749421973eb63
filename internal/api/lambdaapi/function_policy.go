package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) addPermission(ctx context.Context, c *call, in *AddPermissionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	text, err := a.Control.AddPermission(ctx, control.AddPermissionInput{
		Caller: c.Scope, Ref: ref, RevisionID: lambda.RevisionID(deref(in.RevisionID)),
		Statement: catalog.Statement{
			ID: in.StatementID, Action: in.Action, Principal: in.Principal, Organisation: deref(in.PrincipalOrgID),
			SourceARN: deref(in.SourceARN), SourceAccount: deref(in.SourceAccount), EventSourceToken: deref(in.EventSourceToken),
			URLAuthType: deref(in.FunctionURLAuthType), ViaURL: in.InvokedViaFunctionURL,
		},
	})
	if err != nil {
		return nil, err
	}
	return AddPermissionResponse{Statement: &text}, nil
}

func (a *API) getPolicy(ctx context.Context, c *call, in *GetPolicyRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	text, revision, err := a.Control.GetPolicy(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return GetPolicyResponse{Policy: &text, RevisionID: new(string(revision))}, nil
}

func (a *API) removePermission(ctx context.Context, c *call, in *RemovePermissionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.RemovePermission(ctx, control.RemovePermissionInput{
		Caller: c.Scope, Ref: ref, StatementID: in.StatementID, RevisionID: lambda.RevisionID(deref(in.RevisionID)),
	})
}
