package lambdaapi

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

func (a *API) publishLayerVersion(ctx context.Context, c *call, in *PublishLayerVersionRequest) (any, error) {
	key, err := lambda.ParseLayerRef(in.LayerName, c.Scope)
	if err != nil {
		return nil, err
	}
	v, err := a.Control.PublishLayerVersion(ctx, control.PublishLayerVersionInput{
		Caller: c.Scope, Layer: key, Zip: c.zip,
		S3:          s3Object(in.Content.S3Bucket, in.Content.S3Key, in.Content.S3ObjectVersion),
		Description: in.Description, LicenseInfo: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures,
	})
	if err != nil {
		return nil, err
	}
	return PublishLayerVersionResponse(a.layerVersion(c, v)), nil
}

func (a *API) getLayerVersion(ctx context.Context, c *call, in *GetLayerVersionRequest) (any, error) {
	key, err := lambda.ParseLayerRef(in.LayerName, c.Scope)
	if err != nil {
		return nil, err
	}
	v, err := a.Control.GetLayerVersion(ctx, c.Scope, lambda.LayerVersionARN{LayerKey: key, Version: in.VersionNumber})
	if err != nil {
		return nil, err
	}
	return a.layerVersion(c, v), nil
}

func (a *API) getLayerVersionByARN(ctx context.Context, c *call, in *GetLayerVersionByARNRequest) (any, error) {
	arn, err := lambda.ParseLayerVersionARN(in.ARN)
	if err != nil { // AWS's own layers (arn:aws:lambda:::awslayer:…) pass the pattern and name no version
		return nil, lambda.Errorf(lambda.NotFound, "The resource you requested does not exist.")
	}
	v, err := a.Control.GetLayerVersion(ctx, c.Scope, arn)
	if err != nil {
		return nil, err
	}
	return a.layerVersion(c, v), nil
}

func (a *API) listLayerVersions(ctx context.Context, c *call, in *ListLayerVersionsRequest) (any, error) {
	key, err := lambda.ParseLayerRef(in.LayerName, c.Scope)
	if err != nil {
		return nil, err
	}
	page, err := a.Control.ListLayerVersions(ctx, control.ListLayerVersionsInput{
		Caller: c.Scope, Layer: key, Filter: layerFilter(in.CompatibleRuntime, in.CompatibleArchitecture),
		Marker: deref(in.Marker), Limit: int(deref(in.MaxItems)),
	})
	if err != nil {
		return nil, err
	}
	out := ListLayerVersionsResponse{NextMarker: optional(page.NextMarker), LayerVersions: []LayerVersionsListItem{}}
	for _, v := range page.Versions {
		out.LayerVersions = append(out.LayerVersions, layerVersionItem(v))
	}
	return out, nil
}

func (a *API) deleteLayerVersion(ctx context.Context, c *call, in *DeleteLayerVersionRequest) (any, error) {
	key, err := lambda.ParseLayerRef(in.LayerName, c.Scope)
	if err != nil {
		return nil, err
	}
	return nil, a.Control.DeleteLayerVersion(ctx, c.Scope, lambda.LayerVersionARN{LayerKey: key, Version: in.VersionNumber})
}

func layerFilter(runtime, architecture *string) catalog.LayerFilter {
	return catalog.LayerFilter{Runtime: deref(runtime), Architecture: deref(architecture)}
}

// layerVersion is the full shape of a layer version. A description that was not sent is "" here and absent in lists, as AWS
// has it.
func (a *API) layerVersion(c *call, v catalog.LayerVersion) GetLayerVersionResponse {
	description := deref(v.Description)
	return GetLayerVersionResponse{
		Content: &LayerVersionContentOutput{
			Location:   new(a.location(c, v.Content.Digest, string(v.ARN.Name))),
			CodeSHA256: new(v.Content.Digest.Base64()),
			CodeSize:   new(v.Content.Size),
		},
		LayerARN: new(v.ARN.ARN()), LayerVersionARN: new(v.ARN.String()), Version: new(v.ARN.Version),
		Description: &description, LicenseInfo: v.LicenseInfo, CreatedDate: new(iso(v.Created)),
		CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
	}
}

// layerVersionItem is the shape of a layer version in a list.
func layerVersionItem(v catalog.LayerVersion) LayerVersionsListItem {
	return LayerVersionsListItem{
		LayerVersionARN: new(v.ARN.String()), Version: new(v.ARN.Version), CreatedDate: new(iso(v.Created)),
		Description: v.Description, LicenseInfo: v.LicenseInfo,
		CompatibleRuntimes: v.Runtimes, CompatibleArchitectures: v.Architectures,
	}
}
