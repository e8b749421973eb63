package jsonstream

import "unicode/utf8"

const (
	badStart  = "Invalid UTF-8 start byte 0x%x"
	badMiddle = "Invalid UTF-8 middle byte 0x%x"
)

// checkEscape refuses an escape in the middle of a character.
func (d *decoder) checkEscape() error {
	if c, ok := d.peek(); ok && c == '\\' && len(d.cut) > 0 {
		return d.syntaxAt(d.offset()+1, badMiddle, c)
	}
	return nil
}

// checkUTF8 checks the bytes that run has just given, together with the beginning of a character that the run before ended
// in. Unless the string is closed, the last character may be cut, too.
func (d *decoder) checkUTF8(run []byte, closed bool) error {
	if len(d.cut) == 0 && utf8.Valid(run) {
		return nil
	}
	d.cut = append(d.cut, run...)
	if closed { // the quote
		d.cut = append(d.cut, '"')
	}
	rest, err := d.characters(d.cut, d.offset()-int64(len(d.cut)))
	d.cut = append(d.cut[:0], rest...)
	return err
}

// characters checks bytes of which the first lies at an offset, and gives those of a last character that is not whole.
func (d *decoder) characters(b []byte, at int64) (rest []byte, err error) {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r != utf8.RuneError || n > 1 {
			b, at = b[n:], at+int64(n)
			continue
		}
		more := following(b[0])
		if more == 0 {
			return nil, d.syntaxAt(at+1, badStart, b[0])
		}
		for i := 1; i <= more && i < len(b); i++ {
			if !utf8Tail(b[i]) {
				return nil, d.syntaxAt(at+int64(i)+1, badMiddle, b[i])
			}
		}
		if more < len(b) { // well formed, and yet no character: half of a surrogate pair, or longer than need be
			return nil, d.syntaxAt(at+1, badStart, b[0])
		}
		return b, nil
	}
	return nil, nil
}

// following is how many bytes follow the first one of a character, 0 when it is none.
func following(c byte) int {
	switch {
	case c&0xe0 == 0xc0:
		return 1
	case c&0xf0 == 0xe0:
		return 2
	case c&0xf8 == 0xf0:
		return 3
	}
	return 0
}

func utf8Tail(c byte) bool { return c&0xc0 == 0x80 }
