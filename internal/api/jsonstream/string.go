package jsonstream

import (
	"bytes"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string that begins at the next byte.
func (d *decoder) string(a Action) (string, error) {
	d.pos++
	d.scratch = d.scratch[:0]
	d.cut = d.cut[:0]
	for {
		if err := d.checkEscape(); err != nil {
			return "", err
		}
		run, closed, err := d.run()
		if err != nil {
			return "", err
		}
		if err := d.checkUTF8(run, closed); err != nil {
			return "", err
		}
		if a != Skip {
			if err := d.keep(len(run)); err != nil {
				return "", err
			}
			d.scratch = append(d.scratch, run...)
		}
		if closed {
			return string(d.scratch), nil
		}
	}
}

// run gives the next characters of the string that we are in: what is in the buffer, or one escape. closed says that the
// string has ended after them. The bytes are good until the next call.
func (d *decoder) run() (b []byte, closed bool, err error) {
	if !d.fill() {
		return nil, false, d.ended(": was expecting closing quote for a string value")
	}
	b = d.buf[d.pos:d.end]
	n := runLength(b)
	switch {
	case n == len(b):
		d.pos = d.end
		return b, false, nil
	case n > 0 && b[n] != '"':
		d.pos += n
		return b[:n], false, nil
	case b[n] == '"':
		d.pos += n + 1
		return b[:n], true, nil
	case b[n] == '\\':
		d.pos++
		b, err = d.escape()
		return b, false, err
	}
	return nil, false, d.syntax("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", b[n])
}

// runLength is how many bytes come before a quote, a backslash or a control character.
func runLength(b []byte) int {
	if i := bytes.IndexByte(b, '"'); i >= 0 {
		b = b[:i]
	}
	if i := bytes.IndexByte(b, '\\'); i >= 0 {
		b = b[:i]
	}
	for i, c := range b {
		if c < ' ' {
			return i
		}
	}
	return len(b)
}

// escape reads what follows a backslash.
func (d *decoder) escape() ([]byte, error) {
	c, ok := d.next()
	if !ok {
		return nil, d.ended(" in character escape sequence")
	}
	switch c {
	case '"', '\\', '/':
		return []byte{c}, nil
	case 'b':
		return []byte{'\b'}, nil
	case 'f':
		return []byte{'\f'}, nil
	case 'n':
		return []byte{'\n'}, nil
	case 'r':
		return []byte{'\r'}, nil
	case 't':
		return []byte{'\t'}, nil
	case 'u':
		return d.unicode()
	}
	d.pos--
	return nil, d.syntax("Unrecognized character escape %s", described(c))
}

// unicode reads the digits of \uXXXX, and of a second one when the first is half of a surrogate pair. A half without its
// other half becomes U+FFFD, as in encoding/json.
func (d *decoder) unicode() ([]byte, error) {
	r, err := d.hex4()
	if err != nil {
		return nil, err
	}
	var out []byte
	for utf16.IsSurrogate(r) {
		second, again, err := d.lowHalf()
		if err != nil {
			return nil, err
		}
		if pair := utf16.DecodeRune(r, second); again && pair != utf8.RuneError {
			return utf8.AppendRune(out, pair), nil
		}
		out = utf8.AppendRune(out, utf8.RuneError)
		if !again {
			return out, nil
		}
		r = second
	}
	return utf8.AppendRune(out, r), nil
}

// lowHalf reads another \uXXXX when one follows. A backslash that begins another escape stays for the next run.
func (d *decoder) lowHalf() (r rune, found bool, err error) {
	if c, ok := d.peek(); !ok || c != '\\' {
		return 0, false, nil
	}
	if !d.twoBuffered() || d.buf[d.pos+1] != 'u' {
		return 0, false, nil
	}
	d.pos += 2
	r, err = d.hex4()
	return r, true, err
}

// twoBuffered makes two bytes available at once, and reports whether it could.
func (d *decoder) twoBuffered() bool {
	if d.end-d.pos >= 2 {
		return true
	}
	d.consumed += int64(d.pos)
	d.end = copy(d.buf, d.buf[d.pos:d.end])
	d.pos = 0
	for tries := 0; d.end < 2 && d.err == nil && tries < 100; tries++ {
		n, err := d.src.Read(d.buf[d.end:])
		d.end += n
		d.err = err
	}
	return d.end >= 2
}

func (d *decoder) hex4() (rune, error) {
	var r rune
	for range 4 {
		c, ok := d.next()
		if !ok {
			return 0, d.ended(" in character escape sequence")
		}
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, d.unexpected(c, "expected a hex-digit for character escape sequence")
		}
	}
	return r, nil
}

// stream hands the string that begins at the next byte to the stream function.
func (d *decoder) stream() (Value, error) {
	d.pos++
	s := &stringReader{d: d}
	if err := d.Stream(s); err != nil {
		return Value{}, err
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return Value{}, err
	}
	return Value{Kind: Streamed}, nil
}

// stringReader gives the characters of a string.
type stringReader struct {
	d      *decoder
	rest   []byte
	closed bool
	err    error
}

func (s *stringReader) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		if s.closed {
			return 0, io.EOF
		}
		if s.err != nil {
			return 0, s.err
		}
		s.rest, s.closed, s.err = s.d.run()
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
