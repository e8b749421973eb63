package blob

import (
	"context"
	"errors"
	"io"

	"github.com/laminadev/lamina/internal/digest"
)

// Renewer is what a driver may be beside: Renew makes a blob young, as to commit its bytes once more would. The error of an absent
// one matches fs.ErrNotExist.
type Renewer interface {
	Renew(ctx context.Context, d digest.Digest) error
}

// Stored gives a blob as if its bytes had just been staged, for what takes in bytes and keeps them. Where the driver can renew
// a blob, nothing is copied. The error of an absent one matches fs.ErrNotExist.
func (s *Store) Stored(ctx context.Context, d digest.Digest) (*Staged, error) {
	r, err := s.driver.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	if n, ok := s.driver.(Renewer); ok {
		return &Staged{driver: &stored{Reader: r, driver: n}, known: d, size: r.Size()}, nil
	}
	defer r.Close()
	return s.Stage(ctx, digest.NewReader(io.NewSectionReader(r, 0, r.Size()), d, r.Size()))
}

// Renew makes a blob young, so that who is about to record it does not lose it to a collection. The error of an absent one matches
// fs.ErrNotExist.
func (s *Store) Renew(ctx context.Context, d digest.Digest) error {
	st, err := s.Stored(ctx, d)
	if err != nil {
		return err
	}
	return errors.Join(st.Commit(ctx), st.Discard())
}

// stored is a blob that stands where staged bytes do.
type stored struct {
	Reader
	driver Renewer
	closed bool
}

func (*stored) Write([]byte) (int, error) { return 0, errors.New("a stored blob does not change") }

func (s *stored) Commit(ctx context.Context, d digest.Digest) error { return s.driver.Renew(ctx, d) }

func (s *stored) Discard() error {
	if s.closed {
		return nil
	}
	s.closed = true
	return s.Reader.Close()
}
