package database_test

import (
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
)

// TestAVanishedServerLetsGo lets a server stand still in a transaction, as one that has no power does: another one gets the lock
// that it holds, and what the first has not committed has not happened.
func TestAVanishedServerLetsGo(t *testing.T) {
	database.SetIdleTimeout(t, time.Second)
	url := pgtest.URL(t)
	vanished, other := openWithTables(t, url), open(t, url)
	met := false
	for !met { // a machine that is slow enough looks dead before it comes that far
		err := vanished.Transaction(t.Context(), func(tx *database.Tx) error {
			if err := tx.LockTable(t.Context(), "counters"); err != nil {
				return err
			}
			if _, err := tx.Exec(t.Context(), "INSERT INTO counters (name, value) VALUES ('vanished', 1)"); err != nil {
				return err
			}
			err := other.Transaction(t.Context(), func(tx *database.Tx) error {
				if err := tx.LockTable(t.Context(), "counters"); err != nil { // waits for the first one
					return err
				}
				_, err := tx.Exec(t.Context(), "INSERT INTO counters (name, value) VALUES ('other', 2)")
				return err
			})
			met = err == nil
			return err
		})
		if met && err == nil {
			t.Error("the transaction of the vanished server was committed")
		}
	}
	var names string
	if err := other.QueryRow(t.Context(), "SELECT string_agg(name, ' ' ORDER BY name) FROM counters").Scan(&names); err != nil {
		t.Fatal(err)
	}
	if names != "other" {
		t.Errorf("there is %q", names)
	}
}
