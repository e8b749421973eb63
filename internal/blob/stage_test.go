package blob_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/digest"
)

// TestStageOfAnySize stages what is shorter, longer and exactly as long as the buffers, from readers that give it whole, in
// pieces, or fail at its end.
func TestStageOfAnySize(t *testing.T) {
	d, err := diskblob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := blob.New(d)
	const buffer = 256 << 10
	for _, size := range []int{0, 1, buffer - 1, buffer, buffer + 1, 2 * buffer, 2*buffer + 1, 7*buffer + 3} {
		content := make([]byte, size)
		rand.NewChaCha8([32]byte{byte(size)}).Read(content)
		for name, r := range map[string]io.Reader{
			"whole":     bytes.NewReader(content),
			"in halves": iotest.HalfReader(bytes.NewReader(content)),
			"with EOF":  iotest.DataErrReader(bytes.NewReader(content)),
		} {
			st, err := s.Stage(t.Context(), r)
			if err != nil {
				t.Fatalf("%d bytes, %s: %v", size, name, err)
			}
			defer st.Discard()
			if st.Size() != int64(size) || st.Digest() != digest.Of(content) {
				t.Errorf("%d bytes, %s: staged %d bytes, %s", size, name, st.Size(), st.Digest())
			}
			if got, err := io.ReadAll(io.NewSectionReader(st, 0, st.Size())); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %s: other bytes come back, %v", size, name, err)
			}
		}
		for _, want := range []error{io.ErrUnexpectedEOF, errors.New("the line is dead")} {
			r := io.MultiReader(bytes.NewReader(content), iotest.ErrReader(want))
			if _, err := s.Stage(t.Context(), r); err != want {
				t.Errorf("%d bytes: got %v, want %v as it is", size, err, want)
			}
		}
	}
}

// small is a driver that takes few bytes.
type small struct{ blob.Driver }

func (small) MaxSize() int64 { return 1000 }

// TestStageOfTooMuch: what the place for blobs does not take is refused while it comes, and leaves nothing.
func TestStageOfTooMuch(t *testing.T) {
	dir := t.TempDir()
	d, err := diskblob.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if n := blob.New(d).MaxSize(); n != 0 {
		t.Errorf("a disk takes %d bytes", n)
	}
	s := blob.New(small{d})
	st, err := s.Stage(t.Context(), bytes.NewReader(make([]byte, 1000)))
	if err != nil {
		t.Fatalf("as much as it takes: %v", err)
	}
	st.Discard()
	endless := &counting{}
	var tooLarge *blob.TooLargeError
	if _, err := s.Stage(t.Context(), endless); !errors.As(err, &tooLarge) || tooLarge.Max != 1000 {
		t.Errorf("got %v, want a *TooLargeError", err)
	}
	if endless.read > 1<<20 {
		t.Errorf("%d bytes were read before they were refused", endless.read)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "staging")); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// counting is a reader without end.
type counting struct{ read int }

func (c *counting) Read(p []byte) (int, error) {
	c.read += len(p)
	return len(p), nil
}
