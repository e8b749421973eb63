package lambdaapi

import (
	"encoding/base64"
	"errors"
	"io"
)

// base64Source keeps the error that the text of a zip ended with, so that it is told from one of the place that stores it.
type base64Source struct {
	io.Reader
	err error
}

func (s *base64Source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) {
		err = malformed("Illegal base64 in a blob at character %d", int64(corrupt))
	}
	s.err = err
	return n, err
}
