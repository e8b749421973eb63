package archive

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zip"
)

// Source is an entry to be written.
type Source struct {
	Path    string      // clean, slash-separated, relative, without a slash at the end
	Type    Type        //
	Mode    fs.FileMode // permission bits
	ModTime time.Time   // zero: the fixed time, 1980-01-01 00:00:00
	Open    func() (io.ReadCloser, error)
}

// Write writes a zip: entries sorted by path, whatever their order in the slice, modes kept. The same entries with the same
// content give the same bytes, as long as the compressor is the same. It fails on a path that Open would refuse and on two
// entries with one path.
func Write(w io.Writer, entries []Source) error {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, func(a, b Source) int { return strings.Compare(a.Path, b.Path) })
	z := zip.NewWriter(w)
	for i, e := range sorted {
		if i > 0 && sorted[i-1].Path == e.Path {
			return fmt.Errorf("cannot write %q twice", e.Path)
		}
		if err := writeEntry(z, e); err != nil {
			return fmt.Errorf("cannot write %q to a zip: %w", e.Path, err)
		}
	}
	return z.Close()
}

func writeEntry(z *zip.Writer, e Source) error {
	if clean, err := cleanPath(e.Path); err != nil || clean != e.Path || !utf8.ValidString(e.Path) {
		return fmt.Errorf("not a path for a zip: %w", fs.ErrInvalid)
	}
	h := &zip.FileHeader{Name: e.Path, Method: zip.Deflate, Modified: e.ModTime.UTC()}
	if e.ModTime.IsZero() {
		//lint:ignore SA1019 Modified would add an extended timestamp, which the fixed time does without
		h.Modified, h.ModifiedDate = time.Time{}, 1<<5|1
	}
	switch e.Type {
	case Dir:
		h.Name, h.Method = h.Name+"/", zip.Store
		h.SetMode(fs.ModeDir | e.Mode.Perm())
		_, err := z.CreateHeader(h)
		return err
	case Symlink:
		h.Method = zip.Store
		h.SetMode(fs.ModeSymlink | fs.ModePerm)
	default:
		h.SetMode(e.Mode.Perm())
	}
	dst, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	src, err := e.Open()
	if err != nil {
		return err
	}
	defer src.Close()
	_, err = io.Copy(dst, src)
	return err
}
