// Package control manages functions and layer versions.
package control

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

// Options are the parts that a Service works with.
type Options struct {
	Catalog catalog.Store
	Store   Trees // a *layerstore.Store
	Blobs   *blob.Store
	Now     func() time.Time
	Log     *slog.Logger
}

// Trees is what control needs of a *layerstore.Store.
type Trees any

// Service answers the operations.
type Service struct{ Options }

// New gives a service; Start makes its background work begin.
func New(o Options) *Service { return &Service{o} }

var errSkeleton = lambda.Errorf(lambda.NotBuilt, "not there yet")

func (s *Service) Start(ctx context.Context) error { return errSkeleton }
func (s *Service) Stop()                           {}
func (s *Service) StageZip(ctx context.Context, r io.Reader) (*blob.Staged, error) {
	return s.Blobs.Stage(ctx, r)
}
func (s *Service) OpenZip(ctx context.Context, d digest.Digest) (blob.Reader, error) {
	return nil, errSkeleton
}

// Qualify joins the qualifier of ?Qualifier with the one in the function's name; differing ones are of kind Invalid.
func Qualify(ref lambda.FunctionRef, q lambda.Qualifier) (lambda.FunctionRef, error) {
	return ref, errSkeleton
}

// Reach refuses a function of another region (kind NotFound) or account (kind Denied, without a text).
func Reach(caller lambda.Scope, ref lambda.FunctionRef) error { return errSkeleton }

func (s *Service) PublishLayerVersion(ctx context.Context, in PublishLayerVersionInput) (catalog.LayerVersion, error) {
	return catalog.LayerVersion{}, errSkeleton
}
func (s *Service) GetLayerVersion(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) (catalog.LayerVersion, error) {
	return catalog.LayerVersion{}, errSkeleton
}
func (s *Service) ListLayerVersions(ctx context.Context, in ListLayerVersionsInput) (LayerVersionPage, error) {
	return LayerVersionPage{}, errSkeleton
}
func (s *Service) ListLayers(ctx context.Context, in ListLayersInput) (LayerVersionPage, error) {
	return LayerVersionPage{}, errSkeleton
}
func (s *Service) DeleteLayerVersion(ctx context.Context, caller lambda.Scope, arn lambda.LayerVersionARN) error {
	return errSkeleton
}
func (s *Service) CreateFunction(ctx context.Context, in CreateFunctionInput) (catalog.Function, error) {
	return catalog.Function{}, errSkeleton
}
func (s *Service) GetFunction(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) (catalog.Function, error) {
	return catalog.Function{}, errSkeleton
}
func (s *Service) ListFunctions(ctx context.Context, in ListFunctionsInput) (FunctionPage, error) {
	return FunctionPage{}, errSkeleton
}
func (s *Service) DeleteFunction(ctx context.Context, caller lambda.Scope, ref lambda.FunctionRef) error {
	return errSkeleton
}
func (s *Service) UpdateFunctionCode(ctx context.Context, in UpdateFunctionCodeInput) (catalog.Function, error) {
	return catalog.Function{}, errSkeleton
}
func (s *Service) UpdateFunctionConfiguration(ctx context.Context, in UpdateFunctionConfigurationInput) (catalog.Function, error) {
	return catalog.Function{}, errSkeleton
}
