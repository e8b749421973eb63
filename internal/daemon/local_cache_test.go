package daemon_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// TestARunKeepsItsTrees changes a zip while a run uses its tree: another run, which clears away what is old, leaves that tree; when
// the first has ended, the next clears it away.
func TestARunKeepsItsTrees(t *testing.T) {
	dir := t.TempDir()
	zip := filepath.Join(t.TempDir(), "layer.zip")
	var changes int
	change := func(source string) {
		t.Helper()
		changes++
		at := time.Date(2026, 1, 1, 0, 0, changes, 0, time.UTC)
		if err := errors.Join(os.WriteFile(zip, lambdatest.PythonLayer("m", source), 0o600), os.Chtimes(zip, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	use := func() (path string, c daemon.LocalCache) {
		t.Helper()
		c = daemon.NewLocalCache(dir)
		lower, err := c.Zip(t.Context(), zip)
		if err != nil {
			t.Fatal(err)
		}
		return lower.Path, c
	}
	there := func(path string) bool {
		_, err := os.Stat(filepath.Join(path, "python", "m.py"))
		return !errors.Is(err, fs.ErrNotExist)
	}

	change("x = 1\n")
	first, running := use()
	change("x = 2\n")
	second, ended := use()
	if second == first || !there(first) || !there(second) {
		t.Errorf("in use: %s there: %v, %s there: %v", first, there(first), second, there(second))
	}
	if err := errors.Join(running.Close(), ended.Close()); err != nil {
		t.Fatal(err)
	}
	change("x = 3\n")
	third, last := use()
	defer last.Close()
	if there(first) || there(second) || !there(third) {
		t.Errorf("after the end: %v, %v, the newest %v", there(first), there(second), there(third))
	}
}
