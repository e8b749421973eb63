package archive_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambdatest"
)

var ignoreOrigin = cmpopts.IgnoreUnexported(archive.Entry{})

func open(t *testing.T, zip []byte, lim archive.Limits) *archive.Archive {
	t.Helper()
	a, err := archive.Open(bytes.NewReader(zip), int64(len(zip)), lim)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return a
}

func content(a *archive.Archive, e archive.Entry) (string, error) {
	r, err := a.Open(e)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

// readAll reads every entry; the first error ends it.
func readAll(a *archive.Archive) (map[string]string, error) {
	all := make(map[string]string)
	for _, e := range a.Entries() {
		if e.Type == archive.Dir {
			continue
		}
		s, err := content(a, e)
		if err != nil {
			return nil, err
		}
		all[e.Path] = s
	}
	return all, nil
}

func TestEntries(t *testing.T) {
	at := lambdatest.Time
	dos := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	dir := func(path string) archive.Entry {
		return archive.Entry{Path: path, Type: archive.Dir, Mode: 0o755}
	}
	file := func(path string, mode fs.FileMode, size int64) archive.Entry {
		return archive.Entry{Path: path, Mode: mode, ModTime: at, Size: size}
	}
	for _, test := range []struct {
		name string
		zip  []byte
		want []archive.Entry
	}{
		{"parents are implied, and sorted before their content", lambdatest.ZipOf(
			lambdatest.Entry{Name: "p/q/r.py", Content: "x", Mode: 0o644},
			lambdatest.Entry{Name: "p-q", Content: "xy", Mode: 0o600}),
			[]archive.Entry{dir("p"), file("p-q", 0o600, 2), dir("p/q"), file("p/q/r.py", 0o644, 1)}},
		{"a directory keeps its mode and time", lambdatest.ZipOf(
			lambdatest.Entry{Name: "d/", Mode: fs.ModeDir | 0o500}),
			[]archive.Entry{{Path: "d", Type: archive.Dir, Mode: 0o500, ModTime: at}}},
		{"unreadable modes are kept", lambdatest.ZipOf(
			lambdatest.Entry{Name: "f", Mode: 0},
			lambdatest.Entry{Name: "g", Mode: 0o111}),
			[]archive.Entry{file("f", 0, 0), file("g", 0o111, 0)}},
		{"set-user-ID, set-group-ID and sticky bits are dropped", lambdatest.ZipOf(
			lambdatest.Entry{Name: "f", Mode: fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o755}),
			[]archive.Entry{file("f", 0o755, 0)}},
		{"any target of a link", lambdatest.ZipOf(
			lambdatest.Entry{Name: "l", Content: "../../etc/passwd", Mode: fs.ModeSymlink | 0o700}),
			[]archive.Entry{{Path: "l", Type: archive.Symlink, Mode: 0o777, ModTime: at, Size: 16}}},
		{"backslashes and case twins", lambdatest.ZipOf(
			lambdatest.Entry{Name: `C:\a`, Mode: 0o644},
			lambdatest.Entry{Name: "A", Mode: 0o644},
			lambdatest.Entry{Name: "a", Mode: 0o644}),
			[]archive.Entry{file("A", 0o644, 0), file(`C:\a`, 0o644, 0), file("a", 0o644, 0)}},
		{"dots in names", lambdatest.ZipOf(
			lambdatest.Entry{Name: "..a", Mode: 0o644},
			lambdatest.Entry{Name: "b..", Mode: 0o644},
			lambdatest.Entry{Name: "...", Mode: 0o644}),
			[]archive.Entry{file("...", 0o644, 0), file("..a", 0o644, 0), file("b..", 0o644, 0)}},
		{"parts that mean nothing", lambdatest.ZipOf(
			lambdatest.Entry{Name: "./", Mode: fs.ModeDir | 0o700},
			lambdatest.Entry{Name: "./a//./b", Mode: 0o644}),
			[]archive.Entry{dir("a"), file("a/b", 0o644, 0)}},
		{"the last of several counts", lambdatest.ZipOf(
			lambdatest.Entry{Name: "a", Content: "first", Mode: 0o755},
			lambdatest.Entry{Name: "a", Content: "2nd", Mode: 0o644}),
			[]archive.Entry{file("a", 0o644, 3)}},
		{"a directory that replaces a file", lambdatest.ZipOf(
			lambdatest.Entry{Name: "a", Content: "file", Mode: 0o755},
			lambdatest.Entry{Name: "a/", Mode: fs.ModeDir | 0o755},
			lambdatest.Entry{Name: "a/b", Mode: 0o644}),
			[]archive.Entry{{Path: "a", Type: archive.Dir, Mode: 0o755, ModTime: at}, file("a/b", 0o644, 0)}},
		{"made on Windows", lambdatest.ZipOf(
			lambdatest.Entry{Name: "d/", DOS: true, Time: dos},
			lambdatest.Entry{Name: "d/f", DOS: true, Time: dos}),
			[]archive.Entry{{Path: "d", Type: archive.Dir, Mode: 0o755, ModTime: dos}, {Path: "d/f", Mode: 0o644, ModTime: dos}}},
		{"times before 1980 from the extended timestamp", lambdatest.ZipOf(
			lambdatest.Entry{Name: "f", Mode: 0o644, Time: time.Unix(-86400, 0)}),
			[]archive.Entry{{Path: "f", Mode: 0o644, ModTime: time.Unix(-86400, 0).UTC()}}},
		{"UTF-8", lambdatest.ZipOf(lambdatest.Entry{Name: "naïve/日本", Mode: 0o644}),
			[]archive.Entry{dir("naïve"), file("naïve/日本", 0o644, 0)}},
		{"code page 437", lambdatest.ZipOf(lambdatest.Entry{Name: "na\x8bve\xe3", Mode: 0o644}),
			[]archive.Entry{file("naïveπ", 0o644, 0)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := open(t, test.zip, archive.Limits{}).Entries()
			if diff := cmp.Diff(test.want, got, ignoreOrigin); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExtendedTimestampWins(t *testing.T) {
	zip := lambdatest.ZipOf(lambdatest.Entry{Name: "f", Mode: 0o644, Time: time.Date(2020, 1, 1, 12, 0, 1, 0, time.FixedZone("", 5*3600))})
	got := open(t, zip, archive.Limits{}).Entries()[0].ModTime
	if want := time.Date(2020, 1, 1, 7, 0, 1, 0, time.UTC); got != want {
		t.Errorf("ModTime = %v, want %v", got, want)
	}
}

func TestContent(t *testing.T) {
	long := strings.Repeat("0123456789", 20000)
	zip := lambdatest.ZipOf(
		lambdatest.Entry{Name: "deflated", Content: long, Mode: 0o644},
		lambdatest.Entry{Name: "stored", Content: long, Mode: 0o644, Store: true},
		lambdatest.Entry{Name: "twice", Content: "old", Mode: 0o644},
		lambdatest.Entry{Name: "twice", Content: "new", Mode: 0o644},
		lambdatest.Entry{Name: "nothing", Mode: 0o644},
		lambdatest.Entry{Name: "link", Content: "stored", Mode: fs.ModeSymlink | 0o777})
	a := open(t, zip, archive.Limits{})
	got, err := readAll(a)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"deflated": long, "stored": long, "twice": "new", "nothing": "", "link": "stored"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	if got, want := a.UnzippedSize(), int64(2*len(long)+3+6); got != want {
		t.Errorf("UnzippedSize = %d, want %d", got, want)
	}
}

func TestPrefixIsSkipped(t *testing.T) {
	zip := append([]byte("#!/bin/sh\nexec unzip $0\n"), lambdatest.Zip(map[string]string{"a": "x"})...)
	got, err := readAll(open(t, zip, archive.Limits{}))
	if diff := cmp.Diff(map[string]string{"a": "x"}, got); err != nil || diff != "" {
		t.Errorf("content (-want +got, %v):\n%s", err, diff)
	}
}

func TestHostileZips(t *testing.T) {
	for _, z := range lambdatest.HostileZips() {
		t.Run(z.Name, func(t *testing.T) {
			a, err := archive.Open(bytes.NewReader(z.Zip), int64(len(z.Zip)), archive.Limits{})
			if z.Late {
				if err != nil {
					t.Fatalf("Open: %v, want the error later", err)
				}
				_, err = readAll(a)
			}
			var refused *archive.Error
			if !errors.As(err, &refused) || refused.Reason.String() != z.Reason {
				t.Errorf("error %v, want an *archive.Error: %s", err, z.Reason)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name string
		zip  []byte
		lim  archive.Limits
		want archive.Reason // 0: accepted
	}{
		{"at the limit", lambdatest.Zip(map[string]string{"a": "12", "b": "34"}), archive.Limits{UnzippedSize: 4}, 0},
		{"over the limit", lambdatest.Zip(map[string]string{"a": "12", "b": "345"}), archive.Limits{UnzippedSize: 4}, archive.TooLarge},
		{"bomb", lambdatest.Bomb(8 << 20), archive.Limits{UnzippedSize: 8<<20 - 1}, archive.TooLarge},
		{"entries at the limit", lambdatest.Zip(map[string]string{"a": "", "b": ""}), archive.Limits{Entries: 2}, 0},
		{"too many entries", lambdatest.Zip(map[string]string{"a": "", "b": "", "c": ""}), archive.Limits{Entries: 2}, archive.Unsafe},
		{"too many implied directories", lambdatest.Zip(map[string]string{strings.Repeat("d/", 1500) + "f": ""}),
			archive.Limits{Entries: 1000}, archive.Unsafe},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := archive.Open(bytes.NewReader(test.zip), int64(len(test.zip)), test.lim)
			var refused *archive.Error
			switch {
			case test.want == 0 && err != nil:
				t.Errorf("Open: %v", err)
			case test.want != 0 && (!errors.As(err, &refused) || refused.Reason != test.want):
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

func TestLyingBombGivesNoMoreThanAnnounced(t *testing.T) {
	zip := lambdatest.LyingBomb(8<<20, 1000)
	a := open(t, zip, archive.Limits{UnzippedSize: 1000})
	r, err := a.Open(a.Entries()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	var refused *archive.Error
	if n != 1000 || !errors.As(err, &refused) || refused.Reason != archive.Corrupt {
		t.Errorf("read %d bytes, error %v; want 1000 and corrupt", n, err)
	}
}

// failing is a reader under an archive that fails behind an offset.
type failing struct {
	*bytes.Reader
	from, to int64
}

var errDisk = errors.New("disk on fire")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off < f.to && off+int64(len(p)) > f.from {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

func TestReadErrorsAreNotTheArchives(t *testing.T) {
	zip := lambdatest.ZipOf(lambdatest.Entry{Name: "a", Content: strings.Repeat("lambda", 1000), Mode: 0o644, Store: true})
	var refused *archive.Error
	for _, from := range []int64{0, int64(len(zip)) - 1} {
		_, err := archive.Open(failing{bytes.NewReader(zip), from, from + 1}, int64(len(zip)), archive.Limits{})
		if !errors.Is(err, errDisk) || errors.As(err, &refused) {
			t.Errorf("Open with byte %d unreadable: %v, want %v", from, err, errDisk)
		}
	}
	a, err := archive.Open(failing{bytes.NewReader(zip), 35, 45}, int64(len(zip)), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = readAll(a); !errors.Is(err, errDisk) || errors.As(err, &refused) {
		t.Errorf("reading with the content unreadable: %v, want %v", err, errDisk)
	}
}

func TestOpenOfWhatHasNoContent(t *testing.T) {
	a := open(t, lambdatest.Zip(map[string]string{"d/": "", "e/f": "x"}), archive.Limits{})
	for _, e := range append([]archive.Entry{{Path: "stranger"}}, a.Entries()...) {
		if e.Path == "e/f" {
			continue
		}
		if r, err := a.Open(e); err == nil {
			r.Close()
			t.Errorf("Open(%q) gave a reader", e.Path)
		}
	}
}
