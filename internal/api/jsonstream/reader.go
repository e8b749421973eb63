package jsonstream

import (
	"errors"
	"fmt"
	"io"
)

const bufferSize = 64 << 10

// reader is a buffer over the text that knows where in it we are.
type reader struct {
	src       io.Reader
	buf       []byte
	pos, end  int
	consumed  int64 // bytes before buf
	line      int
	lineStart int64
	err       error // of src, met after what is in buf
}

func newReader(src io.Reader) *reader {
	return &reader{src: src, buf: make([]byte, bufferSize), line: 1}
}

// fill makes at least one more byte available, and reports whether it could.
func (r *reader) fill() bool {
	if r.pos < r.end {
		return true
	}
	r.consumed += int64(r.end)
	r.pos, r.end = 0, 0
	for range 100 {
		if r.err != nil {
			return false
		}
		n, err := r.src.Read(r.buf)
		r.end, r.err = n, err
		if n > 0 {
			return true
		}
	}
	r.err = io.ErrNoProgress
	return false
}

// peek gives the next byte without taking it; ok is false at the end.
func (r *reader) peek() (c byte, ok bool) {
	if !r.fill() {
		return 0, false
	}
	return r.buf[r.pos], true
}

// next takes a byte; ok is false at the end.
func (r *reader) next() (c byte, ok bool) {
	c, ok = r.peek()
	if ok {
		r.pos++
	}
	return c, ok
}

// space takes white space and gives the byte after it, not taken.
func (r *reader) space() (c byte, ok bool) {
	for {
		c, ok = r.peek()
		if !ok {
			return c, ok
		}
		switch c {
		case '\n':
			r.pos++
			r.line++
			r.lineStart = r.consumed + int64(r.pos)
		case ' ', '\t', '\r':
			r.pos++
		default:
			return c, true
		}
	}
}

// ended gives the error for a text that stops too early: what the source said, or that it ended.
func (r *reader) ended(in string) error {
	if r.err != nil && !errors.Is(r.err, io.EOF) {
		return r.err
	}
	return r.syntax("Unexpected end-of-input%s", in)
}

// offset is how many bytes lie before the next one.
func (r *reader) offset() int64 { return r.consumed + int64(r.pos) }

// column is that of a byte, from 1.
func (r *reader) column(offset int64) int { return int(offset - r.lineStart + 1) }

func (r *reader) syntax(format string, args ...any) error {
	return r.syntaxAt(r.offset(), format, args...)
}

// syntaxAt gives an error at a byte of the line that we are in.
func (r *reader) syntaxAt(offset int64, format string, args ...any) error {
	return &SyntaxError{Text: fmt.Sprintf(format, args...), Line: r.line, Column: r.column(offset)}
}

// unexpected gives the error for a byte that does not belong where it is.
func (r *reader) unexpected(c byte, wanted string) error {
	return r.syntax("Unexpected character (%s): %s", described(c), wanted)
}

// described shows a byte; one beyond ASCII as the character of Latin-1 with that number.
func described(c byte) string {
	if c < ' ' || 0x7f <= c && c < 0xa0 {
		return fmt.Sprintf("(CTRL-CHAR, code %d)", c)
	}
	return fmt.Sprintf("'%c' (code %d)", rune(c), c)
}
