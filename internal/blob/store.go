package blob

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/laminadev/lamina/internal/digest"
)

// Store keeps blobs over a driver.
type Store struct{ driver Driver }

// New gives a store over a driver, which the store's Close closes.
func New(d Driver) *Store { return &Store{d} }

// Stage reads r to its end and stages its bytes. An error of r is given back as it is.
func (s *Store) Stage(ctx context.Context, r io.Reader) (*Staged, error) {
	d, err := s.driver.Stage(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot stage a blob: %w", err)
	}
	if n := s.MaxSize(); n > 0 {
		r = &limited{r, n, n}
	}
	st := &Staged{driver: d, hash: sha256.New()}
	if st.size, err = receive(d, st.hash, r); err != nil {
		d.Discard()
		return nil, err
	}
	return st, nil
}

// MaxSize is how many bytes a blob may have here, 0 when there is no limit. Stage refuses more with a *TooLargeError, as soon as
// they come.
func (s *Store) MaxSize() int64 {
	if l, ok := s.driver.(Limiter); ok {
		return l.MaxSize()
	}
	return 0
}

// Limiter is what a driver may be beside: MaxSize is how many bytes it takes at most.
type Limiter interface{ MaxSize() int64 }

// TooLargeError says that a blob has more bytes than the place for it takes.
type TooLargeError struct{ Max int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("it has more than the %d bytes that the store of zips takes at once", e.Max)
}

// limited ends with a *TooLargeError in place of more bytes than max.
type limited struct {
	r    io.Reader
	left int64
	max  int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &TooLargeError{l.max}
	}
	return n, err
}

// Open opens a blob; the error of an absent one matches fs.ErrNotExist.
func (s *Store) Open(ctx context.Context, d digest.Digest) (Reader, error) {
	return s.driver.Open(ctx, d)
}

// Delete forgets a blob; to delete an absent one is no error.
func (s *Store) Delete(ctx context.Context, d digest.Digest) error { return s.driver.Delete(ctx, d) }

// DeleteBefore forgets a blob that was last committed before t, and reports whether it did: who is committing one now does not
// lose it.
func (s *Store) DeleteBefore(ctx context.Context, d digest.Digest, t time.Time) (bool, error) {
	return s.driver.DeleteBefore(ctx, d, t)
}

// List calls f for each blob, in no order, until f fails.
func (s *Store) List(ctx context.Context, f func(Info) error) error { return s.driver.List(ctx, f) }

// Close closes the driver.
func (s *Store) Close() error { return s.driver.Close() }

// Staged is bytes that were received and have no name yet. It must end with Commit or Discard; Discard after Commit does
// nothing, so it can be deferred.
type Staged struct {
	driver DriverStaged
	hash   hash.Hash     // of what was written; nil when
	known  digest.Digest // says it
	size   int64
}

// Digest is the SHA-256 of the bytes.
func (s *Staged) Digest() digest.Digest {
	if s.hash == nil {
		return s.known
	}
	return digest.Sum(s.hash)
}

// Size is how many bytes there are.
func (s *Staged) Size() int64 { return s.size }

// ReadAt reads what was staged.
func (s *Staged) ReadAt(p []byte, off int64) (int, error) { return s.driver.ReadAt(p, off) }

// WriteAhead says that the bytes will probably be committed, after some other work: a driver may begin with its part of it.
func (s *Staged) WriteAhead() {
	if d, ok := s.driver.(interface{ WriteAhead() }); ok {
		d.WriteAhead()
	}
}

// Commit makes the bytes a blob. When it returns, they survive a power failure.
func (s *Staged) Commit(ctx context.Context) error {
	if err := s.driver.Commit(ctx, s.Digest()); err != nil {
		return fmt.Errorf("cannot store blob %s: %w", s.Digest(), err)
	}
	return nil
}

// Discard forgets the bytes.
func (s *Staged) Discard() error { return s.driver.Discard() }
