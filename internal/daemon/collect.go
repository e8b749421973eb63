package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/layerstore"
)

// Freed is what a collection has freed, or would have.
type Freed = layerstore.Collected

// CollectOptions say what Collect may free.
type CollectOptions struct {
	Age    time.Duration // what is younger stays: its record may be on its way
	Grace  time.Duration // that requests of a running server get to end
	DryRun bool
}

// Collect frees what no record and no runtime of a data folder needs, whether a server is using it or not.
func Collect(ctx context.Context, cfg config.Config, opts CollectOptions) (_ Freed, err error) {
	o, err := openOffline(ctx, cfg)
	if err != nil {
		return Freed{}, err
	}
	defer func() { err = errors.Join(err, o.close(ctx)) }()
	if !opts.DryRun {
		unlock, err := o.lockZips()
		if err != nil {
			return Freed{}, err
		}
		defer unlock()
	}
	if cfg.Database == "" && folderUser(cfg.Data) == 0 {
		opts.Grace = 0 // there are no requests
	}
	return o.store.Collect(ctx, layerstore.CollectOptions{Keep: o.contents, Age: opts.Age, Grace: opts.Grace, DryRun: opts.DryRun})
}
