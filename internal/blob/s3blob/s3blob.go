// Package s3blob keeps blobs in a bucket of an S3-compatible store, which several servers may share.
//
//	<prefix>/sha256/<64 hex digits>/<UUID of version 7>   a blob, in one or more generations
//	<prefix>/owner                                        whose blobs these are (Claim)
//
// A generation is one object with all the bytes. Its key is never used twice, so it is written once, by one request that the store
// carries out whole or not at all, and never changes. Every Commit makes a generation of its own: a copy inside the store when
// there is one to copy, else an upload. That is what makes a blob young, and what keeps a Commit and a DeleteBefore at the same
// moment from losing bytes: DeleteBefore deletes the generations that it has found old, by name, and never one that came
// meanwhile. Older generations are deleted when a younger one is there, in an order that all servers see alike (time, then key),
// so the youngest always stays. Nothing more is asked of the store than that a list shows what was written before it, so it
// also works where conditional writes are not known.
//
// Bytes that have no name yet lie in a file without a name on the disk of this machine, so there are neither unfinished uploads
// nor other leftovers of a crash. The store is told their SHA-256, and refuses others. What is read comes in parts, each
// fetched when it is first read and kept in such a file too; whoever reads to the end has bytes with the blob's digest, or an
// error in place of the last of them.
//
// Times of blobs are those of the store's clock, to the second on some stores.
package s3blob

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

// Options say which store, and where on this machine files may lie.
type Options struct {
	Bucket   string
	Prefix   string // of all keys, without slashes at its ends; "" is none
	Endpoint string // http:// or https:// and HOST[:PORT]; "" is AWS's of the region
	Region   string // "" is what the AWS configuration says, else us-east-1

	// Scratch is the folder for files without a name: what is on its way to the store or from it. It is made if it is not there.
	Scratch string
}

// Driver is a blob.Driver over a bucket.
type Driver struct {
	core      minio.Core
	transport *http.Transport
	o         Options
	endpoint  string // as people call it
}

var (
	_ blob.Driver  = (*Driver)(nil)
	_ blob.Renewer = (*Driver)(nil)
	_ blob.Limiter = (*Driver)(nil)
)

// openTimeout bounds how long Open waits for a store that does not answer.
var openTimeout = 30 * time.Second

// retries of a request that failed on its way or that the store was too busy for, within some three seconds.
const retries = 5

// Open reads the AWS configuration (variables and files) for the keys and looks whether the bucket can be listed. A failure
// that the user can mend is an *Error.
func Open(ctx context.Context, o Options) (*Driver, error) {
	if err := makeScratch(o.Scratch); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout, errSlow)
	defer cancel()
	d, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if _, err := d.list(ctx, d.key("sha256", ""), 1, func(minio.ObjectInfo) error { return nil }); err != nil {
		d.Close()
		return nil, d.explain(ctx, "cannot open the store of zips", err)
	}
	return d, nil
}

func connect(ctx context.Context, o Options) (*Driver, error) {
	keys, region, err := standardKeys(ctx, o)
	if err != nil {
		return nil, err
	}
	host, secure := "s3."+region+".amazonaws.com", true
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("cannot open the store of zips: %w", err)
		}
		host, secure = u.Host, u.Scheme == "https"
	}
	o.Region = region
	d := &Driver{o: o, transport: newTransport(), endpoint: o.Endpoint}
	if d.endpoint == "" {
		d.endpoint = "https://" + host
	}
	core, err := minio.NewCore(host, &minio.Options{Creds: keys, Secure: secure, Region: region, Transport: d.transport, MaxRetries: retries})
	if err != nil {
		return nil, fmt.Errorf("cannot open the store of zips: %w", err)
	}
	d.core = *core
	return d, nil
}

// Close ends idle connections.
func (d *Driver) Close() error {
	d.transport.CloseIdleConnections()
	return nil
}

// key is a key below the prefix.
func (d *Driver) key(parts ...string) string {
	if d.o.Prefix != "" {
		parts = append([]string{d.o.Prefix}, parts...)
	}
	return strings.Join(parts, "/")
}

// generation is one object of a blob.
type generation struct {
	key      string
	size     int64
	modified time.Time
}

