package database_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/database"
)

// TestNewerSchema: who knows fewer migrations than were applied touches nothing.
func TestNewerSchema(t *testing.T) {
	onBoth(t, func(t *testing.T, url string) {
		db := open(t, url)
		if has, err := db.CheckSchema(t.Context(), tables, "migrations"); has != 0 || err != nil {
			t.Errorf("an empty database has %d, %v", has, err)
		}
		if err := db.Migrate(t.Context(), moreTables, "migrations"); err != nil {
			t.Fatal(err)
		}
		if has, err := db.CheckSchema(t.Context(), moreTables, "migrations"); has != 2 || err != nil {
			t.Errorf("all of it: got %d, %v", has, err)
		}
		_, checked := db.CheckSchema(t.Context(), tables, "migrations")
		want := &database.NewerError{Has: 2, Known: 1}
		for name, err := range map[string]error{
			"CheckSchema": checked,
			"Migrate":     db.Migrate(t.Context(), tables, "migrations"),
		} {
			var got *database.NewerError
			if !errors.As(err, &got) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			} else if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		if has, err := db.CheckSchema(t.Context(), tables, "other_migrations"); has != 0 || err != nil {
			t.Errorf("another set has %d, %v", has, err)
		}
	})
}
