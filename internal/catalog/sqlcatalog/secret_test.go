package sqlcatalog_test

import (
	"bytes"
	"path/filepath"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestSecret lets several servers propose a secret at once: they agree on one, and it stays.
func TestSecret(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		c := place(t, database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")))().(*sqlcatalog.Catalog)
		defer c.Close()
		testSecret(t, c, c)
	})
	t.Run("Postgres", func(t *testing.T) {
		p := place(t, pgtest.URL(t))
		a, b := p().(*sqlcatalog.Catalog), p().(*sqlcatalog.Catalog)
		defer a.Close()
		defer b.Close()
		testSecret(t, a, b)
	})
}

func testSecret(t *testing.T, servers ...*sqlcatalog.Catalog) {
	if _, err := servers[0].KeptSecret(t.Context(), "signing"); !lambda.IsKind(err, lambda.NotFound) {
		t.Errorf("before anybody proposed one: %v", err)
	}
	got := make([][]byte, 8)
	var g sync.WaitGroup
	for i := range got {
		g.Go(func() {
			var err error
			if got[i], err = servers[i%len(servers)].Secret(t.Context(), "signing", []byte{byte(i), 0, 255}); err != nil {
				t.Errorf("server %d: %v", i, err)
			}
		})
	}
	g.Wait()
	for i := range got {
		if len(got[i]) != 3 || !bytes.Equal(got[i], got[0]) {
			t.Errorf("server %d has the secret %v, the first one %v", i, got[i], got[0])
		}
	}
	kept, err := servers[0].KeptSecret(t.Context(), "signing")
	if err != nil || !bytes.Equal(kept, got[0]) {
		t.Errorf("kept is %v, %v, want %v", kept, err, got[0])
	}
	other, err := servers[0].Secret(t.Context(), "other", []byte("another"))
	if err != nil || string(other) != "another" {
		t.Errorf("a secret of another name: %q, %v", other, err)
	}
}
