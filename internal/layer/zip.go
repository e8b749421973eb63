package layer

import (
	"io"

	"github.com/laminadev/lamina/internal/archive"
)

// FromZip gives the layer that a zip of size bytes holds; r must stay readable as long as the layer is used. A zip that
// archive refuses is an *archive.Error. There are no limits here: who takes zips from strangers opens the archive with
// limits and calls FromArchive.
func FromZip(r io.ReaderAt, size int64) (*Layer, error) {
	a, err := archive.Open(r, size, archive.Limits{})
	if err != nil {
		return nil, err
	}
	return FromArchive(a, r, size), nil
}

// FromArchive gives the layer that an opened zip holds; r and size are what it was opened from.
func FromArchive(a *archive.Archive, r io.ReaderAt, size int64) *Layer {
	return newLayer(&zipSource{a, r, size})
}

type zipSource struct {
	*archive.Archive
	r    io.ReaderAt
	size int64
}

func (s *zipSource) hash(w io.Writer) error {
	_, err := io.Copy(w, io.NewSectionReader(s.r, 0, s.size))
	return err
}
