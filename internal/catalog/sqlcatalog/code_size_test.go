package sqlcatalog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestCodeSizesOfBefore: what a catalog had before its code was counted is counted by the migration.
func TestCodeSizesOfBefore(t *testing.T) {
	onBoth(t, testCodeSizesOfBefore)
}

// onBoth runs a test on SQLite and on PostgreSQL; url names an empty database.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db"))) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, pgtest.URL(t)) })
}

func testCodeSizesOfBefore(t *testing.T, url string) {
	here := lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}
	there := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
	fill(t, url, here, there)
	countCodeSizes(t, url)
	c := place(t, url)()
	defer c.Close()
	for s, want := range map[lambda.Scope]int64{here: 2*7 + 2*1000, there: 7} {
		if n, err := c.CodeStorage(t.Context(), s); err != nil || n != want {
			t.Errorf("%s: got %d bytes, %v, want %d", s.Account, n, err, want)
		}
	}
}

// fill gives one account two layer versions and a function with a version, and another one a layer version.
func fill(t *testing.T, url string, here, there lambda.Scope) {
	t.Helper()
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
}

// TestCountedWrong: what is counted is compared with what the records say, and counted again.
func TestCountedWrong(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		here := lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}
		there := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
		gone := lambda.Scope{Partition: "aws", Account: "222222222222", Region: "us-east-1"}
		fill(t, url, here, there)
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c, err := sqlcatalog.OpenAsIs(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.CountedWrong(t.Context()); len(got) != 0 || err != nil {
			t.Errorf("nothing is wrong, got %+v, %v", got, err)
		}
		err = db.Transaction(t.Context(), func(tx *database.Tx) error {
			for _, statement := range []string{
				"UPDATE code_sizes SET size = size + 5 WHERE account = '000000000000'",
				"DELETE FROM code_sizes WHERE account = '111111111111'",
				"INSERT INTO code_sizes (partition, account, region, size) VALUES ('aws', '222222222222', 'us-east-1', 9)",
			} {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []sqlcatalog.WrongCount{
			{Scope: here, Counted: 2*7 + 2*1000 + 5, Has: 2*7 + 2*1000},
			{Scope: there, Counted: 0, Has: 7},
			{Scope: gone, Counted: 9, Has: 0},
		}
		got, err := c.CountedWrong(t.Context())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if err := c.CountAgain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := c.CountedWrong(t.Context()); len(got) != 0 || err != nil {
			t.Errorf("after it was counted again: %+v, %v", got, err)
		}
		for s, want := range map[lambda.Scope]int64{here: 2*7 + 2*1000, there: 7, gone: 0} {
			if n, err := c.CodeStorage(t.Context(), s); err != nil || n != want {
				t.Errorf("%s: got %d bytes, %v, want %d", s.Account, n, err, want)
			}
		}
	})
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
