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
	k := f.Key // an error may come without one
	reserves := f.Reserved != nil
	f, err := c.Store.InsertFunction(ctx, f, quota)
	c.forget(k) // another server may have deleted one of this name
	if reserves {
		c.forgetReserved(k.Scope)
	}
	c.forgetPages(k.Scope)
	c.wrote(err)
	return f, err
}

// UpdateFunction changes a function. When it returns, whatever it did is seen.
func (c *Store) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	reserves := false
	f, err := c.Store.UpdateFunction(ctx, k, quota, func(f *catalog.Function) error {
		before := f.Reserved
		err := change(f)
		reserves = reserves || !same(before, f.Reserved)
		return err
	})
	c.forget(k)
	if reserves {
		c.forgetReserved(k.Scope)
	}
	c.wrote(err)
	return f, err
}

// DeleteFunction forgets a function.
func (c *Store) DeleteFunction(ctx context.Context, k lambda.FunctionKey) error {
	c.writing.RLock()
	defer c.writing.RUnlock()
	err := c.Store.DeleteFunction(ctx, k)
	c.forget(k)
	c.forgetReserved(k.Scope)
	c.forgetPages(k.Scope)
	c.wrote(err)
	return err
}

// PublishVersion publishes a version of a function. (It is not counted, since it may have changed nothing.)
func (c *Store) PublishVersion(ctx context.Context, k lambda.FunctionKey, quota int64,
	publish func(*catalog.Function, *catalog.Version) (*catalog.Version, error)) (catalog.Function, catalog.Version, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	f, v, err := c.Store.PublishVersion(ctx, k, quota, publish)
	c.forget(k)
	return f, v, err
}

// DeleteVersion forgets a version; it is not counted either.
func (c *Store) DeleteVersion(ctx context.Context, k lambda.FunctionKey, number int64) error {
	c.writing.RLock()
	defer c.writing.RUnlock()
	err := c.Store.DeleteVersion(ctx, k, number)
	c.forget(k)
	return err
}

// InsertAlias records an alias.
func (c *Store) InsertAlias(ctx context.Context, a catalog.Alias) (catalog.Alias, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	inserted, err := c.Store.InsertAlias(ctx, a)
	c.forget(a.Key)
	c.wrote(err)
	return inserted, err
}

// UpdateAlias changes an alias.
func (c *Store) UpdateAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier, change func(*catalog.Alias) error) (catalog.Alias, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	a, err := c.Store.UpdateAlias(ctx, k, name, change)
	c.forget(k)
	c.wrote(err)
	return a, err
}

// DeleteAlias forgets an alias; it is not counted.
func (c *Store) DeleteAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) error {
	c.writing.RLock()
	defer c.writing.RUnlock()
	err := c.Store.DeleteAlias(ctx, k, name)
	c.forget(k)
	return err
}

// UpdateRecord changes a record, and with it perhaps the RevisionID of what it belongs to.
func (c *Store) UpdateRecord(ctx context.Context, k lambda.FunctionKey, kind catalog.RecordKind, q lambda.Qualifier, renew bool, change func(*catalog.Record) error) (catalog.Record, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	r, err := c.Store.UpdateRecord(ctx, k, kind, q, renew, change)
	if renew {
		c.forget(k)
	}
	c.wrote(err)
	return r, err
}

// UpdateReserved changes what a function has reserved. When it returns, whatever it did is seen.
func (c *Store) UpdateReserved(ctx context.Context, k lambda.FunctionKey, change func(*catalog.Function, catalog.Shares) error) (catalog.Function, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	f, err := c.Store.UpdateReserved(ctx, k, change)
	c.forget(k)
	c.forgetReserved(k.Scope)
	c.wrote(err)
	return f, err
}

// UpdateProvisioned changes what is provisioned for a version or an alias.
func (c *Store) UpdateProvisioned(ctx context.Context, k lambda.FunctionKey, q lambda.Qualifier, change func(*catalog.Record, catalog.Shares) error) (catalog.Record, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	r, err := c.Store.UpdateProvisioned(ctx, k, q, change)
	c.wrote(err)
	return r, err
}

// InsertLayerVersion records a layer version. (A deletion of one is not counted, since it may have changed nothing.)
func (c *Store) InsertLayerVersion(ctx context.Context, v catalog.LayerVersion, quota int64) (catalog.LayerVersion, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	v, err := c.Store.InsertLayerVersion(ctx, v, quota)
	c.wrote(err)
	return v, err
}

// forget drops a function, with its versions and aliases, that may have changed, also when the write answered an error: it may have happened nevertheless.
func (c *Store) forget(k lambda.FunctionKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.functions, k)
}

// forgetReserved drops what the functions of a scope have reserved together. Other changes leave it, so that the first
// invocation of a function that was just made need not ask for it.
func (c *Store) forgetReserved(s lambda.Scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.reserved, s)
}

// same reports whether two reservations are alike.
func same(a, b *int) bool { return a == b || a != nil && b != nil && *a == *b }

// wrote counts a write that took a number.
func (c *Store) wrote(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil && c.explained != unknown {
		c.explained++
	}
}
