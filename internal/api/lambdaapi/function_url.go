package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

func (a *API) createFunctionURLConfig(ctx context.Context, c *call, in *CreateFunctionURLConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := a.Control.CreateFunctionURLConfig(ctx, c.Scope, ref, control.FunctionURL{
		AuthType: in.AuthType, InvokeMode: deref(in.InvokeMode), Cors: corsInput(in.Cors),
	})
	if err != nil {
		return nil, err
	}
	return CreateFunctionURLConfigResponse{
		FunctionURL: u.URL, FunctionARN: u.FunctionARN, AuthType: u.AuthType, Cors: cors(u.Cors), CreationTime: isoURL(u.Created),
		InvokeMode: in.InvokeMode, // AWS shows it here only when it was sent
	}, nil
}

func (a *API) updateFunctionURLConfig(ctx context.Context, c *call, in *UpdateFunctionURLConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := a.Control.UpdateFunctionURLConfig(ctx, c.Scope, ref, control.FunctionURLUpdate{
		AuthType: in.AuthType, InvokeMode: in.InvokeMode, Cors: corsInput(in.Cors),
	})
	if err != nil {
		return nil, err
	}
	return functionURL(u), nil
}

func (a *API) getFunctionURLConfig(ctx context.Context, c *call, in *GetFunctionURLConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	u, err := a.Control.GetFunctionURLConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return functionURL(u), nil
}

func (a *API) deleteFunctionURLConfig(ctx context.Context, c *call, in *DeleteFunctionURLConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteFunctionURLConfig(ctx, c.Scope, ref)
}

func (a *API) listFunctionURLConfigs(ctx context.Context, c *call, in *ListFunctionURLConfigsRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListFunctionURLConfigs(ctx, c.Scope, ref, deref(in.Marker), int(deref(in.MaxItems)))
	if err != nil {
		return nil, err
	}
	out := ListFunctionURLConfigsResponse{NextMarker: optional(page.NextMarker), FunctionURLConfigs: []FunctionURLConfig{}}
	for _, u := range page.Configs {
		out.FunctionURLConfigs = append(out.FunctionURLConfigs, functionURL(u))
	}
	return out, nil
}

func functionURL(u control.FunctionURLConfig) FunctionURLConfig {
	return FunctionURLConfig{
		FunctionURL: u.URL, FunctionARN: u.FunctionARN, AuthType: u.AuthType, InvokeMode: &u.InvokeMode, Cors: cors(u.Cors),
		CreationTime: isoURL(u.Created), LastModifiedTime: isoURL(u.Modified),
	}
}

func corsInput(c *Cors) *control.Cors {
	if c == nil {
		return nil
	}
	return &control.Cors{AllowCredentials: c.AllowCredentials, AllowHeaders: c.AllowHeaders, AllowMethods: c.AllowMethods,
		AllowOrigins: c.AllowOrigins, ExposeHeaders: c.ExposeHeaders, MaxAge: integer(c.MaxAge)}
}

func cors(c *control.Cors) *Cors {
	if c == nil {
		return nil
	}
	return &Cors{AllowCredentials: c.AllowCredentials, AllowHeaders: c.AllowHeaders, AllowMethods: c.AllowMethods,
		AllowOrigins: c.AllowOrigins, ExposeHeaders: c.ExposeHeaders, MaxAge: long(c.MaxAge)}
}
