package layerstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

const (
	alice = "111111111111"
	bob   = "222222222222"
)

// big is more than what is written in one piece.
var big = strings.Repeat("0123456789abcdef", 40_000)

// commonEntries are in every layer of these tests.
func commonEntries() []lambdatest.Entry {
	return []lambdatest.Entry{
		{Name: "big", Content: big, Mode: 0o644},
		{Name: "empty", Mode: 0o644},
		{Name: "link", Content: "small", Mode: fs.ModeSymlink | 0o777},
		{Name: "small", Content: "x = 1\n", Mode: 0o755},
	}
}

func withOwn(name string, entries ...lambdatest.Entry) []byte {
	return lambdatest.ZipOf(append(append(commonEntries(), lambdatest.Entry{Name: "own", Content: name, Mode: 0o644}), entries...)...)
}

// settled opens the store anew, so that everything in the background has been done.
func (f *fixture) settled(t *testing.T) *fixture {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return openFixture(t, filepath.Dir(f.dir))
}

func (f *fixture) putFor(t *testing.T, account string, zip []byte) lambda.Content {
	t.Helper()
	c, err := f.Import(t.Context(), f.stage(t, zip), layerstore.ImportLimits{Account: account})
	if err != nil {
		t.Fatalf("Import: %v", err)
	}
	f.lower(t, c).Release()
	return c
}

func (f *fixture) inode(t *testing.T, c lambda.Content, name string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Lstat(filepath.Join(f.tree(c), "root", name))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t)
}

