package objects

import (
	"bytes"
	"io"
)

// ReadAll reads a body of at most limit bytes and checks its sums. A longer one is of code EntityTooLarge.
func ReadAll(body Body, limit int64) ([]byte, error) {
	got := newSums(body.Algorithm)
	var b bytes.Buffer
	if _, err := io.Copy(&b, &limited{r: io.TeeReader(body, got), left: limit}); err != nil {
		return nil, err
	}
	return b.Bytes(), body.check(got)
}

// check compares the sums of all bytes with what the caller said.
func (b Body) check(got *sums) error {
	if b.MD5 != nil && !bytes.Equal(b.MD5, got.md5.Sum(nil)) {
		return &Error{Code: BadDigest, Message: "The Content-MD5 you specified did not match what we received."}
	}
	if b.Expected == nil {
		return nil
	}
	switch want := b.Expected(); {
	case want == "" && b.Announced:
		return &Error{Code: MalformedTrailer, Message: "The request contained trailing data that was not well-formed or did not conform to our published schema."}
	case want != "" && want != got.checksum():
		return &Error{Code: BadDigest, Message: "The " + b.Algorithm + " you specified did not match the calculated checksum."}
	}
	return nil
}
