package archive

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// Open reads the content of one of the archive's own entries: of a link, its target. A content that is longer, shorter or
// other than announced, or that does not inflate, is an *Error of reason Corrupt in place of io.EOF. The reader must be
// closed, and is not used after that.
func (a *Archive) Open(e Entry) (io.ReadCloser, error) {
	if e.file < 1 || e.file > len(a.records) || e.Type == Dir {
		return nil, fmt.Errorf("cannot open %s %q of an archive", e.Type, e.Path)
	}
	rec := &a.records[e.file-1]
	in := inflaters.Get().(*inflater)
	in.section.source = io.NewSectionReader(a.r, rec.data, rec.packed)
	in.section.err = nil
	in.buf.Reset(&in.section)
	r := &reader{rec: rec, in: in, src: in.buf, left: rec.size}
	if rec.method == methodDeflate {
		if err := in.flate.(flate.Resetter).Reset(in.buf, nil); err != nil {
			return nil, fmt.Errorf("cannot inflate %q: %w", e.Path, err)
		}
		r.src = in.flate
	}
	return r, nil
}

// inflater is what reading one entry needs, kept for the next one.
type inflater struct {
	section section
	buf     *bufio.Reader
	flate   io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	in := &inflater{}
	in.buf = bufio.NewReaderSize(&in.section, 32<<10)
	in.flate = flate.NewReader(in.buf)
	return in
}}

// section remembers an error of the reader under the archive, which is no fault of the archive.
type section struct {
	source io.Reader
	err    error
}

func (s *section) Read(p []byte) (int, error) {
	n, err := s.source.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// reader counts and sums what comes out of an entry.
type reader struct {
	rec  *record
	in   *inflater
	src  io.Reader
	left int64
	crc  uint32
	err  error // what every later Read answers
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if r.left == 0 {
		r.err = r.finish()
		return 0, r.err
	}
	n, err := r.src.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.crc = crc32.Update(r.crc, crc32.IEEETable, p[:n])
	switch {
	case r.rec.entry.Type == Symlink && hasNUL(p[:n]):
		r.err = refuse(Unsafe, r.rec.entry.Path, "NUL in the target of a link")
	case err == io.EOF && r.left > 0:
		r.err = r.corrupt("is shorter than announced", nil)
	case err != nil && err != io.EOF:
		r.err = r.failed(err)
	}
	return n, r.err
}

// finish looks behind the last announced byte.
func (r *reader) finish() error {
	var one [1]byte
	switch _, err := io.ReadFull(r.src, one[:]); {
	case err == nil:
		return r.corrupt("is longer than announced", nil)
	case err != io.EOF:
		return r.failed(err)
	case r.crc != r.rec.crc:
		return r.corrupt("has another checksum than announced", nil)
	}
	return io.EOF
}

func (r *reader) failed(err error) error {
	if r.in.section.err != nil {
		return fmt.Errorf("cannot read %q: %w", r.rec.entry.Path, r.in.section.err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return r.corrupt("ends early", nil)
	}
	return r.corrupt("does not inflate", err)
}

func (r *reader) corrupt(text string, err error) error {
	return &Error{Reason: Corrupt, Path: r.rec.entry.Path, Text: text, Err: err}
}

// Close gives back what reading needed.
func (r *reader) Close() error {
	if r.in == nil {
		return nil
	}
	r.in.section.source = nil
	inflaters.Put(r.in)
	r.in = nil
	r.err = errors.New("read of a closed entry")
	return nil
}
