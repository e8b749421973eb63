package jsonstream

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const jsonValues = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// maxWord is how much of an unknown word an error shows.
const maxWord = 256

// word reads true, false or null.
func (d *decoder) word(in string) (Value, error) {
	var b strings.Builder
	for b.Len() < maxWord {
		c, ok := d.peek()
		if !ok || !wordByte(c) {
			break
		}
		b.WriteByte(c)
		d.pos++
	}
	switch b.String() {
	case "true":
		return Value{Kind: Bool, Bool: true}, nil
	case "false":
		return Value{Kind: Bool}, nil
	case "null":
		return Value{}, nil
	}
	if err := d.sourceError(); err != nil {
		return Value{}, err
	}
	switch s := b.String(); s {
	case "NaN", "Infinity":
		return Value{}, d.syntax("Non-standard token '%s': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow", s)
	case "":
		return Value{}, d.noValue(in)
	}
	return Value{}, d.badWord(&b)
}

// noValue gives the error for a byte that begins no value.
func (d *decoder) noValue(in string) error {
	c, _ := d.peek()
	switch {
	case c >= utf8.RuneSelf && letter(rune(c)): // AWS's parser takes the byte for a character here
		d.pos++
		var b strings.Builder
		b.WriteRune(rune(c))
		return d.badWord(&b)
	case c == '}', c == ',' && in != inRoot, c == ']' && in == inArray:
		return d.unexpected(c, "expected a value")
	}
	return d.unexpected(c, "expected a valid value "+jsonValues)
}

// badWord reads the rest of a word that is none of JSON's, with the character after it, and gives the error.
func (d *decoder) badWord(b *strings.Builder) error {
	for b.Len() < maxWord {
		if _, ok := d.peek(); !ok {
			if d.err != io.EOF {
				return d.err
			}
			break
		}
		r, err := d.character()
		if err != nil {
			return err
		}
		if !letter(r) && !unicode.IsDigit(r) {
			break
		}
		b.WriteRune(r)
	}
	return d.syntax("Unrecognized token '%s': was expecting %s", b.String(), jsonValues)
}

// character takes one character.
func (d *decoder) character() (rune, error) {
	c, _ := d.next()
	if c < utf8.RuneSelf {
		return rune(c), nil
	}
	more := following(c)
	if more == 0 {
		return 0, d.syntax(badStart, c)
	}
	b := []byte{c}
	for range more {
		c, ok := d.next()
		if !ok {
			return 0, d.ended("")
		}
		if !utf8Tail(c) {
			return 0, d.syntax(badMiddle, c)
		}
		b = append(b, c)
	}
	r, _ := utf8.DecodeRune(b)
	return r, nil
}

func letter(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Sc, r)
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// sourceError gives an error of the source that cut a token short.
func (d *decoder) sourceError() error {
	if !d.fill() && d.err != io.EOF {
		return d.err
	}
	return nil
}
