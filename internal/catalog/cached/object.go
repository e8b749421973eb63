package cached

import (
	"context"

	"github.com/laminadev/lamina/internal/catalog"
)

// The writes of objects take a number each, and are counted so that they make no server forget its functions. Deletions are not
// counted, since they may have changed nothing.

// PutObject records the newest version of an object.
func (c *Store) PutObject(ctx context.Context, o catalog.Object, check catalog.Check) (catalog.Object, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	o, err := c.Store.PutObject(ctx, o, check)
	c.wrote(err)
	return o, err
}

// PutPart records a part of an upload.
func (c *Store) PutPart(ctx context.Context, u catalog.Upload, p catalog.Part) (catalog.Part, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	p, err := c.Store.PutPart(ctx, u, p)
	c.wrote(err)
	return p, err
}

// InsertUpload records an upload.
func (c *Store) InsertUpload(ctx context.Context, u catalog.Upload) (catalog.Upload, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	u, err := c.Store.InsertUpload(ctx, u)
	c.wrote(err)
	return u, err
}

// CompleteUpload makes an upload an object.
func (c *Store) CompleteUpload(ctx context.Context, u catalog.Upload, o catalog.Object, check catalog.Check) (catalog.Object, error) {
	c.writing.RLock()
	defer c.writing.RUnlock()
	o, err := c.Store.CompleteUpload(ctx, u, o, check)
	c.wrote(err)
	return o, err
}
