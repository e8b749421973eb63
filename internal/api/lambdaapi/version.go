package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) publishVersion(ctx context.Context, c *call, in *PublishVersionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	f, err := a.Control.PublishVersion(ctx, control.PublishVersionInput{
		Caller: c.Scope, Ref: ref, CodeSHA256: deref(in.CodeSHA256), Description: in.Description,
		RevisionID: lambda.RevisionID(deref(in.RevisionID)),
		NotBuilt:   notBuilt{"PublishTo": in.PublishTo != nil}.names(),
	})
	if err != nil {
		return nil, err
	}
	return configuration(f, f.Version), nil
}

func (a *API) listVersions(ctx context.Context, c *call, in *ListVersionsByFunctionRequest) (any, error) {
	ref, err := c.functionRef(in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListVersions(ctx, control.ListVersionsInput{
		Caller: c.Scope, Ref: ref, Marker: deref(in.Marker), Limit: int(deref(in.MaxItems)),
	})
	if err != nil {
		return nil, err
	}
	out := ListVersionsByFunctionResponse{NextMarker: optional(page.NextMarker), Versions: []FunctionConfiguration{}}
	for _, f := range page.Functions {
		out.Versions = append(out.Versions, configurationItem(f, f.Version))
	}
	return out, nil
}
