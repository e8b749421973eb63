package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

func (a *API) putFunctionEventInvokeConfig(ctx context.Context, c *call, in *PutFunctionEventInvokeConfigRequest) (any, error) {
	return a.storeEventInvoke(ctx, c, in.FunctionName, in.Qualifier, eventInvoke(in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig), false)
}

func (a *API) updateFunctionEventInvokeConfig(ctx context.Context, c *call, in *UpdateFunctionEventInvokeConfigRequest) (any, error) {
	return a.storeEventInvoke(ctx, c, in.FunctionName, in.Qualifier, eventInvoke(in.MaximumRetryAttempts, in.MaximumEventAgeInSeconds, in.DestinationConfig), true)
}

func (a *API) storeEventInvoke(ctx context.Context, c *call, name string, qualifier *string, in control.EventInvoke, merge bool) (any, error) {
	ref, err := c.functionRef(name, qualifier)
	if err != nil {
		return nil, err
	}
	config, err := a.Control.PutEventInvokeConfig(ctx, c.Scope, ref, in, merge)
	if err != nil {
		return nil, err
	}
	return eventInvokeConfig(config), nil
}

func (a *API) getFunctionEventInvokeConfig(ctx context.Context, c *call, in *GetFunctionEventInvokeConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	config, err := a.Control.GetEventInvokeConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return eventInvokeConfig(config), nil
}

func (a *API) deleteFunctionEventInvokeConfig(ctx context.Context, c *call, in *DeleteFunctionEventInvokeConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteEventInvokeConfig(ctx, c.Scope, ref)
}

func (a *API) listFunctionEventInvokeConfigs(ctx context.Context, c *call, in *ListFunctionEventInvokeConfigsRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListEventInvokeConfigs(ctx, c.Scope, ref, deref(in.Marker), int(deref(in.MaxItems)))
	if err != nil {
		return nil, err
	}
	out := ListFunctionEventInvokeConfigsResponse{NextMarker: optional(page.NextMarker), FunctionEventInvokeConfigs: []FunctionEventInvokeConfig{}}
	for _, config := range page.Configs {
		out.FunctionEventInvokeConfigs = append(out.FunctionEventInvokeConfigs, eventInvokeConfig(config))
	}
	return out, nil
}

func eventInvoke(retries, age *int64, to *DestinationConfig) control.EventInvoke {
	return control.EventInvoke{
		MaxRetries: integer(retries), MaxAge: integer(age),
		OnSuccess: deref(deref(to).OnSuccess).Destination, OnFailure: deref(deref(to).OnFailure).Destination,
	}
}

// eventInvokeConfig is the shape of a configuration: both destinations are always there, empty when nothing was set.
func eventInvokeConfig(e control.EventInvokeConfig) FunctionEventInvokeConfig {
	return FunctionEventInvokeConfig{
		FunctionARN: &e.FunctionARN, LastModified: new(Epoch(e.Modified)),
		MaximumRetryAttempts: long(e.MaxRetries), MaximumEventAgeInSeconds: long(e.MaxAge),
		DestinationConfig: &DestinationConfig{OnSuccess: &OnSuccess{Destination: e.OnSuccess}, OnFailure: &OnFailure{Destination: e.OnFailure}},
	}
}
