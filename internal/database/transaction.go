package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/laminadev/lamina/internal/failpoint"
)

// Tx is a transaction that writes. It is for one goroutine.
type Tx struct {
	runner
	dialect dialect
	tx      *sql.Tx
}

// LockTable keeps other writers of a table out until the end of the transaction. Called first, it makes transactions on
// PostgreSQL queue where they would otherwise fail and run again. Readers are not hindered.
func (tx *Tx) LockTable(ctx context.Context, table string) error {
	return tx.dialect.lockTable(ctx, tx.tx, table)
}

// The pause before a transaction runs again grows from the first to the last of these, each shortened at random so that
// those who collided don't meet again.
const (
	firstPause = time.Millisecond
	lastPause  = 100 * time.Millisecond
	maxRuns    = 50
)

// Transaction runs f in a serializable transaction and commits it. When the database says that another transaction came
// between, f runs again, so it must not leave traces elsewhere. An error of f is given back as it is and nothing is changed.
// On SQLite f must not begin another transaction: there is one writer at a time, and it would wait for itself.
func (db *DB) Transaction(ctx context.Context, f func(*Tx) error) error {
	pause := firstPause
	for run := 1; ; run++ {
		err := db.try(ctx, f)
		if err == nil || run == maxRuns || !db.dialect.retryable(err) {
			return db.withFault(err)
		}
		if err := wait(ctx, rand.N(pause)); err != nil {
			return err
		}
		pause = min(2*pause, lastPause)
	}
}

func (db *DB) try(ctx context.Context, f func(*Tx) error) error {
	tx, err := db.dialect.begin(ctx, db.write)
	if err != nil {
		return fmt.Errorf("cannot begin a transaction: %w", err)
	}
	defer tx.Rollback() // does nothing after Commit
	if err := f(&Tx{runner{tx}, db.dialect, tx}); err != nil {
		return err
	}
	if err := failpoint.Hit("database.commit"); err != nil {
		return fmt.Errorf("cannot commit a transaction: %w", err)
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil { // the end of the context has rolled it back
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("cannot commit a transaction: %w", err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
