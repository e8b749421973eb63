package lambdaapi

import "context"

func (a *API) getFunctionRecursionConfig(ctx context.Context, c *call, in *GetFunctionRecursionConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	loop, err := a.Control.GetFunctionRecursionConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return GetFunctionRecursionConfigResponse{RecursiveLoop: &loop}, nil
}

func (a *API) putFunctionRecursionConfig(ctx context.Context, c *call, in *PutFunctionRecursionConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := a.Control.PutFunctionRecursionConfig(ctx, c.Scope, ref, in.RecursiveLoop); err != nil {
		return nil, err
	}
	return PutFunctionRecursionConfigResponse{RecursiveLoop: &in.RecursiveLoop}, nil
}
