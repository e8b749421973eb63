// Package s3api answers S3's REST protocol over the buckets of package objects, at the address of all other APIs.
//
// A bucket is named by the first segment of the path, or by the host ("name.localhost"); the rest of the path is the key. The
// operation is found in one table (route.go) by method, by whether there is a bucket and a key, and by a name in the query
// ("?uploads"). Bodies are streams: what is stored passes through in pieces, with the sums that the caller sent made on the way,
// and is only recorded when they match.
//
// Why this is not one of the libraries that answer S3 over a backend: the one that we tried (gofakes3) gives its backend
// neither the caller nor a context, knows no checksums and no trailers, decodes chunks without their signatures, cannot give the
// ETag of an object that came in parts after it was completed, and copies parts through memory.
package s3api

import (
	"net/http"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/objects"
)

// Options are the parts that the API works with.
type Options struct {
	Objects *objects.Service
	Hosts   []string // names below which buckets are hosts, beside localhost
	Now     func() time.Time
}

// API answers the operations. It is a wire.API. Failures of S3's it answers itself.
type API struct {
	Options
	hosts  []string
	bodies *auth.Rooms // for bodies of XML
}

// New gives the API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &API{Options: o, hosts: []string{"localhost"}, bodies: auth.NewRooms(xmlBodies)}
	for _, h := range o.Hosts {
		a.hosts = append(a.hosts, strings.ToLower(h))
	}
	return a
}

// drainLimit is how much of a refused body is read.
const drainLimit = 128 << 20

// Serve answers one request.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, c *wire.Call) error {
	h := w.Header()
	h["x-amz-request-id"] = []string{c.RequestID}
	h["x-amz-id-2"] = []string{strings.ReplaceAll(c.RequestID, "-", "")}
	q, err := a.request(w, r, c)
	if err == nil {
		err = a.answer(q)
	}
	if err == nil {
		return nil
	}
	auth.Drain(r, drainLimit)
	f, ok := faultOf(err)
	if !ok {
		return err
	}
	if f.body.Region != "" {
		f.body.Message = "The authorization header is malformed; the region '" + c.Scope.Region + "' is wrong; expecting '" + f.body.Region + "'"
	}
	f.write(w, r, c.RequestID)
	return nil
}

func (a *API) answer(q *request) error {
	if err := a.checkTime(q); err != nil {
		return err
	}
	route, err := find(q)
	if err != nil {
		return err
	}
	q.call.Operation = route.name
	if err := a.admit(q); err != nil {
		return err
	}
	return route.serve(a, q)
}

// admit refuses what is asked of every request on a bucket.
func (a *API) admit(q *request) error {
	if q.bucket == "" {
		return nil
	}
	if regionless(q.r) { // old signatures say no region: what is meant is the bucket's
		if b, err := a.Objects.Anywhere(q.ctx(), q.call.Scope, q.bucket); err == nil {
			q.call.Scope.Region = b.Region
		}
	}
	return q.owned("X-Amz-Expected-Bucket-Owner")
}

// owned refuses a request that expects a bucket to be another account's, which we never answer for.
func (q *request) owned(header string) error {
	if owner := q.r.Header.Get(header); owner != "" && owner != q.call.Scope.Account {
		return &objects.Error{Code: objects.AccessDenied, Message: "Access Denied"}
	}
	return nil
}
