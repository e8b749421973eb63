package lambdaapi

import "context"

func (a *API) putFunctionConcurrency(ctx context.Context, c *call, in *PutFunctionConcurrencyRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := a.Control.PutFunctionConcurrency(ctx, c.Scope, ref, int(in.ReservedConcurrentExecutions)); err != nil {
		return nil, err
	}
	return Concurrency{ReservedConcurrentExecutions: &in.ReservedConcurrentExecutions}, nil
}

func (a *API) getFunctionConcurrency(ctx context.Context, c *call, in *GetFunctionConcurrencyRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	n, err := a.Control.GetFunctionConcurrency(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	return GetFunctionConcurrencyResponse(deref(concurrency(n))), nil
}

func (a *API) deleteFunctionConcurrency(ctx context.Context, c *call, in *DeleteFunctionConcurrencyRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteFunctionConcurrency(ctx, c.Scope, ref)
}

// concurrency is absent when nothing is reserved.
func concurrency(reserved *int) *Concurrency {
	if reserved == nil {
		return nil
	}
	return &Concurrency{ReservedConcurrentExecutions: new(int64(*reserved))}
}

func (a *API) getAccountSettings(ctx context.Context, c *call, _ *GetAccountSettingsRequest) (any, error) {
	s, err := a.Control.GetAccountSettings(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	return GetAccountSettingsResponse{
		AccountLimit: &AccountLimit{
			TotalCodeSize: &s.Limits.CodeStorage, CodeSizeUnzipped: &s.Limits.UnzippedSize,
			CodeSizeZipped: &s.Limits.ZipSize, ConcurrentExecutions: &s.Concurrency,
			UnreservedConcurrentExecutions: &s.Unreserved,
		},
		AccountUsage: &AccountUsage{TotalCodeSize: &s.CodeSize, FunctionCount: &s.Functions},
	}, nil
}
