package cached

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// InsertFunction records a function.
func (c *Store) InsertFunction(ctx context.Context, f catalog.Function, quota int64) (catalog.Function, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	f, err := c.Store.InsertFunction(ctx, f, quota)
	c.wrote(err)
	return f, err
}

// UpdateFunction changes a function. When it returns, whatever it did is seen.
func (c *Store) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	f, err := c.Store.UpdateFunction(ctx, k, quota, change)
	c.forget(k)
	c.wrote(err)
	return f, err
}

// DeleteFunction forgets a function.
func (c *Store) DeleteFunction(ctx context.Context, k lambda.FunctionKey) error {
	c.writing.RLock()
	defer c.writing.RUnlock()
	err := c.Store.DeleteFunction(ctx, k)
	c.forget(k)
	c.wrote(err)
	return err
}

// InsertLayerVersion records a layer version. (A deletion of one is not counted, since it may have changed nothing.)
func (c *Store) InsertLayerVersion(ctx context.Context, v catalog.LayerVersion, quota int64) (catalog.LayerVersion, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	v, err := c.Store.InsertLayerVersion(ctx, v, quota)
	c.wrote(err)
	return v, err
}

// forget drops a function that may have changed, also when the write answered an error: it may have happened nevertheless.
func (c *Store) forget(k lambda.FunctionKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.functions, k)
}

// wrote counts a write that took a number.
func (c *Store) wrote(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.explained != unknown {
		c.explained++
	}
}
