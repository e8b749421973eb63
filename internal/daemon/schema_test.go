package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
)

// TestRecordsOfALaterLamina: whoever does not know the schema of the records leaves them alone, and says which two meet.
func TestRecordsOfALaterLamina(t *testing.T) {
	file := filepath.Join(t.TempDir(), "of-now.tar")
	cfg := settings(t)
	if err := serveOnce(cfg); err != nil {
		t.Fatal(err)
	}
	makeLater(t, cfg)
	before := listFolder(t, cfg.Data)
	for name, use := range map[string]func() error{
		"serve":  func() error { return serveOnce(cfg) },
		"check":  func() error { _, err := daemon.CheckData(t.Context(), cfg, func(daemon.Finding) {}); return err },
		"gc":     func() error { _, err := daemon.Collect(t.Context(), cfg, daemon.CollectOptions{}); return err },
		"backup": func() error { _, err := daemon.Backup(t.Context(), cfg, file); return err },
	} {
		wantLater(t, name, use())
	}
	if after := listFolder(t, cfg.Data); strings.Join(before, "\n") != strings.Join(after, "\n") {
		t.Errorf("the folder holds %v, and held %v", after, before)
	}
	if _, err := os.Lstat(file); err == nil {
		t.Error("there is a backup")
	}
}

// TestRestoreOfALaterLamina makes no folder of it.
func TestRestoreOfALaterLamina(t *testing.T) {
	cfg := settings(t)
	if err := serveOnce(cfg); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole.tar")
	if _, err := daemon.Backup(t.Context(), cfg, whole); err != nil {
		t.Fatal(err)
	}
	makeLater(t, cfg)
	db, err := database.Open(t.Context(), cfg.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "lamina.db")
	if err := errors.Join(db.Copy(t.Context(), copied), db.Close()); err != nil {
		t.Fatal(err)
	}
	records, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(t.TempDir(), "later.tar")
	if err := os.WriteFile(later, replaced(t, b, "lamina.db", records), 0o600); err != nil {
		t.Fatal(err)
	}
	to := settings(t)
	_, err = daemon.Restore(t.Context(), to, later)
	wantLater(t, "restore", err)
	if left, err := os.ReadDir(filepath.Dir(to.Data)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSharedRecordsOfALaterLamina does so on PostgreSQL.
func TestSharedRecordsOfALaterLamina(t *testing.T) {
	cfg := settings(t)
	cfg.Database = pgtest.URL(t)
	if err := serveOnce(cfg); err != nil {
		t.Fatal(err)
	}
	makeLater(t, cfg)
	wantLater(t, "serve", serveOnce(cfg))
	_, err := daemon.CheckData(t.Context(), cfg, func(daemon.Finding) {})
	wantLater(t, "check", err)
	_, err = daemon.Collect(t.Context(), cfg, daemon.CollectOptions{})
	wantLater(t, "gc", err)
}

func wantLater(t *testing.T, name string, err error) {
	t.Helper()
	var p *daemon.Problem
	if !errors.As(err, &p) || !strings.Contains(p.Text, "schema 9999") || !strings.Contains(p.Text, "to schema ") || p.Todo == "" {
		t.Errorf("%s: got %v, want a problem that names both schemas and what to do", name, err)
	}
}

// makeLater lets the records look like those of a lamina to come.
func makeLater(t *testing.T, cfg config.Config) {
	t.Helper()
	db, err := database.Open(t.Context(), cfg.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Transaction(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO catalog_migrations (version_id, is_applied) VALUES (9999, "+isApplied(cfg)+")")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func isApplied(cfg config.Config) string {
	if cfg.Shared() {
		return "TRUE"
	}
	return "1"
}

// listFolder gives the names in a folder.
func listFolder(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
