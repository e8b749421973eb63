package archive_test

import (
	stdzip "archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// FuzzOpen checks that whatever Open accepts keeps the promises of the package comment, and that the standard library
// finds the same content where both accept.
func FuzzOpen(f *testing.F) {
	for _, z := range lambdatest.HostileZips() {
		f.Add(z.Zip)
	}
	f.Add(lambdatest.PythonLayer("m", "x = 1\n"))
	f.Add(lambdatest.ZipOf(lambdatest.Entry{Name: "d/l", Content: "/etc", Mode: fs.ModeSymlink | 0o777}, lambdatest.Entry{Name: "w\\x", DOS: true}))
	f.Fuzz(func(t *testing.T, zip []byte) {
		const limit = 1 << 20
		a, err := archive.Open(bytes.NewReader(zip), int64(len(zip)), archive.Limits{UnzippedSize: limit, Entries: 1000})
		if err != nil {
			var refused *archive.Error
			if !errors.As(err, &refused) {
				t.Fatalf("error of another kind for bytes in memory: %v", err)
			}
			return
		}
		std, _ := stdzip.NewReader(bytes.NewReader(zip), int64(len(zip)))
		types := map[string]archive.Type{"": archive.Dir}
		var size int64
		for _, e := range a.Entries() {
			checkEntry(t, types, e)
			if e.Type == archive.Dir {
				continue
			}
			size += e.Size
			got, err := content(a, e)
			if int64(len(got)) > e.Size {
				t.Fatalf("%q gives %d bytes of %d", e.Path, len(got), e.Size)
			}
			if err == nil {
				compare(t, std, e.Path, got)
			}
		}
		if size > limit || size != a.UnzippedSize() {
			t.Fatalf("%d bytes unzipped, UnzippedSize %d, limit %d", size, a.UnzippedSize(), limit)
		}
	})
}

func checkEntry(t *testing.T, types map[string]archive.Type, e archive.Entry) {
	t.Helper()
	if !fs.ValidPath(e.Path) || e.Path == "." || strings.ContainsRune(e.Path, 0) {
		t.Fatalf("path %q", e.Path)
	}
	if _, ok := types[e.Path]; ok {
		t.Fatalf("%q comes twice", e.Path)
	}
	types[e.Path] = e.Type
	dir := e.Path[:max(0, strings.LastIndexByte(e.Path, '/'))]
	if parent, ok := types[dir]; !ok || parent != archive.Dir {
		t.Fatalf("%q lies below %q, which is no directory before it", e.Path, dir)
	}
	if e.Mode&^fs.ModePerm != 0 || e.Size < 0 || e.Type > archive.Symlink {
		t.Fatalf("entry %+v", e)
	}
}

// compare looks for the same content under the same name in the standard library's view, in the last entry of that name.
func compare(t *testing.T, std *stdzip.Reader, path, got string) {
	t.Helper()
	if std == nil {
		return
	}
	for i := len(std.File) - 1; i >= 0; i-- {
		if std.File[i].Name != path {
			continue
		}
		r, err := std.File[i].Open()
		if err != nil {
			return
		}
		defer r.Close()
		if want, err := io.ReadAll(r); err == nil && string(want) != got {
			t.Fatalf("%q holds %q here and %q for the standard library", path, got, want)
		}
		return
	}
}
