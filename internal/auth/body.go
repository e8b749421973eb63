package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/laminadev/lamina/internal/lambda"
)

const (
	// inMemory is how much of a body is kept in memory; what is longer goes to a file without a name.
	inMemory = 1 << 20
	// MaxBody is the longest body that is checked: more than any operation takes, so that the operation says what is too long.
	MaxBody = 80 << 20
)

// long says whether the body of a request may have to be kept in a file.
func long(r *http.Request) bool { return r.ContentLength < 0 || r.ContentLength > inMemory }

// keepBody reads the body of a request to its end, leaves one with the same bytes, and gives their digest.
func keepBody(r *http.Request) (string, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return hashOf(""), nil
	}
	h := sha256.New()
	source := io.TeeReader(io.LimitReader(r.Body, MaxBody+1), h)
	var head bytes.Buffer
	n, err := io.CopyN(&head, source, inMemory)
	switch {
	case errors.Is(err, io.EOF):
		r.Body = kept{&head, r.Body}
	case err != nil:
		return "", unreadable(err)
	default:
		rest, size, err := spool(source)
		if err != nil {
			return "", err
		}
		n += size
		r.Body = kept{io.MultiReader(&head, rest), rest}
	}
	if n > MaxBody {
		r.Body.Close()
		return "", &lambda.Error{Kind: lambda.TooLarge, Message: fmt.Sprintf("Request must be smaller than %d bytes", MaxBody)}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// spool writes what is left of a body to a file that is gone when it is closed.
func spool(source io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "lamina-body-*")
	if err != nil {
		return nil, 0, fmt.Errorf("cannot keep the body of a request: %w", err)
	}
	os.Remove(f.Name())
	n, err := io.Copy(f, source)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, 0, unreadable(err)
	}
	return f, n, nil
}

func unreadable(err error) error {
	return &lambda.Error{Kind: lambda.Malformed, Message: "The body of the request cannot be read", Err: err}
}

// kept is a body that was read before.
type kept struct {
	io.Reader
	io.Closer
}
