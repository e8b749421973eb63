package layerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layer"
	"github.com/laminadev/lamina/internal/layerstore"
)

func TestImportGivesContentAndTree(t *testing.T) {
	f := newFixture(t)
	big := strings.Repeat("0123456789", 100_000)
	zip := lambdatest.ZipOf(
		lambdatest.Entry{Name: "bin/run", Content: "#!/bin/sh\n", Mode: 0o755},
		lambdatest.Entry{Name: "big", Content: big, Mode: 0o640},
		lambdatest.Entry{Name: "empty/", Mode: fs.ModeDir | 0o700},
		lambdatest.Entry{Name: "link", Content: "/etc/passwd", Mode: fs.ModeSymlink | 0o777},
		lambdatest.Entry{Name: "old", Mode: 0o444, Time: time.Unix(-86400, 0)},
		lambdatest.Entry{Name: "shut", Content: "x", Mode: 0o100},
		lambdatest.Entry{Name: "suid", Mode: fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o755},
		lambdatest.Entry{Name: `windows\name`, DOS: true},
		lambdatest.Entry{Name: ".lamina/x/README", Mode: 0o644})
	c := f.put(t, zip)
	l, err := layer.FromZip(bytes.NewReader(zip), int64(len(zip)))
	if err != nil {
		t.Fatal(err)
	}
	want := lambda.Content{Digest: digest.Of(zip), Size: int64(len(zip)), UnzippedSize: l.UnzippedSize()}
	want.ContentDigest, _ = l.ContentDigest()
	want.TreeKey, _ = l.TreeKey()
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}

	const at, fixed = "2024-02-03T04:05:06Z", "1980-01-01T00:00:00Z"
	got := listing(t, f.lower(t, c).Path)
	wantTree := map[string]string{
		".":                fmt.Sprintf(`drwxr-xr-x %s ""`, fixed),
		".lamina":          fmt.Sprintf(`drwxr-xr-x %s ""`, fixed),
		".lamina/x":        fmt.Sprintf(`drwxr-xr-x %s ""`, fixed),
		".lamina/x/README": fmt.Sprintf(`-rw-r--r-- %s ""`, at),
		"big":              fmt.Sprintf(`-rw-r----- %s %q`, at, big),
		"bin":              fmt.Sprintf(`drwxr-xr-x %s ""`, fixed),
		"bin/run":          fmt.Sprintf(`-rwxr-xr-x %s "#!/bin/sh\n"`, at),
		"empty":            fmt.Sprintf(`drwx------ %s ""`, at),
		"link":             fmt.Sprintf(`Lrwxrwxrwx %s "/etc/passwd"`, at),
		"old":              `-r--r--r-- 1969-12-31T00:00:00Z ""`,
		"shut":             fmt.Sprintf(`---x------ %s "x"`, at),
		"suid":             fmt.Sprintf(`-rwxr-xr-x %s ""`, at),
		`windows\name`:     fmt.Sprintf(`-rw-r--r-- %s ""`, at),
	}
	if diff := cmp.Diff(wantTree, got); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}

	r, err := f.OpenZip(t.Context(), c.Digest)
	if err != nil {
		t.Fatalf("OpenZip: %v", err)
	}
	defer r.Close()
	if b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil || !bytes.Equal(b, zip) {
		t.Errorf("the stored zip differs (%v)", err)
	}
	entries, err := f.Entries(t.Context(), c)
	if err != nil || len(entries) != len(wantTree)-1 {
		t.Logf("entries %v", entries)
		if os.Geteuid() == 0 {
			t.Errorf("Entries gives %d entries, %v; want %d", len(entries), err, len(wantTree)-1)
		}
	}
}

const couldNotUnzip = "Could not unzip uploaded file. Please check your file, then try to upload again."

