package s3blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// partSize is how much is fetched at once.
var partSize int64 = 4 << 20

// Open opens a blob. Reads end with ctx, since io.ReaderAt has none of its own.
func (d *Driver) Open(ctx context.Context, sum digest.Digest) (blob.Reader, error) {
	what := "cannot open blob " + sum.String()
	all, err := d.generations(ctx, sum)
	if err != nil {
		return nil, d.explain(ctx, what, err)
	}
	if len(all) == 0 {
		return nil, absent(what)
	}
	f, err := d.scratch()
	if err != nil {
		return nil, err
	}
	from := youngest(all)
	n := int((from.size + partSize - 1) / partSize)
	r := &reader{driver: d, sum: sum, size: from.size, f: f, key: from.key, parts: make([]*part, n), missing: n}
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r, nil
}

// reader is a blob that is fetched in parts, as they are asked for.
type reader struct {
	driver *Driver
	ctx    context.Context
	cancel context.CancelFunc
	sum    digest.Digest
	size   int64
	f      *os.File // the parts that are here

	mu      sync.Mutex // guards what follows
	key     string     // of the generation that is read
	parts   []*part    // nil: nobody has asked for it, or it could not be had
	missing int        // parts that are not here
}

// part is being fetched, or here.
type part struct {
	done chan struct{} // closed when it is here or could not be had
	err  error         // set before done is closed
}

func (r *reader) Size() int64 { return r.size }

// ReadAt reads from the parts that are here, after fetching those that are not.
func (r *reader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("a negative offset")
	}
	if off >= r.size {
		return 0, io.EOF
	}
	end := min(off+int64(len(p)), r.size)
	for i := off / partSize; i*partSize < end; i++ {
		if err := r.need(int(i)); err != nil {
			return 0, err
		}
	}
	n, err := r.f.ReadAt(p[:end-off], off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// need returns when a part is here. Of those who need it one fetches.
func (r *reader) need(i int) error {
	r.mu.Lock()
	p := r.parts[i]
	if p != nil {
		r.mu.Unlock()
		select {
		case <-p.done:
			return p.err
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
	p = &part{done: make(chan struct{})}
	r.parts[i] = p
	r.mu.Unlock()
	p.err = r.arrived(i, r.fetch(i))
	close(p.done)
	return p.err
}

// arrived notes how a fetch has ended. The last part lets the whole be summed.
func (r *reader) arrived(i int, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil && r.missing == 1 {
		err = r.verify()
	}
	if err != nil {
		r.parts[i] = nil // the next one tries again
		return err
	}
	r.missing--
	return nil
}

func (r *reader) verify() error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r.f, 0, r.size)); err != nil {
		return err
	}
	if got := digest.Sum(h); got != r.sum {
		return fmt.Errorf("the store gave other bytes for blob %s: they have the digest %s", r.sum, got)
	}
	return nil
}

// fetch brings a part here. When its generation is gone, another one of the blob does as well.
func (r *reader) fetch(i int) error {
	r.mu.Lock()
	key := r.key
	r.mu.Unlock()
	err := r.fetchFrom(key, i)
	if !gone(err) {
		return r.driver.explain(r.ctx, "cannot read blob "+r.sum.String(), err)
	}
	all, err := r.driver.generations(r.ctx, r.sum)
	if err == nil && len(all) == 0 {
		return &fs.PathError{Op: "read", Path: r.sum.String(), Err: fs.ErrNotExist}
	}
	if err == nil {
		key = youngest(all).key
		err = r.fetchFrom(key, i)
	}
	if err != nil {
		return r.driver.explain(r.ctx, "cannot read blob "+r.sum.String(), err)
	}
	r.mu.Lock()
	r.key = key
	r.mu.Unlock()
	return nil
}

func (r *reader) fetchFrom(key string, i int) error {
	begin := int64(i) * partSize
	length := min(partSize, r.size-begin)
	var o minio.GetObjectOptions
	if err := o.SetRange(begin, begin+length-1); err != nil {
		return err
	}
	body, _, _, err := r.driver.core.GetObject(r.ctx, r.driver.o.Bucket, key, o)
	if err != nil {
		return err
	}
	defer body.Close()
	n, err := io.Copy(failpoint.Writer("s3blob.write-part", io.NewOffsetWriter(r.f, begin)), io.LimitReader(body, length+1))
	if err == nil && n != length {
		err = fmt.Errorf("the store gave %d bytes in place of %d", n, length)
	}
	return err
}

// Close forgets what was fetched.
func (r *reader) Close() error {
	r.cancel()
	return r.f.Close()
}
