package lambdaapi

import (
	"encoding/base64"
	"errors"
	"io"

	"github.com/laminadev/lamina/internal/lambda"
)

// zipSource gives the bytes of a zip that comes as base64, no more than a zip may have. It keeps the error that it ended with,
// so that it is told from one of the place that stores the zip.
type zipSource struct {
	text io.Reader // decodes
	most int64     // bytes
	n    int64
	err  error
}

func (s *zipSource) Read(p []byte) (int, error) {
	n, err := s.text.Read(p)
	if s.n += int64(n); s.n > s.most {
		err = lambda.Errorf(lambda.TooLarge, "Zipped size must be smaller than %d bytes", s.most)
	}
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
