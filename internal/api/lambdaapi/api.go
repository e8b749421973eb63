// Package lambdaapi answers the operations of the AWS Lambda API.
//
// What an operation is called, where it lies, what its members are and what they must satisfy is generated from the public
// service model (zz_routes.go, zz_shapes.go, zz_constraints.go; the generator is internal/api/gen). What is built here is one
// row of the table in built.go and one handler, which decodes, calls control or invoke, and encodes. Every operation without
// a row answers that it is not built.
//
// A request goes through these steps: the route table finds the operation; its members are read from path, query, headers
// and body, the zip in the body being staged while it arrives; types and constraints are checked; the handler gets a filled
// struct. Errors are of a lambda.Kind; the front door words them.
package lambdaapi

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/laminadev/lamina/internal/api/jsonstream"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

// Options are the parts that the API works with.
type Options struct {
	Control *control.Service
	Invoke  Invoker
	Secret  []byte // signs the URLs of zips; nil means a secret that lives as long as the API
	Now     func() time.Time
}

// API answers the operations. It is a wire.API.
type API struct {
	Options
	routes *router
	limits lambda.Limits // of what is sent
}

// New gives the API.
func New(o Options) *API {
	if o.Secret == nil {
		o.Secret = make([]byte, 32)
		_, _ = rand.Read(o.Secret) // never fails
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	limits := lambda.AWSLimits()
	if o.Control != nil {
		limits = o.Control.Limits()
	}
	return &API{Options: o, routes: newRouter(Routes[:]), limits: limits}
}

// relaxedNotice is a header of every answer of a server whose limits are not AWS's.
const relaxedNotice = "X-Lamina-Limits"

// Serve answers one request.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, c *wire.Call) error {
	if a.limits != lambda.AWSLimits() {
		w.Header().Set(relaxedNotice, "relaxed: what is accepted here would not all deploy to AWS")
	}
	if isDownload(r.URL.Path) {
		return a.download(w, r)
	}
	route, path := a.routes.find(r.Method, r.URL)
	if route == nil {
		return lambda.Errorf(lambda.Denied, "Unable to determine service/operation name to be authorized")
	}
	c.Operation = route.Name
	serve := built[route.Name]
	if serve == nil {
		return lambda.Errorf(lambda.NotBuilt, "lamina does not have the operation %s yet; doc/compatibility.md lists what it has", route.Name)
	}
	return serve(a, w, r, &call{Call: c, route: route, path: path})
}

// call is a request on its way to a handler.
type call struct {
	*wire.Call
	route *Route
	path  []string // the segments that are parameters
	body  jsonstream.Value
	zip   *blob.Staged // what ZipFile held; control commits or discards it
}

// serveFunc answers an operation from its request.
type serveFunc func(a *API, w http.ResponseWriter, r *http.Request, c *call) error

// handle makes a handler of decoded input and output a serveFunc. An output of nil is an answer without a body.
func handle[In any](f func(*API, context.Context, *call, *In) (any, error)) serveFunc {
	return func(a *API, w http.ResponseWriter, r *http.Request, c *call) error {
		defer c.discard()
		in := new(In)
		if err := c.read(r, a.limits.RequestSize, a.stage(r.Context(), c), in); err != nil {
			return err
		}
		out, err := f(a, r.Context(), c, in)
		switch {
		case err != nil:
			return err
		case out == nil:
			w.WriteHeader(c.route.Status)
			return nil
		}
		return wire.WriteJSON(w, c.route.Status, out)
	}
}

// read fills an input from a request of no more than so many bytes.
func (c *call) read(r *http.Request, most int64, zip func(io.Reader) error, in any) (err error) {
	if c.body, err = readInput(c.route, r, c.path, most, zip); err != nil {
		wire.Drain(r)
		return err
	}
	bind(c.route.input, &c.body, reflect.ValueOf(in).Elem())
	return nil
}

// stage gives the function that takes the zip of a request.
func (a *API) stage(ctx context.Context, c *call) func(io.Reader) error {
	return func(text io.Reader) error {
		c.discard() // of a member that came before with the same name
		source := &zipSource{text: jsonstream.Base64(text), most: a.limits.ZipSize}
		staged, err := a.Control.StageZip(ctx, source)
		if source.err != nil {
			if err == nil {
				staged.Discard()
			}
			return source.err
		}
		c.zip = staged
		return err
	}
}

func (c *call) discard() {
	if c.zip != nil {
		c.zip.Discard()
	}
	c.zip = nil
}
