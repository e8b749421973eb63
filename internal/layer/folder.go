package layer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/archive"
)

// FromFolder gives the layer that a zip of a folder would hold. Links are kept as links. The folder must not change while
// the layer is used: a file that changed its size is an error when it is read. It fails on a folder that is empty and on
// what no layer can hold: devices, pipes, sockets.
func FromFolder(dir string) (*Layer, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read a layer: %w", err)
	}
	defer root.Close()
	s := &folderSource{dir: dir}
	if err := fs.WalkDir(root.FS(), ".", s.add); err != nil {
		return nil, fmt.Errorf("cannot read a layer from %q: %w", dir, err)
	}
	if len(s.entries) == 0 {
		return nil, &archive.Error{Reason: archive.Empty, Text: fmt.Sprintf("no files in %q", dir)}
	}
	slices.SortFunc(s.entries, func(a, b archive.Entry) int { return strings.Compare(a.Path, b.Path) })
	return newLayer(s), nil
}

type folderSource struct {
	dir      string
	entries  []archive.Entry
	unzipped int64
}

func (s *folderSource) Entries() []archive.Entry { return s.entries }

func (s *folderSource) UnzippedSize() int64 { return s.unzipped }

func (s *folderSource) add(path string, d fs.DirEntry, err error) error {
	if err != nil || path == "." {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	e := archive.Entry{Path: path, Mode: info.Mode().Perm(), ModTime: info.ModTime().UTC().Truncate(time.Second), Size: info.Size()}
	switch info.Mode().Type() {
	case 0:
	case fs.ModeDir:
		e.Type, e.Size = archive.Dir, 0
	case fs.ModeSymlink:
		e.Type, e.Mode = archive.Symlink, fs.ModePerm
	default:
		return fmt.Errorf("%q is neither file, directory nor link", path)
	}
	s.unzipped += e.Size
	s.entries = append(s.entries, e)
	return nil
}

// Open opens the folder's root anew for each file, so that a layer holds no descriptor and no path leads out of the folder.
func (s *folderSource) Open(e archive.Entry) (io.ReadCloser, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	switch e.Type {
	case archive.Dir:
		return nil, fmt.Errorf("cannot open directory %q of a layer", e.Path)
	case archive.Symlink:
		target, err := root.Readlink(filepath.FromSlash(e.Path))
		if err != nil {
			return nil, err
		}
		return io.NopCloser(strings.NewReader(target)), nil
	}
	f, err := root.Open(filepath.FromSlash(e.Path))
	if err != nil {
		return nil, err
	}
	return &sized{f: f, path: e.Path, left: e.Size}, nil
}

// hash writes the zip of the folder.
func (s *folderSource) hash(w io.Writer) error { return newLayer(s).WriteZip(w) }

// sized fails when a file has not the size that it had when the folder was read.
type sized struct {
	f    *os.File
	path string
	left int64
}

func (s *sized) Read(p []byte) (int, error) {
	n, err := s.f.Read(p)
	s.left -= int64(n)
	if s.left < 0 || errors.Is(err, io.EOF) && s.left > 0 {
		return n, fmt.Errorf("%q changed while it was read", s.path)
	}
	return n, err
}

func (s *sized) Close() error { return s.f.Close() }
