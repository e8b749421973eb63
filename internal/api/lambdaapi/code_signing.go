package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

// getFunctionCodeSigningConfig answers {}: no function has one. Terraform asks for it whenever it looks at a function.
func (a *API) getFunctionCodeSigningConfig(ctx context.Context, c *call, in *GetFunctionCodeSigningConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := a.Control.CheckCodeSigning(ctx, c.Scope, ref); err != nil {
		return nil, err
	}
	return struct{}{}, nil
}

func (a *API) deleteFunctionCodeSigningConfig(ctx context.Context, c *call, in *DeleteFunctionCodeSigningConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.CheckCodeSigning(ctx, c.Scope, ref)
}

func (a *API) putFunctionCodeSigningConfig(_ context.Context, _ *call, in *PutFunctionCodeSigningConfigRequest) (any, error) {
	return nil, control.PutCodeSigningMissing(in.CodeSigningConfigARN)
}

func (a *API) getCodeSigningConfig(_ context.Context, _ *call, in *GetCodeSigningConfigRequest) (any, error) {
	return nil, control.CodeSigningMissing(in.CodeSigningConfigARN)
}

func (a *API) listCodeSigningConfigs(context.Context, *call, *ListCodeSigningConfigsRequest) (any, error) {
	return ListCodeSigningConfigsResponse{CodeSigningConfigs: []CodeSigningConfig{}}, nil
}

func (a *API) listFunctionsByCodeSigningConfig(_ context.Context, _ *call, in *ListFunctionsByCodeSigningConfigRequest) (any, error) {
	return nil, control.CodeSigningMissing(in.CodeSigningConfigARN)
}
