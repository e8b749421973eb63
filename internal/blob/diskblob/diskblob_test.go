package diskblob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/blobtest"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/digest"
)

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) func() (blob.Driver, error) {
		dir := t.TempDir()
		return func() (blob.Driver, error) { return diskblob.Open(dir) }
	})
}

func open(t *testing.T, dir string) *blob.Store {
	t.Helper()
	d, err := diskblob.Open(dir)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return blob.New(d)
}

// files gives the files below a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func put(t *testing.T, s *blob.Store, content string) digest.Digest {
	t.Helper()
	st, err := s.Stage(t.Context(), strings.NewReader(content))
	if err == nil {
		err = st.Commit(t.Context())
	}
	if err != nil {
		t.Fatalf("cannot store: %v", err)
	}
	return st.Digest()
}

func TestLayoutAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	name := put(t, s, "lambda").Hex()
	put(t, s, "lambda")
	st, err := s.Stage(t.Context(), strings.NewReader("discarded"))
	if err != nil {
		t.Fatal(err)
	}
	st.Discard()
	if diff := cmp.Diff([]string{filepath.Join("sha256", name[:2], name)}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestOpenRemovesWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	sum := put(t, open(t, dir), "kept")
	if err := os.WriteFile(filepath.Join(dir, "staging", "left"), []byte("half of a zi"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if diff := cmp.Diff([]string{filepath.Join("sha256", sum.Hex()[:2], sum.Hex())}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestCommitReplacesABlobThatLostBytes(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sum := put(t, s, "lambda")
	if err := os.Truncate(filepath.Join(dir, "sha256", sum.Hex()[:2], sum.Hex()), 3); err != nil {
		t.Fatal(err)
	}
	put(t, s, "lambda")
	r, err := s.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Size() != 6 {
		t.Errorf("the blob has %d bytes, want 6", r.Size())
	}
}

func TestListIgnoresStrangers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	sum := put(t, s, "lambda")
	for _, name := range []string{"README", filepath.Join(sum.Hex()[:2], "x"), strings.Repeat("ab", 32)} {
		if err := os.WriteFile(filepath.Join(dir, "sha256", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got []digest.Digest
	err := s.List(t.Context(), func(i blob.Info) error { got = append(got, i.Digest); return nil })
	if diff := cmp.Diff([]digest.Digest{sum}, got); err != nil || diff != "" {
		t.Errorf("blobs (-want +got, %v):\n%s", err, diff)
	}
}

func TestOpenWhereNoFolderCanBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := diskblob.Open(filepath.Join(file, "blobs")); err == nil {
		t.Error("Open below a file gave no error")
	}
}
