package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
)

// beVictim serves on a data folder, and ends when it is ready; or it does one of copies, named third, with the backup named second.
func beVictim(args []string) error {
	if len(args) == 1 {
		return serveOnce(settingsIn(args[0]))
	}
	return copies[args[2]].run(context.Background(), args[0], args[1])
}

// serveOnce serves until it is ready.
func serveOnce(cfg config.Config) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return daemon.Run(ctx, cfg, func(net.Addr) { cancel() })
}

// starts are data folders in which a server starts: a new one, and one in which a server was killed.
func starts(t *testing.T) map[string]func(t *testing.T) string {
	used := filepath.Join(t.TempDir(), "used")
	if err := serveOnce(settingsIn(used)); err != nil {
		t.Fatal(err)
	}
	return map[string]func(t *testing.T) string{
		"new": func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") },
		"used": func(t *testing.T) string {
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.CopyFS(dir, os.DirFS(used)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ".new-1"), []byte("half of a secr"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		},
	}
}

// points gives those of the data folder that a start comes to, and wants that each that there is comes in one of them.
func points(t *testing.T, folders map[string]func(t *testing.T) string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	seen := map[string]bool{}
	for _, name := range []string{"new", "used"} {
		cfg := settingsIn(folders[name](t))
		stop := failpoint.Record()
		err := serveOnce(cfg)
		hits := stop()
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range hits {
			if strings.HasPrefix(hit, "daemon.") && !slices.Contains(all[name], hit) && !(seen[hit] && name == "used") {
				all[name] = append(all[name], hit)
			}
			seen[hit] = true
		}
	}
	for _, p := range failpointtest.Points(t, ".") {
		if !seen[p.Name] && !ofBackup(p.Name) {
			t.Errorf("%s: no start comes to the fail point %s", p.Place, p.Name)
		}
	}
	return all
}

// TestStartStoppedAtEachFailPoint stops a server at each place where it changes the small files of its folder. The next one
// starts, with one secret that stays, and leaves nothing of the other.
func TestStartStoppedAtEachFailPoint(t *testing.T) {
	folders := starts(t)
	for name, list := range points(t, folders) {
		for _, point := range list {
			t.Run(name+"/"+point, func(t *testing.T) {
				dir := folders[name](t)
				failpointtest.Stop(t, point, 0, dir)
				before, _ := os.ReadFile(filepath.Join(dir, "secret"))
				wantStarts(t, dir, before)
			})
		}
	}
}

// TestStartFailsAtEachFailPoint lets each of them fail: the start says why, or goes on without, and the next one is well.
func TestStartFailsAtEachFailPoint(t *testing.T) {
	folders := starts(t)
	for name, list := range points(t, folders) {
		for _, point := range list {
			t.Run(name+"/"+point, func(t *testing.T) {
				dir := folders[name](t)
				disarm := failpoint.Arm(failpoint.Fault{Point: point, Err: unix.EROFS})
				defer disarm()
				if err := serveOnce(settingsIn(dir)); err != nil && !errors.Is(err, unix.EROFS) {
					t.Errorf("got %v, want one that says %q", err, unix.EROFS)
				}
				disarm()
				before, _ := os.ReadFile(filepath.Join(dir, "secret"))
				wantStarts(t, dir, before)
			})
		}
	}
}

// wantStarts starts a server twice.
func wantStarts(t *testing.T, dir string, secret []byte) {
	t.Helper()
	cfg := settingsIn(dir)
	for range 2 {
		if err := serveOnce(cfg); err != nil {
			t.Fatalf("the next start: %v", err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "secret"))
		if err != nil || len(got) < 32 || len(secret) > 0 && !bytes.Equal(got, secret) {
			t.Errorf("the secret has %d bytes (%v), and the one before had %d", len(got), err, len(secret))
		}
		secret = got
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := daemon.CheckData(t.Context(), cfg, func(f daemon.Finding) { t.Errorf("check: %+v", f) }); err != nil {
		t.Errorf("check: %v", err)
	}
}
