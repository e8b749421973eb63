package layerstore_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// lock takes a lock on a folder as another process would; the error is EWOULDBLOCK when it is held.
func lock(t *testing.T, path string, how int) (unlock func(), err error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func TestLowerHoldsASharedLockUntilTheLastRelease(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	first, second := f.lower(t, c), f.lower(t, c)
	if unlock, err := lock(t, f.tree(c), unix.LOCK_SH); err != nil {
		t.Errorf("a second user: %v", err)
	} else {
		unlock()
	}
	first.Release()
	first.Release() // twice is once
	if _, err := lock(t, f.tree(c), unix.LOCK_EX); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("exclusive lock while the tree is used: %v", err)
	}
	second.Release()
	unlock, err := lock(t, f.tree(c), unix.LOCK_EX)
	if err != nil {
		t.Fatalf("exclusive lock when nobody uses the tree: %v", err)
	}
	unlock()
}

func TestLowerUnpacksWhatIsMissing(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	l := f.lower(t, c)
	want := listing(t, l.Path)
	l.Release()
	if err := os.RemoveAll(f.tree(c)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, listing(t, f.lower(t, c).Path)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestLowerOfWhatCannotBeUnpacked(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	other := f.put(t, lambdatest.EchoFunction())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = openFixture(t, filepath.Dir(f.dir))
	if err := os.RemoveAll(f.tree(c)); err != nil {
		t.Fatal(err)
	}

	absent := c
	absent.Digest = digest.Of([]byte("absent"))
	if _, err := f.Lower(t.Context(), absent); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("zip absent: %v", err)
	}
	wrong := c
	wrong.Digest = other.Digest
	wrong.UnzippedSize = other.UnzippedSize
	if _, err := f.Lower(t.Context(), wrong); err == nil {
		t.Error("zip of another tree: no error")
	}
	f.fault.open = errors.New("disk on fire")
	if _, err := f.Lower(t.Context(), c); !errors.Is(err, f.fault.open) {
		t.Errorf("zip unreadable: %v", err)
	}
	f.fault.open = nil

	blobs, err := filepath.Glob(filepath.Join(filepath.Dir(f.dir), "blobs/sha256/*", c.Digest.Hex()))
	if err != nil || len(blobs) != 1 {
		t.Fatalf("blobs %v, %v", blobs, err)
	}
	zip, err := os.ReadFile(blobs[0])
	if err != nil {
		t.Fatal(err)
	}
	const timestamp = 9 // bytes between the name and the content
	broken := bytes.Clone(zip)
	broken[bytes.Index(zip, []byte("python/m.py"))+len("python/m.py")+timestamp+1] ^= 0xff
	if err := os.WriteFile(blobs[0], broken, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lower(t.Context(), c); !lambda.IsKind(err, lambda.BadZip) {
		t.Errorf("zip damaged: %v", err)
	}
	if left := listing(t, filepath.Join(f.dir, "tmp")); len(left) != 1 {
		t.Errorf("tmp holds %v", left)
	}

	if err := os.WriteFile(blobs[0], zip, 0o600); err != nil {
		t.Fatal(err)
	}
	f.lower(t, c) // a failure is not kept
}

func TestLowerWaitsForWhoMakesTheTree(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	f.lower(t, c).Release()
	marker := filepath.Join(f.tree(c), "complete")
	if err := os.Remove(marker); err != nil {
		t.Fatal(err)
	}
	unlock, err := lock(t, f.tree(c), unix.LOCK_EX) // another process is not done yet
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error)
	go func() {
		_, err := f.Lower(ctx, c)
		got <- err
	}()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("Lower with a context that ends: %v", err)
	}

	lower := make(chan *layerstore.Lower)
	go func() {
		l, err := f.Lower(t.Context(), c)
		if err != nil {
			t.Errorf("Lower: %v", err)
		}
		lower <- l
	}()
	before, err := os.Stat(f.tree(c))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(marker, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	unlock()
	if l := <-lower; l != nil {
		l.Release()
	}
	if after, err := os.Stat(f.tree(c)); err != nil || !os.SameFile(before, after) {
		t.Errorf("the other process's tree was replaced (%v)", err)
	}
}

func TestClosedStore(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	l := f.lower(t, c)
	for range 2 {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(f.tree(c), "complete")); err != nil {
		t.Errorf("after Close the tree has no marker: %v", err)
	}
	l.Release()
	if _, err := f.Lower(t.Context(), c); err == nil {
		t.Error("Lower of a closed store gave no error")
	}
}
