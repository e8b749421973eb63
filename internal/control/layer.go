package control

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// ListLayersInput is the request of ListLayers.
type ListLayersInput struct {
	Caller lambda.Scope
	Filter catalog.LayerFilter
	Marker string // as in ListLayerVersionsInput
	Limit  int    // likewise
}

// ListLayers gives the newest matching version of each layer that has one, by the layers' names.
func (s *Service) ListLayers(ctx context.Context, in ListLayersInput) (LayerVersionPage, error) {
	after, err := readMarker(layerList, in.Marker)
	if err != nil {
		return LayerVersionPage{}, err
	}
	size := pageSize(in.Limit)
	list, err := s.catalog.ListLayers(ctx, in.Caller, in.Filter, lambda.LayerName(after), size+1)
	if err != nil {
		return LayerVersionPage{}, err
	}
	var page LayerVersionPage
	page.Versions, page.NextMarker = cut(list, size, func(v catalog.LayerVersion) string {
		return newMarker(layerList, string(v.ARN.Name))
	})
	return page, nil
}
