package s3blob

import (
	"context"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// maxObject is what S3 takes, and copies, in one request.
const maxObject = 5 << 30

// MaxSize is how many bytes a blob may have.
func (d *Driver) MaxSize() int64 { return maxObject }

// fresh is how long a request may have taken whose generation still counts as made now. (A store may give an object the time at
// which its upload began.)
var fresh = 20 * time.Second

// maxGone is how often a renewal is tried whose source goes away before it is copied.
const maxGone = 10

// Stage makes a file without a name.
func (d *Driver) Stage(context.Context) (blob.DriverStaged, error) {
	f, err := d.scratch()
	if err != nil {
		return nil, err
	}
	return &staged{driver: d, f: f}, nil
}

// staged is a file on this machine.
type staged struct {
	driver *Driver
	f      *os.File
	size   int64
	done   bool
}

func (s *staged) Write(p []byte) (int, error) {
	if s.done {
		return 0, fs.ErrClosed
	}
	n, err := failpoint.Write("s3blob.write", s.f, p)
	s.size += int64(n)
	return n, err
}

func (s *staged) ReadAt(p []byte, off int64) (int, error) { return s.f.ReadAt(p, off) }

// Commit makes a generation of the blob. When it fails, the bytes stay staged and Discard is still due.
func (s *staged) Commit(ctx context.Context, sum digest.Digest) error {
	if s.done {
		return fs.ErrClosed
	}
	all, err := s.driver.generations(ctx, sum)
	if err == nil {
		err = s.renew(ctx, sum, all)
	}
	if err != nil {
		return s.driver.explain(ctx, "cannot upload it", err)
	}
	return s.Discard()
}

// renew makes a generation, and once more when that has taken so long that it may not be young. Then it removes what it has
// replaced. (Of two who make the first one at the same moment, both stay until the next Commit or the deletion of the blob.)
func (s *staged) renew(ctx context.Context, sum digest.Digest, all []generation) error {
	alone := len(all) == 0
	key, took, err := s.make(ctx, sum, s.whole(all))
	if err == nil && took > fresh {
		alone = false
		key, _, err = s.make(ctx, sum, []generation{{key: key, size: s.size}})
	}
	if err == nil && !alone {
		s.driver.tidy(ctx, sum, key)
	}
	return err
}

// whole gives the generations that have as many bytes as we. Others cannot be ours.
func (s *staged) whole(all []generation) []generation {
	var kept []generation
	for _, g := range all {
		if g.size == s.size {
			kept = append(kept, g)
		}
	}
	return kept
}

// make makes a new generation: a copy of one that is there, else an upload.
func (s *staged) make(ctx context.Context, sum digest.Digest, there []generation) (key string, took time.Duration, err error) {
	key = s.driver.newKey(sum)
	began := time.Now()
	if len(there) > 0 {
		if s.driver.copy(ctx, youngest(there).key, key) == nil {
			return key, time.Since(began), nil
		}
		key, began = s.driver.newKey(sum), time.Now() // it went away, or the store copies nothing: we have the bytes
	}
	err = s.driver.upload(ctx, key, io.NewSectionReader(s.f, 0, s.size), s.size, sum.Hex(), minio.PutObjectOptions{ContentType: "application/zip"})
	return key, time.Since(began), err
}

// Renew makes a blob young: a copy of a generation, inside the store. It is repeated once when it has taken so long that it may not
// be young, as that of a Commit is, and when its source goes away.
func (d *Driver) Renew(ctx context.Context, sum digest.Digest) error {
	what := "cannot renew blob " + sum.String()
	slow := false
	for missed := 0; ; {
		all, err := d.generations(ctx, sum)
		if err != nil {
			return d.explain(ctx, what, err)
		}
		if len(all) == 0 {
			return absent(what)
		}
		key, began := d.newKey(sum), time.Now()
		err = d.copy(ctx, youngest(all).key, key)
		if gone(err) {
			if missed++; missed < maxGone {
				continue // it was replaced or deleted meanwhile
			}
		}
		if err == nil && !slow && time.Since(began) > fresh {
			slow = true
			continue
		}
		if err == nil {
			d.tidy(ctx, sum, key)
		}
		return d.explain(ctx, what, err)
	}
}

// tidy removes the generations that a new one has replaced: those before it, and those that are not whole. What it cannot remove
// now, a later Commit does.
func (d *Driver) tidy(ctx context.Context, sum digest.Digest, key string) {
	all, err := d.generations(ctx, sum)
	if err != nil {
		return
	}
	for _, own := range all {
		if own.key == key {
			d.remove(ctx, replaced(all, own))
		}
	}
}

func replaced(all []generation, own generation) (old []generation) {
	for _, g := range all {
		if g.before(own) || g.size != own.size {
			old = append(old, g)
		}
	}
	return old
}

// Discard forgets the file.
func (s *staged) Discard() error {
	if s.done {
		return nil
	}
	s.done = true
	return s.f.Close()
}
