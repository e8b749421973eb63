package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/laminadev/lamina/internal/failpoint"
)

// sqliteDialect is a file in WAL mode: one connection writes, and others read what was committed without waiting for it.
type sqliteDialect struct{}

// SQLiteURL gives the URL of a file.
func SQLiteURL(path string) string { return (&url.URL{Scheme: "sqlite", Path: path}).String() }

func openSQLite(ctx context.Context, u *url.URL) (*DB, error) {
	path := filepath.FromSlash(u.Path)
	// A "?" or "#" of a path that nobody escaped would cut it off and make another database.
	if u.Host != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || !filepath.IsAbs(path) || path == "/" {
		return nil, fmt.Errorf("cannot open the database: %q does not name a file: write sqlite:///folder/file.db, with %%3F for ? and %%23 for #", u)
	}
	if err := createPrivate(path); err != nil {
		return nil, fmt.Errorf("cannot create the database: %w", err)
	}
	db := &DB{dialect: sqliteDialect{}, folder: filepath.Dir(path)}
	var err error
	// The writer comes first: it turns on WAL, which stays with the file and which a reader could not turn on.
	if db.write, err = sqlitePool(ctx, path, 1, "_txlock=immediate", "_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)"); err != nil {
		return nil, err
	}
	if db.read, err = sqlitePool(ctx, path, max(4, runtime.GOMAXPROCS(0)), "_pragma=query_only(1)"); err != nil {
		db.write.Close()
		return nil, err
	}
	return db, nil
}

// createPrivate makes an empty file that its owner alone may read. SQLite gives its mode to the files that it puts beside it.
func createPrivate(path string) error {
	if err := failpoint.MkdirAll("database.folder", filepath.Dir(path), 0o700); err != nil {
		return err
	}
	// Only ever open a new file: to close a file that is a database already drops the locks that this process holds on it.
	f, err := failpoint.OpenFile("database.create", path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

func sqlitePool(ctx context.Context, path string, size int, params ...string) (*sql.DB, error) {
	// foreign_keys is off by default, and busy_timeout is for another process that looks into the file.
	params = append(params, "_pragma=busy_timeout(10000)", "_pragma=foreign_keys(1)")
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: strings.Join(params, "&")}
	db, err := sql.Open("sqlite", name.String())
	if err != nil {
		return nil, fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	return db, nil
}

func (sqliteDialect) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, nil)
}

func (sqliteDialect) retryable(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	primary := e.Code() & 0xff // the rest says more about it
	return primary == sqlite3.SQLITE_BUSY || primary == sqlite3.SQLITE_LOCKED
}

// lockTable has nothing to do: a transaction is begun as the only writer of the file.
func (sqliteDialect) lockTable(context.Context, *sql.Tx, string) error { return nil }

func (sqliteDialect) migrate(ctx context.Context, db *sql.DB, m migrations) error {
	return m.up(ctx, goose.DialectSQLite3, db)
}

func (sqliteDialect) checkSchema(ctx context.Context, db *sql.DB, m migrations) (int64, error) {
	return m.look(ctx, goose.DialectSQLite3, db, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1)")
}
