package lambdaapi

import "context"

func (a *API) tagResource(ctx context.Context, c *call, in *TagResourceRequest) (any, error) {
	return nil, a.Control.TagResource(ctx, c.Scope, in.Resource, in.Tags)
}

func (a *API) untagResource(ctx context.Context, c *call, in *UntagResourceRequest) (any, error) {
	return nil, a.Control.UntagResource(ctx, c.Scope, in.Resource, in.TagKeys)
}

// listTags answers {} where GetFunction leaves the member out.
func (a *API) listTags(ctx context.Context, c *call, in *ListTagsRequest) (any, error) {
	m, err := a.Control.ListTags(ctx, c.Scope, in.Resource)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = map[string]string{}
	}
	return ListTagsResponse{Tags: m}, nil
}
