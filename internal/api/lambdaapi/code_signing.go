package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
)

func (a *API) createCodeSigningConfig(ctx context.Context, c *call, in *CreateCodeSigningConfigRequest) (any, error) {
	out, err := a.Control.CreateCodeSigningConfig(ctx, c.Scope, control.NewCodeSigning{
		Description: in.Description, Publishers: in.AllowedPublishers.SigningProfileVersionARNs,
		Policy: deref(deref(in.CodeSigningPolicies).UntrustedArtifactOnDeployment), Tags: in.Tags,
	})
	if err != nil {
		return nil, err
	}
	return CreateCodeSigningConfigResponse{codeSigning(out)}, nil
}

func (a *API) getCodeSigningConfig(ctx context.Context, c *call, in *GetCodeSigningConfigRequest) (any, error) {
	out, err := a.Control.GetCodeSigningConfig(ctx, c.Scope, in.CodeSigningConfigARN)
	if err != nil {
		return nil, err
	}
	return GetCodeSigningConfigResponse{codeSigning(out)}, nil
}

func (a *API) updateCodeSigningConfig(ctx context.Context, c *call, in *UpdateCodeSigningConfigRequest) (any, error) {
	out, err := a.Control.UpdateCodeSigningConfig(ctx, c.Scope, in.CodeSigningConfigARN, control.CodeSigningUpdate{
		Description: in.Description, Publishers: deref(in.AllowedPublishers).SigningProfileVersionARNs,
		Policy: deref(in.CodeSigningPolicies).UntrustedArtifactOnDeployment,
	})
	if err != nil {
		return nil, err
	}
	return UpdateCodeSigningConfigResponse{codeSigning(out)}, nil
}

func (a *API) deleteCodeSigningConfig(ctx context.Context, c *call, in *DeleteCodeSigningConfigRequest) (any, error) {
	return nil, a.Control.DeleteCodeSigningConfig(ctx, c.Scope, in.CodeSigningConfigARN)
}

func (a *API) listCodeSigningConfigs(ctx context.Context, c *call, in *ListCodeSigningConfigsRequest) (any, error) {
	page, err := a.Control.ListCodeSigningConfigs(ctx, c.Scope, deref(in.Marker), int(deref(in.MaxItems)))
	if err != nil {
		return nil, err
	}
	out := ListCodeSigningConfigsResponse{NextMarker: optional(page.NextMarker), CodeSigningConfigs: []CodeSigningConfig{}}
	for _, config := range page.Configs {
		out.CodeSigningConfigs = append(out.CodeSigningConfigs, codeSigning(config))
	}
	return out, nil
}

func (a *API) listFunctionsByCodeSigningConfig(ctx context.Context, c *call, in *ListFunctionsByCodeSigningConfigRequest) (any, error) {
	page, err := a.Control.ListFunctionsByCodeSigningConfig(ctx, c.Scope, in.CodeSigningConfigARN, deref(in.Marker), int(deref(in.MaxItems)))
	if err != nil {
		return nil, err
	}
	return ListFunctionsByCodeSigningConfigResponse{NextMarker: optional(page.NextMarker), FunctionARNs: present(page.ARNs)}, nil
}

// getFunctionCodeSigningConfig answers {} for a function without one. Terraform asks for it whenever it looks at a function.
func (a *API) getFunctionCodeSigningConfig(ctx context.Context, c *call, in *GetFunctionCodeSigningConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	arn, err := a.Control.GetFunctionCodeSigningConfig(ctx, c.Scope, ref)
	if err != nil {
		return nil, err
	}
	if arn == "" {
		return struct{}{}, nil
	}
	return GetFunctionCodeSigningConfigResponse{CodeSigningConfigARN: arn, FunctionName: string(ref.Name)}, nil
}

func (a *API) putFunctionCodeSigningConfig(ctx context.Context, c *call, in *PutFunctionCodeSigningConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := a.Control.PutFunctionCodeSigningConfig(ctx, c.Scope, ref, in.CodeSigningConfigARN); err != nil {
		return nil, err
	}
	return PutFunctionCodeSigningConfigResponse{CodeSigningConfigARN: in.CodeSigningConfigARN, FunctionName: string(ref.Name)}, nil
}

func (a *API) deleteFunctionCodeSigningConfig(ctx context.Context, c *call, in *DeleteFunctionCodeSigningConfigRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteFunctionCodeSigningConfig(ctx, c.Scope, ref)
}

func codeSigning(c catalog.CodeSigningConfig) CodeSigningConfig {
	return CodeSigningConfig{
		CodeSigningConfigID: c.ID, CodeSigningConfigARN: control.CodeSigningARN(c), Description: c.Description, LastModified: iso(c.Modified),
		AllowedPublishers:   AllowedPublishers{SigningProfileVersionARNs: c.Publishers},
		CodeSigningPolicies: CodeSigningPolicies{UntrustedArtifactOnDeployment: &c.Policy},
	}
}
