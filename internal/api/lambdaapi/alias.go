package lambdaapi

import (
	"context"
	"strconv"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) createAlias(ctx context.Context, c *call, in *CreateAliasRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out, err := a.Control.CreateAlias(ctx, control.CreateAliasInput{
		Caller: c.Scope, Ref: ref, Name: lambda.Qualifier(in.Name), Version: lambda.Qualifier(in.FunctionVersion),
		Description: deref(in.Description), Weights: deref(weights(in.RoutingConfig)),
	})
	if err != nil {
		return nil, err
	}
	return alias(out), nil
}

func (a *API) getAlias(ctx context.Context, c *call, in *GetAliasRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out, err := a.Control.GetAlias(ctx, c.Scope, ref, lambda.Qualifier(in.Name))
	if err != nil {
		return nil, err
	}
	return alias(out), nil
}

func (a *API) updateAlias(ctx context.Context, c *call, in *UpdateAliasRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	out, err := a.Control.UpdateAlias(ctx, control.UpdateAliasInput{
		Caller: c.Scope, Ref: ref, Name: lambda.Qualifier(in.Name), Version: (*lambda.Qualifier)(in.FunctionVersion),
		Description: in.Description, Weights: weights(in.RoutingConfig), RevisionID: lambda.RevisionID(deref(in.RevisionID)),
	})
	if err != nil {
		return nil, err
	}
	return alias(out), nil
}

func (a *API) deleteAlias(ctx context.Context, c *call, in *DeleteAliasRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteAlias(ctx, c.Scope, ref, lambda.Qualifier(in.Name))
}

func (a *API) listAliases(ctx context.Context, c *call, in *ListAliasesRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListAliases(ctx, control.ListAliasesInput{
		Caller: c.Scope, Ref: ref, Version: lambda.Qualifier(deref(in.FunctionVersion)),
		Marker: deref(in.Marker), Limit: int(deref(in.MaxItems)),
	})
	if err != nil {
		return nil, err
	}
	out := ListAliasesResponse{NextMarker: optional(page.NextMarker), Aliases: []AliasConfiguration{}}
	for _, x := range page.Aliases {
		out.Aliases = append(out.Aliases, alias(x))
	}
	return out, nil
}

// weights keeps the difference between no RoutingConfig and an empty one, which removes the weights.
func weights(r *AliasRoutingConfiguration) *control.Weights {
	if r == nil {
		return nil
	}
	w := control.Weights{}
	for q, weight := range r.AdditionalVersionWeights {
		w[lambda.Qualifier(q)] = weight
	}
	return &w
}

// alias is the shape of an alias; the routing configuration is absent when there are no weights.
func alias(a catalog.Alias) AliasConfiguration {
	out := AliasConfiguration{
		AliasARN: new(a.Key.QualifiedARN(a.Name)), Name: new(string(a.Name)),
		FunctionVersion: new(string(lambda.VersionNumber(a.Version))), Description: &a.Description, RevisionID: new(string(a.RevisionID)),
	}
	if a.Share != nil {
		out.RoutingConfig = &AliasRoutingConfiguration{
			AdditionalVersionWeights: map[string]float64{strconv.FormatInt(a.Share.Version, 10): a.Share.Weight},
		}
	}
	return out
}
