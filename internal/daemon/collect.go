package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/digest"
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

// Collect frees what no record and no runtime of a data folder needs, whether a server is using it or not. Code of accounts that was
// counted wrong is counted again.
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
		if err := o.countAgain(ctx); err != nil {
			return Freed{}, err
		}
	}
	if cfg.Database == "" && folderUser(cfg.Data) == 0 {
		opts.Grace = 0 // there are no requests
	}
	freed, err := o.store.Collect(ctx, layerstore.CollectOptions{Keep: o.contents, Age: opts.Age, Grace: opts.Grace, DryRun: opts.DryRun})
	if err != nil || o.own == o.store {
		return freed, err
	}
	own, err := o.collectOwn(ctx, opts)
	freed.Zips, freed.Bytes = freed.Zips+own.Zips, freed.Bytes+own.Bytes
	return freed, err
}

// countAgain writes only when something is wrong.
func (o *offline) countAgain(ctx context.Context) error {
	wrong, err := o.records.CountedWrong(ctx)
	if err != nil || len(wrong) == 0 {
		return err
	}
	return o.records.CountAgain(ctx)
}

// collectOwn frees zips in the data folder that no runtime needs, where an S3 store keeps those of records. What records need
// stays: it may be on its way to the store.
func (o *offline) collectOwn(ctx context.Context, opts CollectOptions) (freed Freed, err error) {
	contents, err := o.contents(ctx)
	if err != nil {
		return freed, err
	}
	needed := map[digest.Digest]bool{}
	for _, c := range contents {
		needed[c.Digest] = true
	}
	before := now().Add(-opts.Age)
	err = o.local.List(ctx, func(i blob.Info) error {
		if needed[i.Digest] || !i.Created.Before(before) {
			return nil
		}
		if !opts.DryRun {
			if deleted, err := o.local.DeleteBefore(ctx, i.Digest, before); err != nil || !deleted {
				return err
			}
		}
		freed.Zips++
		freed.Bytes += i.Size
		return nil
	})
	return freed, err
}
