package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/control"
)

func (a *API) listLayers(ctx context.Context, c *call, in *ListLayersRequest) (any, error) {
	page, err := a.Control.ListLayers(ctx, control.ListLayersInput{
		Caller: c.Scope, Filter: layerFilter(in.CompatibleRuntime, in.CompatibleArchitecture),
		Marker: deref(in.Marker), Limit: int(deref(in.MaxItems)),
	})
	if err != nil {
		return nil, err
	}
	out := ListLayersResponse{NextMarker: optional(page.NextMarker), Layers: []LayersListItem{}}
	for _, v := range page.Versions {
		item := layerVersionItem(v)
		out.Layers = append(out.Layers, LayersListItem{
			LayerName: new(string(v.ARN.Name)), LayerARN: new(v.ARN.ARN()), LatestMatchingVersion: &item,
		})
	}
	return out, nil
}
