package layer_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layer"
)

func fromZip(t *testing.T, zip []byte) *layer.Layer {
	t.Helper()
	l, err := layer.FromZip(bytes.NewReader(zip), int64(len(zip)))
	if err != nil {
		t.Fatalf("FromZip: %v", err)
	}
	return l
}

func keysOf(t *testing.T, l *layer.Layer) (content, tree digest.Digest) {
	t.Helper()
	content, err := l.ContentDigest()
	if err != nil {
		t.Fatalf("ContentDigest: %v", err)
	}
	tree, err = l.TreeKey()
	if err != nil {
		t.Fatalf("TreeKey: %v", err)
	}
	return content, tree
}

// TestKeysFormat writes out what doc/formats.md says is hashed.
func TestKeysFormat(t *testing.T) {
	at := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC) // 1706933106
	l := fromZip(t, lambdatest.ZipOf(
		lambdatest.Entry{Name: ".lamina/x/README", Content: "about x", Mode: 0o644, Time: at},
		lambdatest.Entry{Name: "bin/tool", Content: "#!/bin/sh\n", Mode: 0o755, Time: at},
		lambdatest.Entry{Name: "bin/link", Content: "tool", Mode: fs.ModeSymlink | 0o777, Time: at},
		lambdatest.Entry{Name: "empty", Mode: 0, Time: at}))
	sum := func(s string) string { return digest.Of([]byte(s)).Hex() }
	content := "lamina content 1\n" +
		"d 0755 - bin\x00" +
		"l 0777 " + sum("tool") + " bin/link\x00" +
		"f 0755 " + sum("#!/bin/sh\n") + " bin/tool\x00" +
		"f 0000 " + sum("") + " empty\x00"
	tree := "lamina tree 1\n" +
		"d 0755 - 315532800 .lamina\x00" +
		"d 0755 - 315532800 .lamina/x\x00" +
		"f 0644 " + sum("about x") + " 1706933106 .lamina/x/README\x00" +
		"d 0755 - 315532800 bin\x00" +
		"l 0777 " + sum("tool") + " 1706933106 bin/link\x00" +
		"f 0755 " + sum("#!/bin/sh\n") + " 1706933106 bin/tool\x00" +
		"f 0000 " + sum("") + " 1706933106 empty\x00"
	gotContent, gotTree := keysOf(t, l)
	if want := digest.Of([]byte(content)); gotContent != want {
		t.Errorf("ContentDigest = %s, want %s", gotContent, want)
	}
	if want := digest.Of([]byte(tree)); gotTree != want {
		t.Errorf("TreeKey = %s, want %s", gotTree, want)
	}
}

func TestWhatChangesKeys(t *testing.T) {
	file := lambdatest.Entry{Name: "python/m.py", Content: "x = 1\n", Mode: 0o644}
	with := func(f func(*lambdatest.Entry)) []byte {
		e := file
		f(&e)
		return lambdatest.ZipOf(e)
	}
	const same, differs = true, false
	for _, test := range []struct {
		name          string
		zip           []byte
		content, tree bool
	}{
		{"other compression", with(func(e *lambdatest.Entry) { e.Store = true }), same, same},
		{"a directory named", lambdatest.ZipOf(lambdatest.Entry{Name: "python/", Mode: fs.ModeDir | 0o755,
			Time: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}, file), same, same},
		{"another time", with(func(e *lambdatest.Entry) { e.Time = lambdatest.Time.Add(time.Second) }), same, differs},
		{"our metadata", lambdatest.ZipOf(file, lambdatest.Entry{Name: ".lamina/m/README", Mode: 0o644}), same, differs},
		{"a folder whose name begins like our metadata", lambdatest.ZipOf(file, lambdatest.Entry{Name: ".laminated", Mode: 0o644}), differs, differs},
		{"another mode", with(func(e *lambdatest.Entry) { e.Mode = 0o755 }), differs, differs},
		{"other content", with(func(e *lambdatest.Entry) { e.Content = "x = 2\n" }), differs, differs},
		{"another path", with(func(e *lambdatest.Entry) { e.Name = "python/n.py" }), differs, differs},
		{"a link in place of a file", with(func(e *lambdatest.Entry) { e.Mode = fs.ModeSymlink | 0o777 }), differs, differs},
	} {
		t.Run(test.name, func(t *testing.T) {
			content, tree := keysOf(t, fromZip(t, lambdatest.ZipOf(file)))
			gotContent, gotTree := keysOf(t, fromZip(t, test.zip))
			if got := gotContent == content; got != test.content {
				t.Errorf("same content digest: %v, want %v", got, test.content)
			}
			if got := gotTree == tree; got != test.tree {
				t.Errorf("same tree key: %v, want %v", got, test.tree)
			}
		})
	}
}

func TestDigestIsThatOfTheZip(t *testing.T) {
	zip := lambdatest.EchoFunction()
	got, err := fromZip(t, zip).Digest()
	if want := digest.Of(zip); err != nil || got != want {
		t.Errorf("Digest = %s, %v; want %s", got, err, want)
	}
}

