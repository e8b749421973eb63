// Package blob keeps bytes by their digest.
//
// Users meet the Store; a Driver moves the bytes. Bytes are staged first: they are written and hashed in one pass, can be
// read back at any offset, and only Commit gives them a name that others can see. So a zip is checked before it exists,
// and a crash leaves nothing but a staging file that the next start removes.
package blob

import (
	"context"
	"io"
	"time"

	"github.com/laminadev/lamina/internal/digest"
)

// Reader reads a blob at any offset.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Info is a blob in a list.
type Info struct {
	Digest  digest.Digest
	Size    int64
	Created time.Time // or committed again
}

// Driver is a place for blobs. It keeps these promises:
//
//   - Commit returns only when the bytes would survive a power failure; a digest either has all of its bytes or none.
//   - To commit a digest that is there already is no error and does not change its bytes.
//   - Open of an absent digest gives an error that matches fs.ErrNotExist; Delete of one is no error.
//   - To commit makes a blob young, also one that is there already: Created of a list is the time of its last Commit. A Commit
//     that returns after t is never undone by a DeleteBefore of t.
//   - Methods may be called concurrently, by several processes on one place.
type Driver interface {
	Stage(ctx context.Context) (DriverStaged, error)
	Open(ctx context.Context, d digest.Digest) (Reader, error)
	Delete(ctx context.Context, d digest.Digest) error
	// DeleteBefore deletes a blob that was last committed before t, and reports whether it did.
	DeleteBefore(ctx context.Context, d digest.Digest, t time.Time) (bool, error)
	// List calls f for each blob, in no order, until f fails.
	List(ctx context.Context, f func(Info) error) error
	Close() error
}

// DriverStaged is a blob that has no name yet.
type DriverStaged interface {
	io.Writer
	io.ReaderAt
	// Commit names the bytes. After it, Discard does nothing.
	Commit(ctx context.Context, d digest.Digest) error
	// Discard forgets the bytes; it may be called twice and after Commit.
	Discard() error
}
