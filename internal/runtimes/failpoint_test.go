package runtimes_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
)

const installed = "python3.13"

// withSet opens what a folder holds.
func withSet(dir string, f func(*runtimes.Set, *layerstore.Store) error) error {
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return err
	}
	blobs := blob.New(driver)
	store, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: blobs})
	if err != nil {
		return err
	}
	err = f(runtimes.New(runtimes.Options{Dir: filepath.Join(dir, "runtimes"), Store: store}), store)
	return errors.Join(err, store.Close(), blobs.Close())
}

func installIn(ctx context.Context, dir string) error {
	return withSet(dir, func(s *runtimes.Set, _ *layerstore.Store) error {
		return s.Install(ctx, installed, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "boto3.py"), []byte("x = 1\n"), 0o644)
		})
	})
}

// wantRecord reads what is recorded: nothing, or a tree that can be had and has all that was installed.
func wantRecord(t *testing.T, dir string) (there bool) {
	t.Helper()
	contents, unreadable, err := runtimes.Contents(filepath.Join(dir, "runtimes"))
	if err != nil || len(unreadable) != 0 {
		t.Errorf("%v cannot be read, %v", unreadable, err)
	}
	err = withSet(dir, func(_ *runtimes.Set, store *layerstore.Store) error {
		for _, c := range contents {
			tree, err := store.Lower(t.Context(), c)
			if err != nil {
				return err
			}
			defer tree.Release()
			if b, err := os.ReadFile(filepath.Join(tree.Path, "boto3.py")); err != nil || string(b) != "x = 1\n" {
				return fmt.Errorf("the tree holds %q, %w", b, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return len(contents) > 0
}

// installPoints gives the points of this package, and wants that an installation comes to each.
func installPoints(t *testing.T) (points []string) {
	t.Helper()
	stop := failpoint.Record()
	err := installIn(t.Context(), t.TempDir())
	hits := stop()
	if err != nil {
		t.Fatal(err)
	}
	for _, hit := range hits {
		if strings.HasPrefix(hit, "runtimes.") && !slices.Contains(points, hit) {
			points = append(points, hit)
		}
	}
	for _, p := range failpointtest.Points(t, ".") { // none where the tests run without the source
		if !slices.Contains(points, p.Name) {
			t.Errorf("%s: no installation comes to the fail point %s", p.Place, p.Name)
		}
	}
	return points
}

// TestInstallStoppedAtEachFailPoint stops an installation at each place where it changes the disk: the record is whole or is not
// there, and the next installation succeeds.
func TestInstallStoppedAtEachFailPoint(t *testing.T) {
	for _, point := range installPoints(t) {
		t.Run(point, func(t *testing.T) {
			dir := t.TempDir()
			failpointtest.Stop(t, point, 0, dir)
			wantRecord(t, dir)
			wantInstall(t, dir)
		})
	}
}

// TestInstallFailsAtEachFailPoint lets each of them fail: the error says why, or it was no loss.
func TestInstallFailsAtEachFailPoint(t *testing.T) {
	faults := []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE}
	for i, point := range installPoints(t) {
		t.Run(point, func(t *testing.T) {
			dir, fault := t.TempDir(), faults[i%len(faults)]
			disarm := failpoint.Arm(failpoint.Fault{Point: point, Err: fault})
			defer disarm()
			err := installIn(t.Context(), dir)
			disarm()
			if err != nil && !errors.Is(err, fault) {
				t.Errorf("got %v, want one that says %q", err, fault)
			}
			if there := wantRecord(t, dir); err == nil && !there {
				t.Error("it gave no error, and nothing is recorded")
			}
			if err == nil && !strings.HasSuffix(point, "-done") {
				t.Error("it gave no error, and this was no tidying up")
			}
			wantInstall(t, dir)
		})
	}
}

func wantInstall(t *testing.T, dir string) {
	t.Helper()
	if err := installIn(t.Context(), dir); err != nil {
		t.Fatalf("the next installation: %v", err)
	}
	if !wantRecord(t, dir) {
		t.Error("nothing is recorded after the next installation")
	}
}
