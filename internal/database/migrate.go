package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// NewerError says that a schema has seen migrations that this program does not know: a later one has written it. Nothing was
// changed.
type NewerError struct{ Has, Known int64 } // numbers of migrations

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database has schema %d, and this program knows those up to schema %d", e.Has, e.Known)
}

// migrations is a set of goose migrations and the table that remembers which were applied.
type migrations struct {
	files fs.FS
	table string
}

// Migrate applies the migrations that are missing, in their order. Each package with a schema has a set of its own, which
// the table's name tells apart. Several servers may call it on one PostgreSQL at once: one works, the others wait. (A SQLite file
// belongs to one server.) Where newer ones were applied, it is a *NewerError.
func (db *DB) Migrate(ctx context.Context, files fs.FS, table string) error {
	if err := db.dialect.migrate(ctx, db.write, migrations{files, table}); err != nil {
		return fmt.Errorf("cannot bring the database's schema up to date: %w", err)
	}
	return nil
}

// CheckSchema gives the number of the last of these migrations that was applied, 0 when none was. A schema that has newer ones
// is a *NewerError. Nothing is changed.
func (db *DB) CheckSchema(ctx context.Context, files fs.FS, table string) (int64, error) {
	has, err := db.dialect.checkSchema(ctx, db.read, migrations{files, table})
	if err != nil {
		return 0, fmt.Errorf("cannot use the database: %w", err)
	}
	return has, nil
}

func (m migrations) provider(dialect goose.Dialect, db *sql.DB) (*goose.Provider, error) {
	return goose.NewProvider(dialect, db, m.files, goose.WithTableName(m.table), goose.WithDisableGlobalRegistry(true))
}

func (m migrations) up(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	p, err := m.provider(dialect, db)
	if err != nil {
		return err
	}
	has, err := p.GetDBVersion(ctx)
	if err == nil {
		err = m.check(p, has)
	}
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// look is check for who must not make the table that is counted in; there asks whether it is there.
func (m migrations) look(ctx context.Context, dialect goose.Dialect, db *sql.DB, there string) (has int64, err error) {
	var found bool
	if err := db.QueryRowContext(ctx, there, m.table).Scan(&found); err != nil || !found {
		return 0, err
	}
	p, err := m.provider(dialect, db)
	if err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM "+m.table).Scan(&has); err != nil {
		return 0, err
	}
	return has, m.check(p, has)
}

func (migrations) check(p *goose.Provider, has int64) error {
	known := int64(0)
	for _, s := range p.ListSources() {
		known = max(known, s.Version)
	}
	if has > known {
		return &NewerError{has, known}
	}
	return nil
}