func TestImportRefuses(t *testing.T) {
	type row struct {
		name    string
		zip     []byte
		lim     layerstore.ImportLimits
		kind    lambda.Kind
		message string
	}
	rows := []row{
		{"zipped too large", sampleZip(), layerstore.ImportLimits{ZippedSize: 100, UnzippedSize: 1}, lambda.TooLarge,
			"Zipped size must be smaller than 100 bytes"},
		{"unzipped too large", sampleZip(), layerstore.ImportLimits{UnzippedSize: 15}, lambda.Invalid,
			"Unzipped size must be smaller than 15 bytes"},
		{"300 MB", lambdatest.LyingBomb(1<<20, 300<<20), layerstore.ImportLimits{UnzippedSize: lambda.MaxUnzippedSize}, lambda.Invalid,
			"Unzipped size must be smaller than 262144000 bytes"},
		{"bomb", lambdatest.Bomb(1 << 20), layerstore.ImportLimits{UnzippedSize: 1<<20 - 1}, lambda.Invalid,
			"Unzipped size must be smaller than 1048575 bytes"},
		{"lying bomb", lambdatest.LyingBomb(1<<20, 1000), layerstore.ImportLimits{UnzippedSize: 2000}, lambda.Invalid, couldNotUnzip},
	}
	rows = append(rows, row{"too many entries", lambdatest.Many(200_001), layerstore.ImportLimits{}, lambda.Invalid, couldNotUnzip})
	for _, z := range lambdatest.HostileZips() {
		message := couldNotUnzip
		if z.Reason == "empty zip" {
			message = "Uploaded file must be a non-empty zip"
		}
		rows = append(rows, row{z.Name, z.Zip, layerstore.ImportLimits{UnzippedSize: lambda.MaxUnzippedSize}, lambda.Invalid, message})
	}
	f := newFixture(t)
	for _, test := range rows {
		t.Run(test.name, func(t *testing.T) {
			st := f.stage(t, test.zip)
			defer st.Discard()
			_, err := f.Import(t.Context(), st, test.lim)
			var e *lambda.Error
			if !errors.As(err, &e) || e.Kind != test.kind || e.Message != test.message {
				t.Errorf("error %v, want %v: %s", err, test.kind, test.message)
			}
			f.wantNothingStored(t)
		})
	}
}

func TestImportAtTheLimits(t *testing.T) {
	f := newFixture(t)
	zip := sampleZip()
	lim := layerstore.ImportLimits{ZippedSize: int64(len(zip)), UnzippedSize: 16}
	if _, err := f.Import(t.Context(), f.stage(t, zip), lim); err != nil {
		t.Errorf("Import: %v", err)
	}
}

