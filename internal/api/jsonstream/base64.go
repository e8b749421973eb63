package jsonstream

import (
	"encoding/base64"
	"io"
)

// Base64 decodes standard base64 from r as encoding/json decodes it into bytes: padding is needed, line ends are ignored,
// anything else is a base64.CorruptInputError. Its Reads are large when r's are.
func Base64(r io.Reader) io.Reader { return &base64Reader{src: r} }

type base64Reader struct {
	src   io.Reader
	in    [32 << 10]byte
	n     int // bytes in in
	out   []byte
	space [24 << 10]byte
	done  int64 // characters decoded before in
	ended bool  // padding was seen
	err   error
}

func (b *base64Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(b.out) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		b.decode()
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// decode reads more characters and decodes the whole groups of four among them.
func (b *base64Reader) decode() {
	n, err := b.src.Read(b.in[b.n:])
	b.n += strip(b.in[b.n : b.n+n])
	if b.n > 0 && b.ended {
		b.err = base64.CorruptInputError(b.done)
		return
	}
	whole := b.n &^ 3
	size, bad := base64.StdEncoding.Decode(b.space[:], b.in[:whole])
	if bad != nil {
		b.err = b.at(bad)
		return
	}
	b.ended = whole > 0 && b.in[whole-1] == '='
	b.out = b.space[:size]
	b.n = copy(b.in[:], b.in[whole:b.n])
	b.done += int64(whole)
	switch {
	case b.n > 0 && (err == io.EOF || b.ended):
		b.err = base64.CorruptInputError(b.done)
	default:
		b.err = err
	}
}

func (b *base64Reader) at(err error) error {
	if c, ok := err.(base64.CorruptInputError); ok {
		return base64.CorruptInputError(b.done) + c
	}
	return err
}

// strip takes the line ends out of p and gives what is left's length.
func strip(p []byte) int {
	n := 0
	for i, c := range p {
		if c == '\r' || c == '\n' {
			continue
		}
		if n != i {
			p[n] = c
		}
		n++
	}
	return n
}
