package database_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// onBoth runs a test on SQLite and on PostgreSQL; url names an empty database.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, database.SQLiteURL(filepath.Join(t.TempDir(), "folder", "lamina.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

var tables = fstest.MapFS{
	"00001_counters.sql": {Data: []byte("-- +goose Up\nCREATE TABLE counters (name bytetext PRIMARY KEY, value BIGINT NOT NULL, note TEXT);")},
}

var moreTables = fstest.MapFS{
	"00001_counters.sql": tables["00001_counters.sql"],
	"00002_first.sql":    {Data: []byte("-- +goose Up\nINSERT INTO counters (name, value) VALUES ('first', 7);")},
}

func open(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func openWithTables(t *testing.T, url string) *database.DB {
	t.Helper()
	db := open(t, url)
	if err := db.Migrate(t.Context(), tables, "migrations"); err != nil {
		t.Fatal(err)
	}
	return db
}

func put(t *testing.T, db *database.DB, name string, value int64) {
	t.Helper()
	err := db.Transaction(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO counters (name, value) VALUES ($1, $2)", name, value)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func value(t *testing.T, q database.Querier, name string) int64 {
	t.Helper()
	var n int64
	if err := q.QueryRow(t.Context(), "SELECT value FROM counters WHERE name = $1", name).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenRefuses(t *testing.T) {
	for url, part := range map[string]string{
		"mysql://host/db":                        `"mysql" is neither sqlite nor postgres`,
		"":                                       `"" is neither sqlite nor postgres`,
		"sqlite://relative/file.db":              "does not name a file",
		"sqlite:///":                             "does not name a file",
		"sqlite:///a/file#1.db":                  "does not name a file",
		"sqlite:///a/file.db?mode=ro":            "does not name a file",
		"sqlite:///a/file.db?":                   "does not name a file",
		"postgres://u:secret@host:notaport/name": "its URL cannot be read",
		"postgres://u:secret@host/db?sslmode=x":  "its URL cannot be read",
		"postgres://u:secret@127.0.0.1:1/db":     "cannot open the database",
	} {
		db, err := database.Open(t.Context(), url)
		if err == nil {
			db.Close()
			t.Errorf("%s was opened", url)
			continue
		}
		if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %q, want it to say %q and no password", url, err, part)
		}
	}
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a folder?#%41")
	db := openWithTables(t, database.SQLiteURL(filepath.Join(dir, "lamina.db")))
	put(t, db, "a", 1)
	want := map[string]fs.FileMode{".": 0o700, "lamina.db": 0o600, "lamina.db-wal": 0o600, "lamina.db-shm": 0o600}
	got := map[string]fs.FileMode{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		got[path] = fi.Mode().Perm()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

func TestSQLiteSettings(t *testing.T) {
	db := open(t, database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")))
	pragma := func(q database.Querier, name string) (s string) {
		if err := q.QueryRow(t.Context(), "PRAGMA "+name).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	err := db.Transaction(t.Context(), func(tx *database.Tx) error {
		for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
			if got := pragma(tx, name); got != want {
				t.Errorf("writer: %s is %s, want %s", name, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := pragma(db, "query_only"); got != "1" {
		t.Errorf("readers: query_only is %s, want 1", got)
	}
}

func TestMigrate(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := openWithTables(t, url)
		put(t, db, "a", 1)
		if err := db.Migrate(t.Context(), moreTables, "migrations"); err != nil {
			t.Fatal(err)
		}
		if got := value(t, db, "first"); got != 7 {
			t.Errorf("got %d, want 7", got)
		}
		if err := db.Migrate(t.Context(), moreTables, "migrations"); err != nil {
			t.Errorf("nothing to do: %v", err)
		}
		other := fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (a bytetext);")}}
		if err := db.Migrate(t.Context(), other, "other_migrations"); err != nil {
			t.Errorf("another set: %v", err)
		}
		if err := db.Migrate(t.Context(), fstest.MapFS{"00003_bad.sql": {Data: []byte("-- +goose Up\nCREATE NONSENSE;")}}, "bad"); err == nil {
			t.Error("a bad migration was accepted")
		}
	})
}

// TestMigrateTogether: servers that start at once over one PostgreSQL.
func TestMigrateTogether(t *testing.T) {
	url := pgtest.URL(t)
	var wg sync.WaitGroup
	for range 4 {
		db := open(t, url)
		wg.Go(func() {
			if err := db.Migrate(t.Context(), tables, "migrations"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	put(t, open(t, url), "a", 1)
}

func TestTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := openWithTables(t, url)
		put(t, db, "a", 1)
		cause := errors.New("no")
		err := db.Transaction(t.Context(), func(tx *database.Tx) error {
			n, err := tx.Exec(t.Context(), "UPDATE counters SET value = 2 WHERE name = $1", "a")
			if err != nil || n != 1 {
				t.Errorf("update: %d rows, %v", n, err)
			}
			if got := value(t, tx, "a"); got != 2 {
				t.Errorf("inside: got %d, want 2", got)
			}
			if got := value(t, db, "a"); got != 1 {
				t.Errorf("outside, meanwhile: got %d, want 1", got)
			}
			return cause
		})
		if err != cause {
			t.Errorf("got %v, want the function's own error", err)
		}
		if got := value(t, db, "a"); got != 1 {
			t.Errorf("after the failure: got %d, want 1", got)
		}
		var n int64
		err = db.QueryRow(t.Context(), "SELECT value FROM counters WHERE name = $1", "none").Scan(&n)
		if !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("got %v, want %v", err, sql.ErrNoRows)
		}
	})
}

// TestTransactionRunsAgain: increments that read before they write are all there, with the lock and without it.
func TestTransactionRunsAgain(t *testing.T) {
	for _, lock := range []bool{true, false} {
		onBoth(t, func(t *testing.T, url string) {
			const writers = 10
			dbs := []*database.DB{openWithTables(t, url), open(t, url)} // as two servers
			put(t, dbs[0], "a", 0)
			runs := make([]int, writers)
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					err := dbs[i%2].Transaction(t.Context(), func(tx *database.Tx) error {
						runs[i]++
						if lock {
							if err := tx.LockTable(t.Context(), "counters"); err != nil {
								return err
							}
						}
						var n int64
						if err := tx.QueryRow(t.Context(), "SELECT value FROM counters WHERE name = 'a'").Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(t.Context(), "UPDATE counters SET value = $1 WHERE name = 'a'", n+1)
						return err
					})
					if err != nil {
						t.Errorf("writer %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			if got := value(t, dbs[0], "a"); got != writers {
				t.Errorf("got %d, want %d", got, writers)
			}
			for i, n := range runs {
				if lock && n != 1 {
					t.Errorf("writer %d ran %d times although it had the lock", i, n)
				}
			}
		})
	}
}

func TestBytetextSortsByBytes(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := openWithTables(t, url)
		want := []string{"-", "A", "Z", "_", "a", "a-b", "ab", "é"}
		for _, name := range []string{"a", "Z", "é", "_", "ab", "A", "-", "a-b"} {
			put(t, db, name, 0)
		}
		rows, err := db.Query(t.Context(), "SELECT name FROM counters WHERE name > $1 ORDER BY name", "")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestArguments(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := openWithTables(t, url)
		type name string
		var note *string
		err := db.Transaction(t.Context(), func(tx *database.Tx) error {
			for _, bad := range []any{"a\x00b", name("\x00"), new("a\x00"), "\xff"} {
				_, err := tx.Exec(t.Context(), "INSERT INTO counters (name, value) VALUES ($1, 1)", bad)
				if !lambda.IsKind(err, lambda.Invalid) {
					t.Errorf("%q: got %v, want kind %q", bad, err, lambda.Invalid)
				}
			}
			_, err := tx.Exec(t.Context(), "INSERT INTO counters (name, value, note) VALUES ($2, $1, $3)", 5, name("n"), note)
			return err // a refused argument does not spoil the transaction
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.QueryRow(t.Context(), "SELECT note FROM counters WHERE name = $1", name("n")).Scan(&note); err != nil || note != nil {
			t.Errorf("got note %v, %v; want NULL", note, err)
		}
		if _, err := db.Query(t.Context(), "SELECT 1 WHERE $1 = 'a'", "\x00"); !lambda.IsKind(err, lambda.Invalid) {
			t.Errorf("a query: got %v", err)
		}
		if err := db.QueryRow(t.Context(), "SELECT 1 WHERE $1 = 'a'", struct{}{}).Scan(new(int)); err == nil {
			t.Error("an argument of no type was accepted")
		}
	})
}

func TestTransactionStopsWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := openWithTables(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.Transaction(ctx, func(tx *database.Tx) error {
			if _, err := tx.Exec(ctx, "INSERT INTO counters (name, value) VALUES ('a', 1)"); err != nil {
				return err
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		put(t, db, "a", 2) // nothing of it is there
	})
}
