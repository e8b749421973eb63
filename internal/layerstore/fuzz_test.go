package layerstore_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layer"
	"github.com/laminadev/lamina/internal/layerstore"
)

// FuzzPublish sends bytes through the whole store: whatever they are, nothing is written outside of the tree, a refusal
// leaves nothing and is one of AWS's, and what is taken in is on disk exactly as the tree key says. Files are shared with what
// came before.
func FuzzPublish(f *testing.F) {
	for _, z := range lambdatest.HostileZips() {
		f.Add(z.Zip)
	}
	for _, form := range lambdatest.Forms() {
		f.Add(form.Zip)
	}
	f.Add(sampleZip())
	f.Add(withOwn("own"))
	base := f.TempDir()
	s := openFixture(f, base)
	f.Fuzz(func(t *testing.T, zip []byte) {
		lim := layerstore.ImportLimits{ZippedSize: 1 << 20, UnzippedSize: 1 << 20, Account: alice}
		c, err := s.Import(t.Context(), s.stage(t, zip), lim)
		if err != nil && !lambda.IsKind(err, lambda.Invalid) && !lambda.IsKind(err, lambda.TooLarge) {
			t.Fatalf("Import: %v", err)
		}
		if err == nil {
			checkTree(t, s, c)
		}
		wantNames(t, base, "blobs", "store")
		wantNames(t, s.dir, "files", "memo", "tmp", "trees")
		wantNames(t, filepath.Join(s.dir, "tmp"))
		if err := os.RemoveAll(s.tree(c)); err == nil {
			wantNames(t, filepath.Join(s.dir, "trees"))
		}
	})
}

func checkTree(t *testing.T, s *fixture, c lambda.Content) {
	t.Helper()
	l := s.lower(t, c)
	defer l.Release()
	wantNames(t, filepath.Dir(l.Path), "complete", "root")
	if os.Geteuid() != 0 {
		t.Log("not root: a tree with files that nobody may read is not compared")
		return
	}
	folder, err := layer.FromFolder(l.Path)
	if err != nil {
		t.Fatalf("cannot read the tree: %v", err)
	}
	if key, err := folder.TreeKey(); err != nil || key != c.TreeKey {
		t.Fatalf("the tree on disk is %s (%v), want %s", key, err, c.TreeKey)
	}
}

func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", dir, diff)
	}
}
