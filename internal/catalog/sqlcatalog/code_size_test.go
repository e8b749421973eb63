package sqlcatalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestCodeSizesOfBefore: what a catalog had before its code was counted is counted by the migration.
func TestCodeSizesOfBefore(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")) },
		"PostgreSQL": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) { testCodeSizesOfBefore(t, url(t)) })
	}
}

func testCodeSizesOfBefore(t *testing.T, url string) {
	here := lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}
	there := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
	c := place(t, url)()
	for _, s := range []lambda.Scope{here, here, there} {
		v := catalog.LayerVersion{ARN: lambda.LayerVersionARN{LayerKey: lambda.LayerKey{Scope: s, Name: "libs"}}, Content: lambda.Content{Size: 7}, Created: time.Unix(1, 0)}
		if _, err := c.InsertLayerVersion(t.Context(), v, 0); err != nil {
			t.Fatal(err)
		}
	}
	f := catalog.Function{Key: lambda.FunctionKey{Scope: here, Name: "f"}, Latest: lambda.Revision{Code: lambda.Content{Size: 1000}}, State: lambda.StateActive, Newest: 1, Created: time.Unix(1, 0)}
	if _, err := c.InsertFunction(t.Context(), f, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	countCodeSizes(t, url)
	c = place(t, url)()
	defer c.Close()
	for s, want := range map[lambda.Scope]int64{here: 2*7 + 2*1000, there: 7} {
		if n, err := c.CodeStorage(t.Context(), s); err != nil || n != want {
			t.Errorf("%s: got %d bytes, %v, want %d", s.Account, n, err, want)
		}
	}
}

// countCodeSizes counts again, as the migration does.
func countCodeSizes(t *testing.T, url string) {
	t.Helper()
	b, err := os.ReadFile("migrations/00007_code_sizes.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, count, ok := strings.Cut(string(b), "INSERT INTO code_sizes")
	if !ok {
		t.Fatal("the migration counts nothing")
	}
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Transaction(t.Context(), func(tx *database.Tx) error {
		if _, err := tx.Exec(t.Context(), "DELETE FROM code_sizes"); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), "INSERT INTO code_sizes"+count)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
