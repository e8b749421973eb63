package daemon

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// retiring is a catalog that tells the pool which revisions are over, since neither management nor the pool knows the other.
type retiring struct {
	catalog.Store
	pool interface {
		Retire(functionID string, keep int64)
	}
}

// UpdateFunction updates, and ends idle environments of earlier revisions.
func (r retiring) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	f, err := r.Store.UpdateFunction(ctx, k, quota, change)
	if err == nil {
		r.pool.Retire(f.ID, f.Latest.Number)
	}
	return f, err
}

// PublishVersion may update too.
func (r retiring) PublishVersion(ctx context.Context, k lambda.FunctionKey, quota int64,
	publish func(*catalog.Function, *catalog.Version) (*catalog.Version, error)) (catalog.Function, catalog.Version, error) {
	f, v, err := r.Store.PublishVersion(ctx, k, quota, publish)
	if err == nil {
		r.pool.Retire(f.ID, f.Latest.Number)
	}
	return f, v, err
}

// DeleteFunction deletes, and ends all idle environments of the function.
func (r retiring) DeleteFunction(ctx context.Context, k lambda.FunctionKey) error {
	f, err := r.Store.GetFunction(ctx, k)
	if err != nil {
		return err
	}
	if err := r.Store.DeleteFunction(ctx, k); err != nil {
		return err
	}
	const none = 0 // revisions are numbered from 1
	r.pool.Retire(f.ID, none)
	return nil
}
