package logstream

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// cursor reads the segments of one stream one after the other, from where the reader had come, and remembers how far.
type cursor struct {
	r      *reader
	paths  []string // the current segment first
	file   *os.File
	br     *bufio.Reader
	stream string
}

func newCursor(r *reader, paths []string) *cursor { return &cursor{r: r, paths: paths} }

// next gives the next record that the query wants; false at the end.
func (c *cursor) next() (Record, bool, error) {
	for len(c.paths) > 0 {
		rec, ok, err := c.nextHere()
		if ok || err != nil {
			return rec, ok, err
		}
		c.park()
		c.paths = c.paths[1:]
	}
	return Record{}, false, nil
}

// nextHere gives the next record of the current segment.
func (c *cursor) nextHere() (Record, bool, error) {
	if err := c.open(); err != nil {
		return Record{}, false, err
	}
	path := c.paths[0]
	for {
		b, err := c.br.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return Record{}, false, nil // what there is of a last line is not complete
		}
		if err != nil {
			return Record{}, false, err
		}
		c.r.offsets[path] += int64(len(b))
		var l line
		if json.Unmarshal(b, &l) != nil || l.Micros == 0 {
			continue // a header, or a torn line
		}
		t := time.UnixMicro(l.Micros).UTC()
		if t.Before(c.r.q.Since) {
			continue
		}
		return Record{t, c.stream, l.Message}, true, nil
	}
}

// open opens the current segment where it was left.
func (c *cursor) open() error {
	if c.file != nil {
		return nil
	}
	path := c.paths[0]
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if c.stream == "" {
		c.stream = readStream(f, path)
	}
	if _, err := f.Seek(c.r.offsets[path], io.SeekStart); err != nil {
		f.Close()
		return err
	}
	c.file, c.br = f, bufio.NewReaderSize(f, 16<<10)
	return nil
}

// readStream reads the stream's name from a segment's header; one that has none goes by the name of its file.
func readStream(f *os.File, path string) string {
	b, err := bufio.NewReader(io.NewSectionReader(f, 0, 64<<10)).ReadBytes('\n')
	var h header
	if err != nil || json.Unmarshal(b, &h) != nil || h.Stream == "" {
		return strings.TrimSuffix(filepath.Base(path), segmentSuffix)
	}
	return h.Stream
}

// park closes the file; the next read opens it again where it was.
func (c *cursor) park() {
	if c.file != nil {
		c.file.Close()
		c.file, c.br = nil, nil
	}
}

func (c *cursor) close() {
	c.park()
	c.paths = nil
}
