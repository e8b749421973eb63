// Package digest holds the SHA-256 value by which lamina names bytes.
//
// A Digest prints as "sha256:<64 hex digits>", which is its form in paths, records and logs. AWS prints the same value
// in base64 and calls it CodeSha256; Base64 gives that form. NewReader checks a stream against a digest while it is
// read, so that no byte past the end of a damaged copy is ever trusted.
package digest

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strings"
)

const prefix = "sha256:"

// Digest is a SHA-256. The zero value means "none".
type Digest [sha256.Size]byte

// Of returns the digest of b.
func Of(b []byte) Digest { return sha256.Sum256(b) }

// Sum returns the digest that a SHA-256 hash has reached.
func Sum(h hash.Hash) Digest {
	var d Digest
	h.Sum(d[:0])
	return d
}

// Parse reads the form that String gives.
func Parse(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok || len(digits) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("%q is not a digest", s)
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, fmt.Errorf("%q is not a digest", s)
	}
	return d, nil
}

// String gives "sha256:" and 64 lower-case hex digits; "" for the zero value.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return prefix + d.Hex()
}

// Hex gives the 64 hex digits alone: the name of a file.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// Base64 gives AWS's form, the CodeSha256 of the Lambda API.
func (d Digest) Base64() string { return base64.StdEncoding.EncodeToString(d[:]) }

// IsZero reports whether there is no digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText and UnmarshalText make a digest a string in JSON.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote; the empty string is the zero value.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Digest{}
		return nil
	}
	v, err := Parse(string(b))
	if err == nil {
		*d = v
	}
	return err
}

// Value stores a digest as text in a database.
func (d Digest) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads a digest stored as text.
func (d *Digest) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return d.UnmarshalText([]byte(v))
	case []byte:
		return d.UnmarshalText(v)
	}
	return fmt.Errorf("cannot read a digest from %T", v)
}

// NewReader reads r and checks that it holds exactly size bytes whose digest is want. A short, long or different body is
// an error in place of io.EOF.
func NewReader(r io.Reader, want Digest, size int64) io.Reader {
	return &reader{r: r, want: want, left: size, hash: sha256.New()}
}

type reader struct {
	r    io.Reader
	want Digest
	left int64
	hash hash.Hash
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.hash.Write(p[:n])
	r.left -= int64(n)
	switch {
	case r.left < 0:
		return n, fmt.Errorf("body is longer than announced for %s", r.want)
	case err != io.EOF:
		return n, err
	case r.left > 0:
		return n, fmt.Errorf("body ends %d bytes early for %s", r.left, r.want)
	case Sum(r.hash) != r.want:
		return n, fmt.Errorf("body is not %s", r.want)
	}
	return n, io.EOF
}
