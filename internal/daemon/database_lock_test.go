package daemon_test

import (
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/daemon"
)

// TestOneServerOfASQLiteFile: two servers with data folders of their own do not share one, and the next one may have it.
func TestOneServerOfASQLiteFile(t *testing.T) {
	first, second := settings(t), settings(t)
	first.Database = "sqlite://" + filepath.Join(t.TempDir(), "records", "lamina.db")
	second.Database = first.Database
	r := start(t, first)
	publish(t, r.client(t), "libs")
	var p *daemon.Problem
	err := daemon.Run(t.Context(), second, func(net.Addr) { t.Error("ready") })
	if !errors.As(err, &p) || !strings.Contains(p.Text, "lamina.db is used by another lamina serve") || !strings.Contains(p.Todo, "postgres://") {
		t.Errorf("got %v (%+v)", err, p)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if n := publish(t, start(t, second).client(t), "libs"); n != 2 {
		t.Errorf("the next version is %d, want 2", n)
	}
}
