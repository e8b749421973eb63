package layerstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// TestOpenAfterACrash builds by hand what a crash leaves: a tree with a name and without marker whose files are not what
// they were, and a tree that has not even its name.
func TestOpenAfterACrash(t *testing.T) {
	base := t.TempDir()
	f := openFixture(t, base)
	c := f.put(t, sampleZip())
	kept := f.put(t, lambdatest.EchoFunction())
	l := f.lower(t, c)
	want := listing(t, l.Path)
	l.Release()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(f.dir, "tmp", "half")
	for _, err := range []error{
		os.Remove(filepath.Join(f.tree(c), "complete")),
		os.WriteFile(filepath.Join(f.tree(c), "root/python/m.py"), make([]byte, 6), 0o644),
		os.MkdirAll(filepath.Join(half, "root/python"), 0o755),
		os.WriteFile(filepath.Join(half, "root/python/m.py"), nil, 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}

	f = openFixture(t, base)
	if _, err := os.Lstat(f.tree(c)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the tree without marker is still there: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(f.tree(kept), "complete")); err != nil {
		t.Errorf("the complete tree is gone: %v", err)
	}
	if diff := cmp.Diff(want, listing(t, f.lower(t, c).Path)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if left := listing(t, filepath.Join(f.dir, "tmp")); len(left) != 1 {
		t.Errorf("tmp holds %v", left)
	}
}

// TestOpenLeavesWhatALivingProcessHolds does the same with locks held.
func TestOpenLeavesWhatALivingProcessHolds(t *testing.T) {
	base := t.TempDir()
	f := openFixture(t, base)
	c := f.put(t, sampleZip())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(f.dir, "tmp", "half")
	if err := errors.Join(os.Mkdir(half, 0o700), os.Remove(filepath.Join(f.tree(c), "complete"))); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{half, f.tree(c)} {
		unlock, err := lock(t, path, unix.LOCK_EX)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
	}
	if err := openFixture(t, base).Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{half, f.tree(c)} {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("Open removed what is locked: %v", err)
		}
	}
}

func TestImportReplacesATreeThatACrashLeft(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	f.lower(t, c).Release()
	if err := os.Remove(filepath.Join(f.tree(c), "complete")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.tree(c), "root/python/m.py"), []byte("junk"), 0o644); err != nil {
		t.Fatal(err)
	}
	// Another zip with the same tree, so that it is unpacked again.
	zip := append([]byte("#!stub\n"), sampleZip()...)
	if again := f.put(t, zip); again.TreeKey != c.TreeKey {
		t.Fatalf("tree %s, want %s", again.TreeKey, c.TreeKey)
	}
	b, err := os.ReadFile(filepath.Join(f.lower(t, c).Path, "python/m.py"))
	if err != nil || string(b) != "x = 1\n" {
		t.Errorf("m.py holds %q, %v", b, err)
	}
}

// TestFullDisk unpacks into a file system that is too small.
func TestFullDisk(t *testing.T) {
	base := t.TempDir()
	small := filepath.Join(base, "store")
	if err := os.Mkdir(small, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", small, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("cannot mount a small file system (this needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(small, unix.MNT_DETACH); err != nil {
			t.Errorf("cannot unmount: %v", err)
		}
	})
	f := openFixture(t, base)
	zip := lambdatest.Zip(map[string]string{"a": strings.Repeat("lambda", 200_000), "b": strings.Repeat("layer", 200_000)})
	_, err := f.Import(t.Context(), f.stage(t, zip), layerstore.ImportLimits{})
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Import: %v, want %v", err, unix.ENOSPC)
	}
	f.wantNothingStored(t)
	f.lower(t, f.put(t, sampleZip())) // what fits still works
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestImportStreams unpacks a file that is far larger than what may be allocated.
func TestImportStreams(t *testing.T) {
	f := newFixture(t)
	const size = 12 << 20
	st := f.stage(t, lambdatest.Bomb(size))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := f.Import(t.Context(), st, layerstore.ImportLimits{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("Import of %d bytes allocated %d", size, got)
	}
}
