package layerstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
)

// TestCheckNamesEachDamage damages each kind of thing once.
func TestCheckNamesEachDamage(t *testing.T) {
	type place struct {
		zip, tree, file string
		f               *fixture
		c               *lambda.Content
	}
	for name, tt := range map[string]struct {
		damage func(place) error
		want   []string // kind and a part of the text of each finding
	}{
		"nothing":           {func(place) error { return nil }, nil},
		"a zip's byte":      {func(p place) error { return flip(p.zip) }, []string{"zip: it is damaged"}},
		"a zip cut":         {func(p place) error { return os.Truncate(p.zip, 10) }, []string{"zip: it is damaged"}},
		"a zip gone":        {func(p place) error { return os.Remove(p.zip) }, []string{"zip: it is missing"}},
		"a record's size":   {func(p place) error { p.c.Size++; return nil }, []string{"record: it says"}},
		"a record's tree":   {func(p place) error { p.c.TreeKey[0]++; return nil }, []string{"record: it says"}},
		"a record's digest": {func(p place) error { p.c.Digest[0]++; return nil }, []string{"zip: it is missing"}},
		"a tree's file":     {func(p place) error { return os.WriteFile(filepath.Join(p.tree, "root/new"), nil, 0o644) }, []string{"tree: what it holds"}},
		"a tree's mode":     {func(p place) error { return os.Chmod(filepath.Join(p.tree, "root/empty"), 0o600) }, []string{"tree: what it holds"}},
		"a tree's root":     {func(p place) error { return os.Rename(filepath.Join(p.tree, "root"), filepath.Join(p.tree, "away")) }, []string{"tree: it cannot be read"}},
		"a tree's marker":   {func(p place) error { return os.Remove(filepath.Join(p.tree, "complete")) }, []string{"tree: a crash has left it"}},
		"a shared file":     {func(p place) error { return flip(p.file) }, []string{"tree: what it holds", "file: its"}},
		"a file's name":     {func(p place) error { return os.Rename(p.file, p.file+".1") }, []string{"file: it is not ours"}},
		"a file of others":  {func(p place) error { return errors.Join(os.Remove(p.file), os.WriteFile(p.file, nil, 0o644)) }, []string{"file: its"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c := f.putFor(t, alice, withOwn("own"))
			f = f.settled(t)
			hex := c.Digest.Hex()
			files, err := filepath.Glob(filepath.Join(f.dir, "files", alice, "??", "*"))
			if err != nil || len(files) != 3 {
				t.Fatalf("shared: %v, %v", files, err)
			}
			damaged := c
			p := place{filepath.Join(filepath.Dir(f.dir), "blobs/sha256", hex[:2], hex), f.tree(c), files[0], f, &damaged}
			if err := tt.damage(p); err != nil {
				t.Fatal(err)
			}
			var got []string
			done, err := f.Check(t.Context(), []lambda.Content{damaged, damaged}, func(x layerstore.Finding) {
				got = append(got, x.Kind+": "+x.Text)
				if x.Mend == "" || x.What == "" {
					t.Errorf("%+v does not say what it is or what helps", x)
				}
			})
			if err != nil {
				t.Fatalf("Check: %v", err)
			}
			if len(got) != len(tt.want) {
				t.Fatalf("found %q, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("found %q, want %q", got[i], want)
				}
			}
			if whole := (layerstore.Checked{Zips: 1, Trees: 1, Files: 3}); len(got) == 0 && done != whole {
				t.Errorf("looked at %+v, want %+v", done, whole)
			}
		})
	}
}

// flip changes a byte and nothing else that shows.
func flip(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		return err
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], 0); err != nil {
		return err
	}
	return os.Chtimes(path, info.ModTime(), info.ModTime())
}
