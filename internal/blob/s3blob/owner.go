package s3blob

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/laminadev/lamina/internal/digest"
)

// Claim writes down whose the blobs below the prefix are, if nobody has, and gives whose they are. Whoever frees blobs that his
// own records do not need must be their owner.
func (d *Driver) Claim(ctx context.Context, id string) (owner string, err error) {
	const what = "cannot tell whose the zips in the store are"
	owner, err = d.owner(ctx)
	if err == nil || !gone(err) {
		return owner, d.explain(ctx, what, err)
	}
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*") // only if there is none
	err = d.put(ctx, d.key("owner"), id, o)
	if code := minio.ToErrorResponse(err); code.StatusCode == http.StatusNotImplemented || code.Code == minio.NotImplemented {
		err = d.put(ctx, d.key("owner"), id, minio.PutObjectOptions{}) // of two at one moment the later one wins
	} else if code.Code == minio.PreconditionFailed || code.StatusCode == http.StatusConflict {
		err = nil // another one was faster
	}
	if err == nil {
		owner, err = d.owner(ctx)
	}
	return owner, d.explain(ctx, what, err)
}

// Owner gives whose the blobs are, "" when nobody has claimed them.
func (d *Driver) Owner(ctx context.Context) (string, error) {
	owner, err := d.owner(ctx)
	if gone(err) {
		return "", nil
	}
	return owner, d.explain(ctx, "cannot tell whose the zips in the store are", err)
}

func (d *Driver) owner(ctx context.Context) (string, error) {
	return d.get(ctx, d.key("owner"))
}

func (d *Driver) get(ctx context.Context, key string) (string, error) {
	body, _, _, err := d.core.GetObject(ctx, d.o.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, 4<<10))
	return string(b), err
}

func (d *Driver) put(ctx context.Context, key, text string, o minio.PutObjectOptions) error {
	return d.upload(ctx, key, strings.NewReader(text), int64(len(text)), digest.Of([]byte(text)).Hex(), o)
}

// Probe tries all that a driver does, on an object of its own that it leaves no trace of.
func (d *Driver) Probe(ctx context.Context) error {
	key, text := d.key("probe", rand.Text()), rand.Text()
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"cannot write to the store of zips", func() error { return d.put(ctx, key, text, minio.PutObjectOptions{}) }},
		{"cannot list the store of zips", func() error {
			n, err := d.list(ctx, key, 1, func(minio.ObjectInfo) error { return nil })
			if err == nil && n != 1 {
				err = fmt.Errorf("it does not show an object that it has just taken")
			}
			return err
		}},
		{"cannot read from the store of zips", func() error {
			got, err := d.get(ctx, key)
			if err == nil && got != text {
				err = fmt.Errorf("it gave other bytes than it was given")
			}
			return err
		}},
		{"cannot delete from the store of zips", func() error {
			return d.delete(ctx, key)
		}},
	} {
		if err := step.do(); err != nil {
			d.delete(context.WithoutCancel(ctx), key)
			return d.explain(ctx, step.what, err)
		}
	}
	return nil
}
