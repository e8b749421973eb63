package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
)

// Finding is something in a data folder that is not as it should be.
type Finding = layerstore.Finding

// Checked counts what was looked at.
type Checked = layerstore.Checked

// CheckData reads everything in a data folder again: the database, every zip, what records say of them, how much code of each
// account was counted, every tree, every shared file. It changes nothing that counts, and a server may run meanwhile. What it finds goes to report; an error means
// that it could not look.
func CheckData(ctx context.Context, cfg config.Config, report func(Finding)) (_ Checked, err error) {
	o, err := openOffline(ctx, cfg)
	if err != nil {
		return Checked{}, err
	}
	defer func() { err = errors.Join(err, o.close(ctx)) }()
	if err := o.checkDatabase(ctx, cfg, report); err != nil {
		return Checked{}, err
	}
	if err := o.checkCounts(ctx, report); err != nil {
		return Checked{}, err
	}
	_, unreadable, err := runtimes.Contents(o.dir.sub("runtimes"))
	if err != nil {
		return Checked{}, err
	}
	for _, path := range unreadable {
		report(Finding{Kind: "runtime", What: path, Text: "the record cannot be read", Mend: "`lamina runtime add` with the name of the runtime writes a new one"})
	}
	if o.own == o.store {
		contents, err := o.contents(ctx)
		if err != nil {
			return Checked{}, err
		}
		return o.store.Check(ctx, contents, report)
	}
	return o.checkBoth(ctx, report)
}

// checkBoth looks at the zips of records in an S3 store, at those of runtimes in the data folder, and at the trees of both.
func (o *offline) checkBoth(ctx context.Context, report func(Finding)) (Checked, error) {
	recorded, err := o.records.Contents(ctx)
	if err != nil {
		return Checked{}, err
	}
	added, _, err := runtimes.Contents(o.dir.sub("runtimes"))
	if err != nil {
		return Checked{}, err
	}
	done, err := o.store.Check(ctx, recorded, report)
	if err != nil {
		return done, err
	}
	own, err := o.own.CheckZips(ctx, added, report)
	done.Zips += own.Zips
	return done, err
}

// checkCounts adds up how much code each account has.
func (o *offline) checkCounts(ctx context.Context, report func(Finding)) error {
	wrong, err := o.records.CountedWrong(ctx)
	for _, w := range wrong {
		report(Finding{
			Kind: "account", What: w.Scope.Account + " in " + w.Scope.Region,
			Text: fmt.Sprintf("its code is counted as %d bytes, and its records add up to %d", w.Counted, w.Has),
			Mend: "`lamina gc` counts it again",
		})
	}
	return err
}

func (o *offline) checkDatabase(ctx context.Context, cfg config.Config, report func(Finding)) error {
	faults, err := o.db.Integrity(ctx)
	if err != nil {
		return err
	}
	for _, text := range faults {
		report(Finding{Kind: "database", What: databaseName(cfg), Text: text, Mend: "restore it from a backup (`lamina restore`)"})
	}
	return nil
}
