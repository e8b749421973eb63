package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// migrations is a set of goose migrations and the table that remembers which were applied.
type migrations struct {
	files fs.FS
	table string
}

// Migrate applies the migrations that are missing, in their order. Each package with a schema has a set of its own, which
// the table's name tells apart. Several servers may call it on one PostgreSQL at once: one works, the others wait. (A SQLite file
// belongs to one server.)
func (db *DB) Migrate(ctx context.Context, files fs.FS, table string) error {
	if err := db.dialect.migrate(ctx, db.write, migrations{files, table}); err != nil {
		return fmt.Errorf("cannot bring the database's schema up to date: %w", err)
	}
	return nil
}

func (m migrations) up(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	p, err := goose.NewProvider(dialect, db, m.files, goose.WithTableName(m.table), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}
