// Package lambdatest makes sample layers, deployment packages and zips for tests: honest ones, hostile ones, and a large
// one for benchmarks. Zips are written with the standard library, not with our own archive, so that one checks the other.
//
// It is for tests only. What cannot be built is a mistake in a test and panics.
package lambdatest

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Time is the modification time of entries that name none.
var Time = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)

// Entry is one entry of a zip, as it shall be written.
type Entry struct {
	Name    string // a slash at the end makes a directory
	Content string // of a link, its target
	Mode    fs.FileMode
	Time    time.Time // zero: Time
	Store   bool      // not compressed
	DOS     bool      // made on Windows: no Unix mode, and no extended timestamp
}

// Zip makes a zip from paths and contents, sorted by path. A path that ends with a slash is a directory (0755). A content
// that begins with "#!" or with the magic of an ELF file is executable (0755), any other is not (0644).
func Zip(files map[string]string) []byte {
	var entries []Entry
	for name, content := range files {
		entries = append(entries, Entry{Name: name, Content: content, Mode: usualMode(name, content)})
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return ZipOf(entries...)
}

func usualMode(name, content string) fs.FileMode {
	switch {
	case strings.HasSuffix(name, "/"):
		return fs.ModeDir | 0o755
	case strings.HasPrefix(content, "#!"), strings.HasPrefix(content, "\x7fELF"):
		return 0o755
	}
	return 0o644
}

// ZipOf makes a zip of entries in the order given, whatever their names are.
func ZipOf(entries ...Entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		must(e.write(z))
	}
	must(z.Close())
	return b.Bytes()
}

func (e Entry) write(z *zip.Writer) error {
	h := &zip.FileHeader{Name: e.Name, Method: zip.Deflate}
	if e.Store || e.Mode&fs.ModeDir != 0 {
		h.Method = zip.Store
	}
	t := e.Time
	if t.IsZero() {
		t = Time
	}
	if e.DOS {
		//lint:ignore SA1019 Modified would add an extended timestamp
		h.ModifiedDate, h.ModifiedTime = dosTime(t)
		if strings.HasSuffix(e.Name, "/") {
			h.ExternalAttrs = 0x10
		}
	} else {
		h.Modified = t
		h.SetMode(e.Mode)
	}
	w, err := z.CreateHeader(h)
	if err != nil || strings.HasSuffix(e.Name, "/") && e.Content == "" {
		return err
	}
	_, err = w.Write([]byte(e.Content))
	return err
}

func dosTime(t time.Time) (date, clock uint16) {
	return uint16(t.Day() + int(t.Month())<<5 + (t.Year()-1980)<<9), uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11)
}

func must(err error) {
	if err != nil {
		panic("lambdatest: " + err.Error())
	}
}
