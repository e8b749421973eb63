package sqlcatalog_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

func TestNewest(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":   func() string { return database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")) },
		"Postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) { testNewest(t, place(t, url())().(*sqlcatalog.Catalog)) })
	}
}

func testNewest(t *testing.T, c *sqlcatalog.Catalog) {
	defer c.Close()
	scope := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
	insert := func(name string) catalog.Function {
		f, err := c.InsertFunction(t.Context(), catalog.Function{Key: lambda.FunctionKey{Scope: scope, Name: lambda.FunctionName(name)},
			Latest: lambda.Revision{Code: contentOf(name)}, State: lambda.StateActive, UpdateStatus: lambda.UpdateSuccessful, Created: time.Now()}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	changed, deleted, same := insert("changed"), insert("deleted"), insert("same")
	insert("not asked for")
	if _, err := c.UpdateFunction(t.Context(), changed.Key, 0, func(f *catalog.Function) error { f.Latest.Number = 0; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteFunction(t.Context(), deleted.Key); err != nil {
		t.Fatal(err)
	}
	ids := []string{changed.ID, deleted.ID, same.ID}
	for i := range 1000 { // more than one query's
		ids = append(ids, fmt.Sprintf("never %d", i))
	}
	got, err := c.Newest(t.Context(), ids)
	if diff := cmp.Diff(map[string]int64{changed.ID: 2, same.ID: 1}, got); err != nil || diff != "" {
		t.Errorf("newest revisions (-want +got, %v):\n%s", err, diff)
	}
	if got, err := c.Newest(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("of none: %v, %v", got, err)
	}
}
