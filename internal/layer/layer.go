// Package layer is lamina's hero: an immutable view of what one layer (or one deployment package) holds.
//
// A Layer comes from a zip or from a folder, and everything that is done with layers is a function of it. It has three
// names. Digest is that of the zip's bytes: AWS's CodeSha256. ContentDigest is that of what the zip holds, without times
// and without our own folder ".lamina", so the same content has the same one whatever the zip looks like. TreeKey is that
// of the tree which the zip unpacks to, times included: Python trusts them, so two trees that differ in a time are two
// trees. Keys computes the latter two; doc/formats.md has the bytes that are hashed.
package layer

import (
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
)

// source is where the content of a layer comes from.
type source interface {
	Entries() []archive.Entry
	UnzippedSize() int64
	Open(archive.Entry) (io.ReadCloser, error)
	// hash writes the bytes of the zip.
	hash(w io.Writer) error
}

// Layer is an immutable view of one layer. Its methods may be called concurrently and more than once; a digest is computed
// when it is first asked for, which reads the whole layer, and then kept.
type Layer struct {
	source source
	digest func() (digest.Digest, error)
	keys   func() (keys, error)
}

type keys struct{ content, tree digest.Digest }

func newLayer(s source) *Layer {
	l := &Layer{source: s}
	l.digest = sync.OnceValues(func() (digest.Digest, error) {
		h := sha256.New()
		if err := s.hash(h); err != nil {
			return digest.Digest{}, fmt.Errorf("cannot compute the digest of a layer: %w", err)
		}
		return digest.Sum(h), nil
	})
	l.keys = sync.OnceValues(l.computeKeys)
	return l
}

// Digest is the SHA-256 of the zip's bytes. For a layer from a folder it is that of what WriteZip writes.
func (l *Layer) Digest() (digest.Digest, error) { return l.digest() }

// ContentDigest names what the layer holds, without times. It fails when content cannot be read or is corrupt.
func (l *Layer) ContentDigest() (digest.Digest, error) {
	k, err := l.keys()
	return k.content, err
}

// TreeKey names what the layer unpacks to, times included. It fails as ContentDigest does.
func (l *Layer) TreeKey() (digest.Digest, error) {
	k, err := l.keys()
	return k.tree, err
}

// UnzippedSize is the bytes of all entries together.
func (l *Layer) UnzippedSize() int64 { return l.source.UnzippedSize() }

// Entries gives what the layer holds, sorted by path, parents first. The slice must not be changed.
func (l *Layer) Entries() []archive.Entry { return l.source.Entries() }

// Open reads the content of one of the layer's entries: of a link, its target. The content is verified while it is read.
func (l *Layer) Open(e archive.Entry) (io.ReadCloser, error) { return l.source.Open(e) }

// WriteZip writes a zip of the layer that is the same, byte for byte, for every layer with this content and these modes:
// entries are sorted and times are fixed.
func (l *Layer) WriteZip(w io.Writer) error {
	return archive.Write(w, l.sources(func(archive.Entry) time.Time { return time.Time{} }))
}

// WriteZipTimes is WriteZip with the times of the entries in it: what it writes has this layer's TreeKey.
func (l *Layer) WriteZipTimes(w io.Writer) error { return archive.Write(w, l.sources(ModTime)) }

func (l *Layer) sources(modTime func(archive.Entry) time.Time) []archive.Source {
	entries := l.Entries()
	s := make([]archive.Source, len(entries))
	for i, e := range entries {
		s[i] = archive.Source{Path: e.Path, Type: e.Type, Mode: e.Mode, ModTime: modTime(e),
			Open: func() (io.ReadCloser, error) { return l.Open(e) }}
	}
	return s
}

func (l *Layer) computeKeys() (keys, error) {
	entries := l.Entries()
	sums := make([]digest.Digest, len(entries))
	for i, e := range entries {
		if e.Type == archive.Dir {
			continue
		}
		var err error
		if sums[i], err = l.sum(e); err != nil {
			return keys{}, fmt.Errorf("cannot compute the digest of a layer: %w", err)
		}
	}
	var k keys
	k.content, k.tree = Keys(entries, sums)
	return k, nil
}

func (l *Layer) sum(e archive.Entry) (digest.Digest, error) {
	r, err := l.Open(e)
	if err != nil {
		return digest.Digest{}, err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return digest.Digest{}, err
	}
	return digest.Sum(h), nil
}
