package layerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a store over a folder, with a driver of blobs that can be made to fail.
type fixture struct {
	*layerstore.Store
	dir   string // of the trees
	blobs *blob.Store
	fault *faulty
}

func newFixture(t testing.TB) *fixture { return openFixture(t, t.TempDir()) }

// openFixture opens what may have been opened before; it is closed at the end of the test.
func openFixture(t testing.TB, base string) *fixture {
	t.Helper()
	d, err := diskblob.Open(filepath.Join(base, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{dir: filepath.Join(base, "store"), fault: &faulty{Driver: d}}
	f.blobs = blob.New(f.fault)
	if f.Store, err = layerstore.Open(layerstore.Options{Dir: f.dir, Blobs: f.blobs, Now: time.Now}); err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return f
}

// faulty is a driver whose commits and opens fail when they are told to.
type faulty struct {
	blob.Driver
	commit, open error
}

func (f *faulty) Open(ctx context.Context, d digest.Digest) (blob.Reader, error) {
	if f.open != nil {
		return nil, f.open
	}
	return f.Driver.Open(ctx, d)
}

func (f *faulty) Stage(ctx context.Context) (blob.DriverStaged, error) {
	st, err := f.Driver.Stage(ctx)
	return &faultyStaged{st, f}, err
}

type faultyStaged struct {
	blob.DriverStaged
	fault *faulty
}

func (s *faultyStaged) Commit(ctx context.Context, d digest.Digest) error {
	if s.fault.commit != nil {
		return s.fault.commit
	}
	return s.DriverStaged.Commit(ctx, d)
}

func (f *fixture) stage(t testing.TB, zip []byte) *blob.Staged {
	t.Helper()
	st, err := f.blobs.Stage(t.Context(), bytes.NewReader(zip))
	if err != nil {
		t.Fatalf("Stage: %v", err)
	}
	t.Cleanup(func() { st.Discard() })
	return st
}

func (f *fixture) put(t testing.TB, zip []byte) lambda.Content {
	t.Helper()
	c, err := f.Import(t.Context(), f.stage(t, zip), layerstore.ImportLimits{})
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	return c
}

func (f *fixture) lower(t testing.TB, c lambda.Content) *layerstore.Lower {
	t.Helper()
	l, err := f.Lower(t.Context(), c)
	if err != nil {
		t.Fatalf("Lower: %v", err)
	}
	t.Cleanup(l.Release)
	return l
}

// tree is the folder of a tree in the store.
func (f *fixture) tree(c lambda.Content) string {
	return filepath.Join(f.dir, "trees", c.TreeKey.Hex())
}

// listing describes everything below a folder: path, type, mode, time, content.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode().IsRegular():
			b, err := readShut(path, info.Mode())
			if err != nil {
				return err
			}
			content = string(b)
		case info.Mode()&fs.ModeSymlink != 0:
			if content, err = os.Readlink(path); err != nil {
				return err
			}
		}
		rel, _ := filepath.Rel(dir, path)
		all[rel] = fmt.Sprintf("%v %s %q", info.Mode(), info.ModTime().UTC().Format(time.RFC3339), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// readShut reads a file that its owner may not be allowed to read.
func readShut(path string, mode fs.FileMode) ([]byte, error) {
	b, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrPermission) {
		return b, err
	}
	if err := os.Chmod(path, mode.Perm()|0o400); err != nil {
		return nil, err
	}
	defer os.Chmod(path, mode.Perm())
	return os.ReadFile(path)
}

// wantNothingStored checks that no tree, no blob and no half-made thing is there.
func (f *fixture) wantNothingStored(t testing.TB) {
	t.Helper()
	for _, sub := range []string{"trees", "tmp", "memo"} {
		if left := listing(t, filepath.Join(f.dir, sub)); len(left) != 1 {
			t.Errorf("%s holds %v", sub, left)
		}
	}
	err := f.blobs.List(t.Context(), func(i blob.Info) error { return errors.New(i.Digest.String()) })
	if err != nil {
		t.Errorf("a blob is stored: %v", err)
	}
}

func sampleZip() []byte {
	return lambdatest.ZipOf(
		lambdatest.Entry{Name: "python/", Mode: fs.ModeDir | 0o755},
		lambdatest.Entry{Name: "python/m.py", Content: "x = 1\n", Mode: 0o644},
		lambdatest.Entry{Name: "bin/tool", Content: "#!/bin/sh\n", Mode: 0o755})
}
