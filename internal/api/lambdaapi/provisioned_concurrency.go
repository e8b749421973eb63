package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

func (a *API) putProvisionedConcurrencyConfig(ctx context.Context, c *call, in *PutProvisionedConcurrencyConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, &in.Qualifier)
	if err != nil {
		return nil, err
	}
	p, err := a.Control.PutProvisionedConcurrencyConfig(ctx, c.Scope, ref, int(in.ProvisionedConcurrentExecutions))
	if err != nil {
		return nil, err
	}
	return PutProvisionedConcurrencyConfigResponse(provisioned(p)), nil
}

func (a *API) getProvisionedConcurrencyConfig(ctx context.Context, c *call, in *GetProvisionedConcurrencyConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, &in.Qualifier)
	if err != nil {
		return nil, err
	}
	p, err := a.Control.GetProvisionedConcurrencyConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return provisioned(p), nil
}

func (a *API) deleteProvisionedConcurrencyConfig(ctx context.Context, c *call, in *DeleteProvisionedConcurrencyConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, &in.Qualifier)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteProvisionedConcurrencyConfig(ctx, c.Scope, ref)
}

func (a *API) listProvisionedConcurrencyConfigs(ctx context.Context, c *call, in *ListProvisionedConcurrencyConfigsRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListProvisionedConcurrencyConfigs(ctx, c.Scope, ref, deref(in.Marker), int(deref(in.MaxItems)))
	if err != nil {
		return nil, err
	}
	out := ListProvisionedConcurrencyConfigsResponse{NextMarker: optional(page.NextMarker), ProvisionedConcurrencyConfigs: []ProvisionedConcurrencyConfigListItem{}}
	for _, p := range page.Configs {
		s := provisioned(p)
		out.ProvisionedConcurrencyConfigs = append(out.ProvisionedConcurrencyConfigs, ProvisionedConcurrencyConfigListItem{
			FunctionARN:                              &p.FunctionARN,
			RequestedProvisionedConcurrentExecutions: s.RequestedProvisionedConcurrentExecutions,
			AvailableProvisionedConcurrentExecutions: s.AvailableProvisionedConcurrentExecutions,
			AllocatedProvisionedConcurrentExecutions: s.AllocatedProvisionedConcurrentExecutions,
			Status:                                   s.Status, StatusReason: s.StatusReason, LastModified: s.LastModified,
		})
	}
	return out, nil
}

// provisioned is the shape of what is provisioned: nothing of it is there until all is.
func provisioned(p control.ProvisionedConcurrency) GetProvisionedConcurrencyConfigResponse {
	status, there := "IN_PROGRESS", int64(0)
	switch {
	case p.Ready:
		status, there = "READY", int64(p.Requested)
	case p.Failure != "":
		status = "FAILED"
	}
	return GetProvisionedConcurrencyConfigResponse{
		RequestedProvisionedConcurrentExecutions: new(int64(p.Requested)),
		AvailableProvisionedConcurrentExecutions: &there, AllocatedProvisionedConcurrentExecutions: &there,
		Status: &status, StatusReason: optional(p.Failure), LastModified: new(isoSeconds(p.Modified)),
	}
}
