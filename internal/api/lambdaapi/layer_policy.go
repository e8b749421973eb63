package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

// layerVersionARN reads the layer version that a request is about.
func (c *call) layerVersionARN(name string, version int64) (lambda.LayerVersionARN, error) {
	key, err := lambda.ParseLayerRef(name, c.Scope)
	return lambda.LayerVersionARN{LayerKey: key, Version: version}, err
}

func (a *API) addLayerVersionPermission(ctx context.Context, c *call, in *AddLayerVersionPermissionRequest) (any, error) {
	arn, err := c.layerVersionARN(in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	text, revision, err := a.Control.AddLayerVersionPermission(ctx, control.AddLayerVersionPermissionInput{
		Caller: c.Scope, ARN: arn, RevisionID: lambda.RevisionID(deref(in.RevisionID)),
		Statement: catalog.Statement{ID: in.StatementID, Action: in.Action, Principal: in.Principal, Organisation: deref(in.OrganizationID)},
	})
	if err != nil {
		return nil, err
	}
	return AddLayerVersionPermissionResponse{Statement: &text, RevisionID: new(string(revision))}, nil
}

func (a *API) getLayerVersionPolicy(ctx context.Context, c *call, in *GetLayerVersionPolicyRequest) (any, error) {
	arn, err := c.layerVersionARN(in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	text, revision, err := a.Control.GetLayerVersionPolicy(ctx, c.Scope, arn)
	if err != nil {
		return nil, err
	}
	return GetLayerVersionPolicyResponse{Policy: &text, RevisionID: new(string(revision))}, nil
}

func (a *API) removeLayerVersionPermission(ctx context.Context, c *call, in *RemoveLayerVersionPermissionRequest) (any, error) {
	arn, err := c.layerVersionARN(in.LayerName, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.RemoveLayerVersionPermission(ctx, control.RemoveLayerVersionPermissionInput{
		Caller: c.Scope, ARN: arn, StatementID: in.StatementID, RevisionID: lambda.RevisionID(deref(in.RevisionID)),
	})
}
