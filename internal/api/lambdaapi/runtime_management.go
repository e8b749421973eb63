package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

func (a *API) getRuntimeManagementConfig(ctx context.Context, c *call, in *GetRuntimeManagementConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	m, err := a.Control.GetRuntimeManagementConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return GetRuntimeManagementConfigResponse{
		UpdateRuntimeOn: &m.UpdateOn, RuntimeVersionARN: optional(m.RuntimeVersionARN), FunctionARN: &m.FunctionARN,
	}, nil
}

func (a *API) putRuntimeManagementConfig(ctx context.Context, c *call, in *PutRuntimeManagementConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	m, err := a.Control.PutRuntimeManagementConfig(ctx, c.Scope, ref,
		control.RuntimeManagement{UpdateOn: in.UpdateRuntimeOn, RuntimeVersionARN: deref(in.RuntimeVersionARN)})
	if err != nil {
		return nil, err
	}
	return PutRuntimeManagementConfigResponse{
		UpdateRuntimeOn: m.UpdateOn, RuntimeVersionARN: optional(m.RuntimeVersionARN), FunctionARN: m.FunctionARN,
	}, nil
}
