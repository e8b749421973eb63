package control

import (
	"context"
	"strconv"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// PublishLayerVersionInput is the request of PublishLayerVersion.
type PublishLayerVersionInput struct {
	Caller        lambda.Scope    // account and region of the request
	Layer         lambda.LayerKey // the layer as the request names it
	Zip           *blob.Staged    // from StageZip; the operation commits or discards it
	S3            *S3Object       // nil when none of S3Bucket, S3Key and S3ObjectVersion was sent
	Description   *string         // nil when not sent
	LicenseInfo   *string         // likewise
	Runtimes      []string        // nil when not sent, empty when sent empty
	Architectures []string        // likewise
}

// PublishLayerVersion stores a zip as the next version of a layer.
func (s *Service) PublishLayerVersion(ctx context.Context, in PublishLayerVersionInput) (catalog.LayerVersion, error) {
	defer discard(in.Zip)
	if foreign(in.Caller, in.Layer.Scope) {
		return catalog.LayerVersion{}, layerDenied(in.Caller, "PublishLayerVersion", in.Layer.ARN())
	}
	if in.Layer.Scope != in.Caller {
		return catalog.LayerVersion{}, lambda.Errorf(lambda.NotFound, noSuchResource)
	}
	if in.Zip != nil && in.S3 != nil {
		return catalog.LayerVersion{}, lambda.Errorf(lambda.Invalid, "Please do not provide other LayerVersionContent parameters when providing a ZipFile.")
	}
	if in.Zip == nil && !in.S3.whole() {
		return catalog.LayerVersion{}, lambda.Errorf(lambda.Invalid, "Missing Content")
	}
	zip, err := s.fetch(ctx, in.Caller, in.Zip, in.S3)
	if err != nil {
		return catalog.LayerVersion{}, err
	}
	defer discard(zip.Staged)
	content, err := s.importFor(ctx, in.Layer.Account, zip, s.limits.UnzippedSize)
	if err != nil {
		return catalog.LayerVersion{}, err
	}
	v, err := s.catalog.InsertLayerVersion(ctx, catalog.LayerVersion{
		ARN:           lambda.LayerVersionARN{LayerKey: in.Layer},
		Content:       content,
		Description:   in.Description,
		LicenseInfo:   in.LicenseInfo,
		Runtimes:      in.Runtimes,
		Architectures: in.Architectures,
		Created:       s.now(),
	}, s.limits.CodeStorage)
	return v, storageText(err)
}

// GetLayerVersion gives a layer version.
func (s *Service) GetLayerVersion(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) (catalog.LayerVersion, error) {
	if err := checkLayerVersion(arn); err != nil {
		return catalog.LayerVersion{}, err
	}
	if err := s.checkReadable(ctx, caller, arn); err != nil {
		return catalog.LayerVersion{}, err
	}
	if arn.Region != caller.Region {
		return catalog.LayerVersion{}, lambda.Errorf(lambda.NotFound, noSuchResource)
	}
	v, err := s.catalog.GetLayerVersion(ctx, arn)
	return v, kindText(err, lambda.NotFound, noSuchResource)
}

// DeleteLayerVersion forgets a layer version; functions that use it keep it. AWS answers that it did so too when there is no
// such version.
func (s *Service) DeleteLayerVersion(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) error {
	if err := checkLayerVersion(arn); err != nil {
		return err
	}
	if foreign(caller, arn.Scope) {
		return layerDenied(caller, "DeleteLayerVersion", arn.String())
	}
	if arn.Scope != caller {
		return nil // there is none here, and the one elsewhere is not ours to delete
	}
	return s.catalog.DeleteLayerVersion(ctx, arn)
}

func checkLayerVersion(arn lambda.LayerVersionARN) error {
	if arn.Version < 1 {
		return lambda.Errorf(lambda.Invalid, "Layer Version Cannot be less than 1")
	}
	return nil
}

// ListLayerVersionsInput is the request of ListLayerVersions.
type ListLayerVersionsInput struct {
	Caller lambda.Scope
	Layer  lambda.LayerKey
	Filter catalog.LayerFilter
	Marker string // NextMarker of the page before, "" for the first page
	Limit  int    // 0: the longest page; longer than that is cut
}

// LayerVersionPage is a page of layer versions. NextMarker is "" on the last page.
type LayerVersionPage struct {
	Versions   []catalog.LayerVersion
	NextMarker string
}

// ListLayerVersions gives the versions of a layer that match, newest first; none for a layer that does not exist.
func (s *Service) ListLayerVersions(ctx context.Context, in ListLayerVersionsInput) (LayerVersionPage, error) {
	if foreign(in.Caller, in.Layer.Scope) {
		return LayerVersionPage{}, layerDenied(in.Caller, "ListLayerVersions", in.Layer.ARN())
	}
	before, err := readVersionMarker(in.Marker)
	if err != nil || in.Layer.Scope != in.Caller {
		return LayerVersionPage{}, err
	}
	size := pageSize(in.Limit)
	list, err := s.catalog.ListLayerVersions(ctx, in.Layer, in.Filter, before, size+1)
	if err != nil {
		return LayerVersionPage{}, err
	}
	var page LayerVersionPage
	page.Versions, page.NextMarker = cut(list, size, func(v catalog.LayerVersion) string {
		return newMarker(layerVersionList, strconv.FormatInt(v.ARN.Version, 10))
	})
	return page, nil
}

func readVersionMarker(marker string) (before int64, err error) {
	place, err := readMarker(layerVersionList, marker)
	if err != nil || place == "" {
		return 0, err
	}
	before, err = strconv.ParseInt(place, 10, 64)
	if err != nil || before < 1 {
		return 0, lambda.Errorf(lambda.Invalid, "Invalid marker: %s", marker)
	}
	return before, nil
}
