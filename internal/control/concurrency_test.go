package control_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestReserveOnSeveralServers lets servers over one database reserve and provision at the same moment for functions of one account,
// each of which knows the functions as they were. What is given away never exceeds what there is: of 1000, three times 300, since
// 100 stay for all others.
func TestReserveOnSeveralServers(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")) },
		"PostgreSQL": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) { reserveOnSeveral(t, url(t)) })
	}
}

func reserveOnSeveral(t *testing.T, url string) {
	const servers, functions = 3, 9
	var services []*control.Service
	for i := range servers {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		records, err := sqlcatalog.Open(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		c := cached.New(records, time.Hour) // as late as can be
		t.Cleanup(func() { c.Close() })
		if i == 0 {
			for n := range functions {
				insertVersion(t, c, fmt.Sprintf("f%d", n))
			}
		}
		services = append(services, control.New(control.Options{Catalog: c, Concurrency: 1000}))
	}
	var wg sync.WaitGroup
	given := make([]error, functions)
	for n := range functions {
		s, r := services[n%servers], ref(fmt.Sprintf("f%d", n))
		wg.Go(func() {
			if n < functions/2 {
				r.Qualifier = "1"
				_, given[n] = s.PutProvisionedConcurrencyConfig(t.Context(), here, r, 300)
			} else {
				given[n] = s.PutFunctionConcurrency(t.Context(), here, r, 300)
			}
		})
	}
	wg.Wait()
	got := 0
	for n, err := range given {
		if err == nil {
			got++
		} else if !lambda.IsKind(err, lambda.Invalid) {
			t.Errorf("f%d: %v", n, err)
		}
	}
	if got != 3 {
		t.Errorf("%d functions got 300 each of 1000, want 3", got)
	}
	for i, s := range services {
		a, err := s.GetAccountSettings(t.Context(), here)
		if err != nil || a.Unreserved != 100 {
			t.Errorf("server %d: %d are left, %v, want 100", i, a.Unreserved, err)
		}
	}
}

// insertVersion records an active function with version 1.
func insertVersion(t *testing.T, c catalog.Store, name string) {
	t.Helper()
	_, err := c.InsertFunction(t.Context(), catalog.Function{
		Key: ref(name).FunctionKey, State: lambda.StateActive, UpdateStatus: lambda.UpdateSuccessful, Newest: 1, Created: time.Unix(1, 0),
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
}