func TestImportOfAKnownZip(t *testing.T) {
	base := t.TempDir()
	f := openFixture(t, base)
	zip := sampleZip()
	c := f.put(t, zip)
	f.lower(t, c).Release()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = openFixture(t, base) // what is known survives

	if err := os.Chmod(filepath.Join(f.dir, "tmp"), 0o500); err != nil {
		t.Fatal(err)
	}
	before := listing(t, f.dir)
	if got := f.put(t, zip); got != c {
		t.Errorf("content %v, want %v", got, c)
	}
	if diff := cmp.Diff(before, listing(t, f.dir)); diff != "" {
		t.Errorf("the store changed (-before +after):\n%s", diff)
	}
	_, err := f.Import(t.Context(), f.stage(t, zip), layerstore.ImportLimits{UnzippedSize: 15})
	if !lambda.IsKind(err, lambda.Invalid) || err.Error() != "Unzipped size must be smaller than 15 bytes" {
		t.Errorf("over the limit: error %v", err)
	}
	if err := os.Chmod(filepath.Join(f.dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestAMemoThatIsDamagedIsIgnored(t *testing.T) {
	base := t.TempDir()
	f := openFixture(t, base)
	c := f.put(t, sampleZip())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "{", `{"Format":1}`, `{"Format":99,"Content":{"Digest":"` + c.Digest.String() + `"}}`} {
		if err := os.WriteFile(filepath.Join(f.dir, "memo", c.Digest.Hex()), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := openFixture(t, base).put(t, sampleZip()); got != c {
			t.Errorf("with memo %q: content %v, want %v", content, got, c)
		}
	}
}

func TestTwoZipsWithOneTree(t *testing.T) {
	f := newFixture(t)
	e := lambdatest.Entry{Name: "m.py", Content: "x = 1\n", Mode: 0o644}
	stored := e
	stored.Store = true
	a, b := f.put(t, lambdatest.ZipOf(e)), f.put(t, lambdatest.ZipOf(stored))
	if a.Digest == b.Digest || a.TreeKey != b.TreeKey {
		t.Fatalf("digests %s, %s, trees %s, %s", a.Digest, b.Digest, a.TreeKey, b.TreeKey)
	}
	if la, lb := f.lower(t, a), f.lower(t, b); la.Path != lb.Path {
		t.Errorf("lower directories %s, %s", la.Path, lb.Path)
	}
}

func TestConcurrentImportsAndLowers(t *testing.T) {
	base := t.TempDir()
	stores := []*fixture{openFixture(t, base), openFixture(t, base)} // as two processes have it
	zips := [][]byte{sampleZip(), lambdatest.EchoFunction()}
	var g sync.WaitGroup
	for i := range 16 {
		f, zip := stores[i%2], zips[i/2%2]
		st := f.stage(t, zip)
		g.Go(func() {
			c, err := f.Import(t.Context(), st, layerstore.ImportLimits{})
			if err != nil {
				t.Errorf("Import: %v", err)
				return
			}
			l, err := f.Lower(t.Context(), c)
			if err != nil {
				t.Errorf("Lower: %v", err)
				return
			}
			defer l.Release()
			if _, err := os.Stat(filepath.Join(filepath.Dir(l.Path), "complete")); err != nil {
				t.Errorf("no marker: %v", err)
			}
		})
	}
	g.Wait()
	for _, f := range stores {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	trees, err := os.ReadDir(filepath.Join(stores[0].dir, "trees"))
	if err != nil || len(trees) != 2 {
		t.Errorf("%d trees, %v; want 2", len(trees), err)
	}
	if left := listing(t, filepath.Join(stores[0].dir, "tmp")); len(left) != 1 {
		t.Errorf("tmp holds %v", left)
	}
}

func TestImportWhenTheBlobCannotBeStored(t *testing.T) {
	f := newFixture(t)
	f.fault.commit = errors.New("disk on fire")
	if _, err := f.Import(t.Context(), f.stage(t, sampleZip()), layerstore.ImportLimits{}); !errors.Is(err, f.fault.commit) {
		t.Errorf("Import: %v, want %v", err, f.fault.commit)
	}
	f.wantNothingStored(t)
	f.fault.commit = nil
	f.lower(t, f.put(t, sampleZip()))
}

func TestImportThatIsCalledOff(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Import(ctx, f.stage(t, sampleZip()), layerstore.ImportLimits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Import: %v, want %v", err, context.Canceled)
	}
	f.wantNothingStored(t)
}

func TestPutFolder(t *testing.T) {
	f := newFixture(t)
	dir := filepath.Join(t.TempDir(), "folder")
	if err := os.MkdirAll(filepath.Join(dir, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "lib/m.py"), []byte("x = 1\n"), 0o644),
		os.Symlink("m.py", filepath.Join(dir, "lib/n.py")),
		os.Chtimes(filepath.Join(dir, "lib/m.py"), lambdatest.Time, lambdatest.Time),
		os.Chtimes(filepath.Join(dir, "lib"), lambdatest.Time, lambdatest.Time),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := f.PutFolder(t.Context(), dir)
	if err != nil {
		t.Fatalf("PutFolder: %v", err)
	}
	got, want := listing(t, f.lower(t, c).Path), listing(t, dir)
	delete(got, ".") // the root of a tree has a fixed time
	delete(want, ".")
	for name, line := range want { // a link's time on disk has nanoseconds that the format rounds away
		if strings.HasPrefix(line, "L") && strings.HasPrefix(got[name], "L") {
			got[name] = line
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tree (-folder +tree):\n%s", diff)
	}
	again, err := f.PutFolder(t.Context(), dir)
	if err != nil || again != c {
		t.Errorf("a second time: %v, %v; want %v", again, err, c)
	}
	if _, err := f.PutFolder(t.Context(), filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("PutFolder of nothing: %v", err)
	}
}
