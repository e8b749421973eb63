package sqlcatalog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/catalogtest"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestSQLite(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) catalogtest.Place {
		return place(t, database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")))
	})
}

func TestPostgres(t *testing.T) {
	pgtest.URL(t) // skips the whole suite at once where there is none
	catalogtest.Run(t, func(t *testing.T) catalogtest.Place { return place(t, pgtest.URL(t)) })
}

func place(t *testing.T, url string) catalogtest.Place {
	return func() catalog.Store {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		c, err := sqlcatalog.Open(t.Context(), db)
		if err != nil {
			db.Close()
			t.Fatal(err)
		}
		return c
	}
}
