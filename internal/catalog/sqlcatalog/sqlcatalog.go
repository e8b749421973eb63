// Package sqlcatalog keeps the catalog in SQLite or PostgreSQL, with one schema and one set of queries for both.
//
// A transaction that changes something first takes the lock on the table change_sequence, which makes writers queue, and
// numbers its change there before it writes. So numbers of changes become visible in their order: whoever has seen number n
// has every change up to n.
package sqlcatalog

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationsTable remembers which of them were applied.
const migrationsTable = "catalog_migrations"

// Catalog is a catalog.Store. Messages of its errors are for logs.
type Catalog struct {
	db        *database.DB
	uncounted bool // the schema is of before code was counted
}

var _ catalog.Store = (*Catalog)(nil)

// Open brings the schema up to date and gives a catalog over the database, which Close closes. Records of a later version are a
// *database.NewerError.
func Open(ctx context.Context, db *database.DB) (*Catalog, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, files, migrationsTable); err != nil {
		return nil, fmt.Errorf("cannot open the catalog: %w", err)
	}
	return &Catalog{db: db}, nil
}

// Close closes the database.
func (c *Catalog) Close() error { return c.db.Close() }

// Sequence gives the number of the newest change.
func (c *Catalog) Sequence(ctx context.Context) (int64, error) {
	var n int64
	if err := c.db.QueryRow(ctx, "SELECT value FROM change_sequence").Scan(&n); err != nil {
		return 0, fmt.Errorf("cannot read the number of the newest change: %w", err)
	}
	return n, nil
}

// change runs f in a transaction that keeps other writers out. f may run again.
func (c *Catalog) change(ctx context.Context, f func(*database.Tx) error) error {
	return c.db.Transaction(ctx, func(tx *database.Tx) error {
		if err := tx.LockTable(ctx, "change_sequence"); err != nil {
			return err
		}
		return f(tx)
	})
}

// nextSequence numbers a change.
func nextSequence(ctx context.Context, tx *database.Tx) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, "UPDATE change_sequence SET value = value + 1 RETURNING value").Scan(&n)
	return n, err
}