func TestCorruptContentHasNoKeys(t *testing.T) {
	for _, z := range lambdatest.HostileZips() {
		if !z.Late {
			continue
		}
		l := fromZip(t, z.Zip)
		if _, err := l.ContentDigest(); err == nil {
			t.Errorf("%s: ContentDigest gave no error", z.Name)
		}
		if _, err := l.TreeKey(); err == nil {
			t.Errorf("%s: TreeKey gave no error", z.Name)
		}
	}
}

// sampleFolder makes a folder with what a layer may hold.
func sampleFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(dir, "python/pkg"), 0o755),
		os.WriteFile(filepath.Join(dir, "python/pkg/__init__.py"), []byte(strings.Repeat("x = 1\n", 1000)), 0o644),
		os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\n"), 0o644),
		os.Chmod(filepath.Join(dir, "run"), 0o755),
		os.Mkdir(filepath.Join(dir, "empty"), 0o755),
		os.Symlink("/var/task/x", filepath.Join(dir, "dangling")),
		os.Chtimes(filepath.Join(dir, "run"), lambdatest.Time, lambdatest.Time),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFromFolder(t *testing.T) {
	l, err := layer.FromFolder(sampleFolder(t))
	if err != nil {
		t.Fatalf("FromFolder: %v", err)
	}
	want := []archive.Entry{
		{Path: "dangling", Type: archive.Symlink, Mode: 0o777, Size: 11},
		{Path: "empty", Type: archive.Dir, Mode: 0o755},
		{Path: "python", Type: archive.Dir, Mode: 0o755},
		{Path: "python/pkg", Type: archive.Dir, Mode: 0o755},
		{Path: "python/pkg/__init__.py", Mode: 0o644, Size: 6000},
		{Path: "run", Mode: 0o755, Size: 10},
	}
	if diff := cmp.Diff(want, l.Entries(), cmpopts.IgnoreFields(archive.Entry{}, "ModTime"), cmpopts.IgnoreUnexported(archive.Entry{})); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := l.Entries()[5].ModTime; got != lambdatest.Time {
		t.Errorf("ModTime of run = %v, want %v", got, lambdatest.Time)
	}
	if got, want := l.UnzippedSize(), int64(6021); got != want {
		t.Errorf("UnzippedSize = %d, want %d", got, want)
	}
}

func TestFolderAndItsZipAreOneLayer(t *testing.T) {
	l, err := layer.FromFolder(sampleFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	var plain, timed bytes.Buffer
	if err := l.WriteZip(&plain); err != nil {
		t.Fatalf("WriteZip: %v", err)
	}
	if err := l.WriteZipTimes(&timed); err != nil {
		t.Fatalf("WriteZipTimes: %v", err)
	}
	content, tree := keysOf(t, l)
	plainContent, plainTree := keysOf(t, fromZip(t, plain.Bytes()))
	timedContent, timedTree := keysOf(t, fromZip(t, timed.Bytes()))
	if plainContent != content || timedContent != content {
		t.Errorf("content digests %s, %s, want %s", plainContent, timedContent, content)
	}
	if timedTree != tree || plainTree == tree {
		t.Errorf("tree keys %s (with times), %s (without), want the former to be %s", timedTree, plainTree, tree)
	}
	got, err := l.Digest()
	if want := digest.Of(plain.Bytes()); err != nil || got != want {
		t.Errorf("Digest = %s, %v; want that of WriteZip, %s", got, err, want)
	}
	var again bytes.Buffer
	if err := fromZip(t, timed.Bytes()).WriteZip(&again); err != nil || !bytes.Equal(again.Bytes(), plain.Bytes()) {
		t.Errorf("a second zip of the same content differs (%v)", err)
	}
}

func TestFromFolderRefuses(t *testing.T) {
	fifo := sampleFolder(t)
	if err := syscall.Mkfifo(filepath.Join(fifo, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"absent": filepath.Join(fifo, "absent"), "empty": t.TempDir(), "pipe": fifo} {
		if _, err := layer.FromFolder(dir); err == nil {
			t.Errorf("%s: FromFolder gave no error", name)
		}
	}
}

func TestFolderThatChangesIsAnError(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"longer":  func(p string) error { return os.WriteFile(p, []byte("longer than it was"), 0o644) },
		"shorter": func(p string) error { return os.Truncate(p, 1) },
		"a link out": func(p string) error {
			return os.Rename(filepath.Join(filepath.Dir(p), "out"), p)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if err := os.WriteFile(path, []byte("1234"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink("/etc/hostname", filepath.Join(dir, "out")); err != nil {
				t.Fatal(err)
			}
			l, err := layer.FromFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			if err := l.WriteZip(io.Discard); err == nil {
				t.Error("WriteZip gave no error")
			}
		})
	}
}