// before orders generations; it is the same order for everybody.
func (g generation) before(other generation) bool {
	if !g.modified.Equal(other.modified) {
		return g.modified.Before(other.modified)
	}
	return g.key < other.key
}

// newKey makes a key that comes after those that this process has made, for stores that tell times to the second.
func (d *Driver) newKey(sum digest.Digest) string {
	return d.key("sha256", sum.Hex(), uuid.Must(uuid.NewV7()).String()) // it fails where there is no random number
}

// parse reads a key that newKey gave.
func (d *Driver) parse(key string) (digest.Digest, bool) {
	name, ok := strings.CutPrefix(key, d.key("sha256", ""))
	hex, rest, found := strings.Cut(name, "/")
	if !ok || !found || rest == "" || strings.Contains(rest, "/") {
		return digest.Digest{}, false
	}
	sum, err := digest.Parse("sha256:" + hex)
	return sum, err == nil && sum.Hex() == hex
}

// list calls f for the objects whose keys begin with a prefix, in the order of their keys, for at most limit of them (0: all).
// It reports how many there were.
func (d *Driver) list(ctx context.Context, prefix string, limit int, f func(minio.ObjectInfo) error) (n int, err error) {
	owner := false
	for o := range d.core.Client.ListObjectsIter(ctx, d.o.Bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, MaxKeys: limit, FetchOwner: &owner}) {
		if o.Err != nil {
			return n, o.Err
		}
		n++
		if err := f(o); err != nil || n == limit {
			return n, err
		}
	}
	return n, ctx.Err() // the iterator just stops when it is over
}

// generations gives those of a blob.
func (d *Driver) generations(ctx context.Context, sum digest.Digest) ([]generation, error) {
	var all []generation
	_, err := d.list(ctx, d.key("sha256", sum.Hex(), ""), 0, func(o minio.ObjectInfo) error {
		if _, ours := d.parse(o.Key); ours {
			all = append(all, generation{o.Key, o.Size, o.LastModified})
		}
		return nil
	})
	return all, err
}

// youngest gives the last of some generations.
func youngest(all []generation) generation {
	last := all[0]
	for _, g := range all[1:] {
		if last.before(g) {
			last = g
		}
	}
	return last
}

// Delete forgets a blob.
func (d *Driver) Delete(ctx context.Context, sum digest.Digest) error {
	all, err := d.generations(ctx, sum)
	if err == nil {
		err = d.remove(ctx, all)
	}
	return d.explain(ctx, "cannot delete blob "+sum.String(), err)
}

// DeleteBefore forgets a blob whose generations are all older than t. One that comes meanwhile stays.
func (d *Driver) DeleteBefore(ctx context.Context, sum digest.Digest, t time.Time) (bool, error) {
	all, err := d.generations(ctx, sum)
	if err != nil {
		return false, d.explain(ctx, "cannot delete blob "+sum.String(), err)
	}
	if len(all) == 0 || !youngest(all).modified.Before(t) {
		return false, nil
	}
	if err := d.remove(ctx, all); err != nil {
		return false, d.explain(ctx, "cannot delete blob "+sum.String(), err)
	}
	return true, nil
}

// remove deletes generations.
func (d *Driver) remove(ctx context.Context, all []generation) error {
	for _, g := range all {
		if err := d.delete(ctx, g.key); err != nil {
			return err
		}
	}
	return nil
}

// List calls f for each blob. Generations of one blob follow each other.
func (d *Driver) List(ctx context.Context, f func(blob.Info) error) error {
	var at blob.Info
	var failed error // of f
	give := func() error {
		if at.Digest.IsZero() {
			return nil
		}
		failed = f(at)
		return failed
	}
	_, err := d.list(ctx, d.key("sha256", ""), 0, func(o minio.ObjectInfo) error {
		sum, ours := d.parse(o.Key)
		switch {
		case !ours:
			return nil
		case sum != at.Digest:
			if err := give(); err != nil {
				return err
			}
			at = blob.Info{Digest: sum, Size: o.Size, Created: o.LastModified}
		case o.LastModified.After(at.Created):
			at.Size, at.Created = o.Size, o.LastModified
		}
		return nil
	})
	if err == nil {
		err = give()
	}
	if failed != nil {
		return failed
	}
	return d.explain(ctx, "cannot list the zips", err)
}
