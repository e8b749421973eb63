package control

import (
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// PublishLayerVersionInput is the request of PublishLayerVersion.
type PublishLayerVersionInput struct {
	Caller        lambda.Scope    // account and region of the request
	Layer         lambda.LayerKey // the layer as the request names it
	Zip           *blob.Staged    // staged with Service.StageZip; the operation commits or discards it, whatever it answers
	S3            bool            // any of S3Bucket, S3Key, S3ObjectVersion was sent: not built
	Description   *string         // nil when not sent
	LicenseInfo   *string         // likewise
	Runtimes      []string        // nil when not sent, empty when sent empty
	Architectures []string        // likewise
}

// ListLayerVersionsInput is the request of ListLayerVersions.
type ListLayerVersionsInput struct {
	Caller lambda.Scope
	Layer  lambda.LayerKey
	Filter catalog.LayerFilter
	Marker string // NextMarker of the page before, "" for the first page
	Limit  int    // 0: the longest page; longer than that is cut
}

// ListLayersInput is the request of ListLayers.
type ListLayersInput struct {
	Caller lambda.Scope
	Filter catalog.LayerFilter
	Marker string
	Limit  int
}

// LayerVersionPage is a page of layer versions: newest first for ListLayerVersions; one per layer, the newest that matches,
// by name, for ListLayers. NextMarker is "" on the last page.
type LayerVersionPage struct {
	Versions   []catalog.LayerVersion
	NextMarker string
}