func TestTreesOfAnAccountShareFiles(t *testing.T) {
	f := newFixture(t)
	first := f.putFor(t, alice, withOwn("first"))
	f = f.settled(t)
	want := listing(t, filepath.Join(f.tree(first), "root"))
	second := f.putFor(t, alice, withOwn("second"))
	others := f.putFor(t, bob, withOwn("third"))
	f = f.settled(t)
	for _, name := range []string{"big", "small"} {
		a, b, o := f.inode(t, first, name), f.inode(t, second, name), f.inode(t, others, name)
		if a.Ino != b.Ino {
			t.Errorf("%s: two inodes in the trees of one account", name)
		}
		if a.Ino == o.Ino {
			t.Errorf("%s: one inode in the trees of two accounts", name)
		}
		if a.Nlink != 3 { // two trees and the file store
			t.Errorf("%s: %d links, want 3", name, a.Nlink)
		}
	}
	if a, b := f.inode(t, first, "empty"), f.inode(t, second, "empty"); a.Ino == b.Ino || a.Nlink != 1 {
		t.Errorf("an empty file is shared: inodes %d, %d, %d links", a.Ino, b.Ino, a.Nlink)
	}
	want["own"] = strings.Replace(want["own"], "first", "second", 1)
	if diff := cmp.Diff(want, listing(t, filepath.Join(f.tree(second), "root"))); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestShareAll(t *testing.T) {
	f := newFixture(t)
	s, err := layerstore.Open(layerstore.Options{Dir: f.dir, Blobs: f.blobs, ShareAll: true})
	if err != nil {
		t.Fatal(err)
	}
	f.Store = s
	a := f.putFor(t, alice, withOwn("first"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if f.Store, err = layerstore.Open(layerstore.Options{Dir: f.dir, Blobs: f.blobs, ShareAll: true}); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := f.putFor(t, bob, withOwn("second"))
	if f.inode(t, a, "small").Ino != f.inode(t, b, "small").Ino {
		t.Error("two inodes in the trees of two accounts")
	}
}

// TestWhatBelongsToAnInodeIsNotShared changes mode and time, which all names of an inode have in common.
func TestWhatBelongsToAnInodeIsNotShared(t *testing.T) {
	f := newFixture(t)
	entry := lambdatest.Entry{Name: "f", Content: "x = 1\n", Mode: 0o644}
	f.putFor(t, alice, lambdatest.ZipOf(entry))
	f = f.settled(t)
	for name, change := range map[string]func(*lambdatest.Entry){
		"mode": func(e *lambdatest.Entry) { e.Mode = 0o600 },
		"time": func(e *lambdatest.Entry) { e.Time = lambdatest.Time.Add(time.Hour) },
	} {
		e := entry
		change(&e)
		c := f.putFor(t, alice, lambdatest.ZipOf(e))
		if got := listing(t, f.lower(t, c).Path)["f"]; !strings.Contains(got, "x = 1") || got == "" {
			t.Errorf("%s: got %s", name, got)
		}
		checkTree(t, f, c)
	}
}

func TestAnotherInodeAtTheLimitOfLinks(t *testing.T) {
	defer layerstore.SetMaxLinks(3)()
	f := newFixture(t)
	inodes := map[string]map[uint64]bool{"small": {}, "big": {}}
	for i := range 5 {
		f = f.settled(t)
		c := f.putFor(t, alice, withOwn(fmt.Sprint(i)))
		for name, seen := range inodes {
			st := f.inode(t, c, name)
			seen[st.Ino] = true
			if st.Nlink > 3 {
				t.Errorf("%s has %d links", name, st.Nlink)
			}
		}
		checkTree(t, f, c)
	}
	for name, seen := range inodes {
		if len(seen) != 3 { // two trees and the store's name; the next two; the fifth
			t.Errorf("%s: %d inodes in five trees, want 3", name, len(seen))
		}
	}
}

// TestANameThatWasBeingReplaced kills, so to say, a process that gives a shared file's name to another file, before it has done so.
func TestANameThatWasBeingReplaced(t *testing.T) {
	defer layerstore.SetMaxLinks(2)()
	f := newFixture(t)
	f.putFor(t, alice, withOwn("1"))
	f = f.settled(t)
	disarm := failpoint.Arm(failpoint.Fault{Point: "layerstore.share-replace", Err: unix.EIO})
	defer disarm()
	f.putFor(t, alice, withOwn("2")) // finds the limit
	f = f.settled(t)
	disarm()
	left, err := filepath.Glob(filepath.Join(f.dir, "files", alice, "??", "*.new"))
	if err != nil || len(left) != 1 { // what fails first ends the sharing of a tree
		t.Fatalf("left: %v, %v", left, err)
	}
	name := strings.TrimSuffix(left[0], ".new")
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	f.putFor(t, alice, withOwn("3"))
	f = f.settled(t)
	after, err := os.Stat(name)
	if err != nil || os.SameFile(before, after) {
		t.Errorf("%s was not replaced (%v)", name, err)
	}
	if _, err := f.Check(t.Context(), nil, func(x layerstore.Finding) { t.Errorf("check: %+v", x) }); err != nil {
		t.Error(err)
	}
}

func TestWhatIsKnownIsNotInflated(t *testing.T) {
	f := newFixture(t)
	f.putFor(t, alice, withOwn("first"))
	f = f.settled(t)
	c := f.putFor(t, alice, withOwn("second"))
	if got := f.Inflated(); got != 2 { // own, and the empty file
		t.Errorf("%d files were inflated, want 2", got)
	}
	checkTree(t, f, c)

	f.putFor(t, bob, withOwn("third"))
	if got := f.Inflated() - 2; got != 4 {
		t.Errorf("another account: %d files were inflated, want all 4", got)
	}
}

// TestKnownBytesWithAFalseChecksum announces another checksum for bytes that are known.
func TestKnownBytesWithAFalseChecksum(t *testing.T) {
	f := newFixture(t)
	zip := lambdatest.ZipOf(lambdatest.Entry{Name: "f", Content: big, Mode: 0o644})
	f.putFor(t, alice, zip)
	f = f.settled(t)
	broken := bytes.Clone(zip)
	central := bytes.LastIndex(broken, []byte("PK\x01\x02"))
	broken[central+16] ^= 0xff
	_, err := f.Import(t.Context(), f.stage(t, broken), layerstore.ImportLimits{Account: alice})
	if !lambda.IsKind(err, lambda.Invalid) {
		t.Errorf("Import: %v, want kind %v", err, lambda.Invalid)
	}
}

// TestWhatIsSharedMayBeLostOrSpoiled takes away and damages what is only a shortcut.
func TestWhatIsSharedMayBeLostOrSpoiled(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, files string) error{
		"nothing":    func(*testing.T, string) error { return nil },
		"all gone":   func(_ *testing.T, files string) error { return os.RemoveAll(files) },
		"table gone": func(_ *testing.T, files string) error { return os.Remove(filepath.Join(files, alice, "packed.1")) },
		"table cut": func(_ *testing.T, files string) error {
			return os.Truncate(filepath.Join(files, alice, "packed.1"), 5000)
		},
		"table of noise": func(_ *testing.T, files string) error { return noise(filepath.Join(files, alice, "packed.1")) },
		"files cut": func(t *testing.T, files string) error {
			return eachFile(files, func(p string) error { return os.Truncate(p, 1) })
		},
		"files of new mode": func(t *testing.T, files string) error {
			return eachFile(files, func(p string) error { return os.Chmod(p, 0o666) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.putFor(t, alice, withOwn("first"))
			f = f.settled(t)
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(t, filepath.Join(f.dir, "files")); err != nil {
				t.Fatal(err)
			}
			f = openFixture(t, filepath.Dir(f.dir))
			checkTree(t, f, f.putFor(t, alice, withOwn("second")))
			f = f.settled(t)
			checkTree(t, f, f.putFor(t, alice, withOwn("third")))
			if got := f.Inflated(); got != 2 {
				t.Errorf("afterwards %d files were inflated, want 2", got)
			}
		})
	}
}

func noise(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i := range b {
		b[i] ^= byte(i*7 + 13)
	}
	return os.WriteFile(path, b, 0o600)
}

// eachFile gives the shared files of the first account.
func eachFile(files string, f func(string) error) error {
	paths, err := filepath.Glob(filepath.Join(files, alice, "??", "*"))
	if err == nil && len(paths) == 0 {
		err = errors.New("nothing is shared")
	}
	for _, p := range paths {
		err = errors.Join(err, f(p))
	}
	return err
}

func TestConcurrentImportsShare(t *testing.T) {
	base := t.TempDir()
	stores := []*fixture{openFixture(t, base), openFixture(t, base)} // as of two processes
	var wg sync.WaitGroup
	contents := make([]lambda.Content, 16)
	for i := range contents {
		st := stores[i%2].stage(t, withOwn(fmt.Sprint(i)))
		wg.Go(func() {
			c, err := stores[i%2].Import(t.Context(), st, layerstore.ImportLimits{Account: alice})
			if err != nil {
				t.Error(err)
			}
			contents[i] = c
		})
	}
	wg.Wait()
	for _, c := range contents {
		checkTree(t, stores[0], c)
	}
}

// TestTheTableGrows fills it beyond its first size with files that are all known afterwards.
func TestTheTableGrows(t *testing.T) {
	f := newFixture(t)
	entries := make([]lambdatest.Entry, 1200) // more than a new table holds
	for i := range entries {
		entries[i] = lambdatest.Entry{Name: fmt.Sprintf("f%d", i), Content: fmt.Sprint("content ", i), Mode: 0o644}
	}
	f.putFor(t, alice, lambdatest.ZipOf(entries...))
	table := filepath.Join(f.dir, "files", alice, "packed.1")
	var grown os.FileInfo
	for i := range 2 { // each finds what the one before has brought
		f = f.settled(t)
		entries = append(entries, lambdatest.Entry{Name: fmt.Sprint(i, " more"), Content: fmt.Sprint(i), Mode: 0o644})
		f.putFor(t, alice, lambdatest.ZipOf(entries...))
		if got := f.Inflated(); got != 1 {
			t.Errorf("%d files were inflated, want 1", got)
		}
		info, err := os.Stat(table)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && !os.SameFile(info, grown) {
			t.Error("the table was written anew for one record")
		}
		grown = info
	}
}
