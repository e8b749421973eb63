package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
)

// copying is a change of the disk in which a backup is written or read.
type copying struct {
	run func(ctx context.Context, dir, file string) error
	// at gives the data folder and the backup for a run, made of a backup. What a killed one has left lies beside.
	at func(t *testing.T, backup string) (dir, file string)
	// want looks at what is there after a run that did not come to its end, and whether there is a result.
	want func(t *testing.T, dir, file string) bool
	undo func(dir, file string) error    // removes the result
	left func(dir, file string) []string // patterns of what must not stay
}

var copies = map[string]copying{
	"backup": {
		run: func(ctx context.Context, dir, file string) error {
			_, err := daemon.Backup(ctx, settingsIn(dir), file)
			return err
		},
		at: func(t *testing.T, backup string) (dir, file string) {
			dir, file = restored(t, backup).Data, filepath.Join(t.TempDir(), "backup.tar")
			for _, err := range []error{
				os.Mkdir(filepath.Join(dir, ".backup-left"), 0o700),
				os.WriteFile(filepath.Join(filepath.Dir(file), ".lamina-backup-left"), []byte("half"), 0o600),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			return dir, file
		},
		want: func(t *testing.T, dir, file string) bool {
			if findings, _ := check(t, settingsIn(dir)); len(findings) != 0 {
				t.Errorf("the data folder: %+v", findings)
			}
			if _, err := os.Lstat(file); err != nil {
				return false
			}
			wantBackup(t, file) // it has its name: so it is whole
			return true
		},
		undo: func(_, file string) error { return os.Remove(file) },
		left: func(dir, file string) []string {
			return []string{filepath.Join(filepath.Dir(file), ".lamina-*"), filepath.Join(dir, ".backup-*")}
		},
	},
	"restore": {
		run: func(ctx context.Context, dir, file string) error {
			_, err := daemon.Restore(ctx, settingsIn(dir), file)
			return err
		},
		at: func(t *testing.T, backup string) (dir, file string) {
			dir = filepath.Join(t.TempDir(), "data")
			if err := os.MkdirAll(filepath.Join(filepath.Dir(dir), ".lamina-restore-left", "blobs"), 0o700); err != nil {
				t.Fatal(err)
			}
			return dir, backup
		},
		want: func(t *testing.T, dir, _ string) bool {
			if _, err := os.Lstat(dir); err != nil {
				return false
			}
			if findings, done := check(t, settingsIn(dir)); len(findings) != 0 || done.Zips != 1 {
				t.Errorf("the restored folder: %+v in %+v", findings, done)
			}
			return true
		},
		undo: func(dir, _ string) error { return os.RemoveAll(dir) },
		left: func(dir, _ string) []string { return []string{filepath.Join(filepath.Dir(dir), ".lamina-*")} },
	},
}

// ofBackup tells the points that copies come to from those of a start.
func ofBackup(point string) bool {
	return strings.HasPrefix(point, "daemon.backup") || strings.HasPrefix(point, "daemon.restore") || point == "daemon.sweep-left"
}

// wantBackup restores a backup and looks whether all of it is there.
func wantBackup(t *testing.T, file string) {
	t.Helper()
	if findings, done := check(t, restored(t, file)); len(findings) != 0 || done.Zips != 1 {
		t.Errorf("the backup: %+v in %+v", findings, done)
	}
}

// copyPoints gives the points that each of copies comes to, and wants that there are no others.
func copyPoints(t *testing.T, backup string) map[string][]string {
	t.Helper()
	all, seen := map[string][]string{}, map[string]bool{}
	for name, c := range copies {
		dir, file := c.at(t, backup)
		stop := failpoint.Record()
		err := c.run(t.Context(), dir, file)
		hits := stop()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, hit := range hits {
			if ofBackup(hit) && !slices.Contains(all[name], hit) {
				all[name] = append(all[name], hit)
				seen[hit] = true
			}
		}
	}
	for _, p := range failpointtest.Points(t, ".") {
		if ofBackup(p.Name) && !seen[p.Name] {
			t.Errorf("%s: neither a backup nor its restoration comes to the fail point %s", p.Place, p.Name)
		}
	}
	return all
}

// wholeBackup gives a backup with one zip.
func wholeBackup(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := os.WriteFile(file, backedUp(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestCopiesStoppedAtEachFailPoint stops a backup and a restoration at each place where they change the disk. What has its name
// is whole, nothing that was there is hurt, and the next one succeeds and leaves nothing of the other.
func TestCopiesStoppedAtEachFailPoint(t *testing.T) {
	backup := wholeBackup(t)
	for name, points := range copyPoints(t, backup) {
		c := copies[name]
		for _, point := range points {
			t.Run(name+"/"+point, func(t *testing.T) {
				dir, file := c.at(t, backup)
				failpointtest.Stop(t, point, 0, dir, file, name)
				c.wantAgain(t, dir, file)
			})
		}
	}
}

// TestCopiesFailAtEachFailPoint lets each of them fail: the error says why, or it was no loss.
func TestCopiesFailAtEachFailPoint(t *testing.T) {
	backup := wholeBackup(t)
	faults := []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE}
	for name, points := range copyPoints(t, backup) {
		c := copies[name]
		for i, point := range points {
			fault := faults[i%len(faults)]
			t.Run(name+"/"+point, func(t *testing.T) {
				dir, file := c.at(t, backup)
				disarm := failpoint.Arm(failpoint.Fault{Point: point, Err: fault})
				defer disarm()
				err := c.run(t.Context(), dir, file)
				disarm()
				if err != nil && !errors.Is(err, fault) {
					t.Errorf("got %v, want one that says %q", err, fault)
				}
				if there := c.want(t, dir, file); err == nil && !there {
					t.Error("it gave no error, and nothing is there")
				}
				c.wantAgain(t, dir, file)
			})
		}
	}
}

// wantAgain looks at what one has left that did not come to its end, and wants that the next one is well.
func (c copying) wantAgain(t *testing.T, dir, file string) {
	t.Helper()
	if c.want(t, dir, file) {
		if err := c.undo(dir, file); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.run(t.Context(), dir, file); err != nil {
		t.Fatalf("the next one: %v", err)
	}
	if !c.want(t, dir, file) {
		t.Error("after the next one nothing is there")
	}
	for _, pattern := range c.left(dir, file) {
		if left, err := filepath.Glob(pattern); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}
