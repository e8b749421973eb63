// Package api is the front door: one HTTP handler that serves every API on one address.
//
// A request passes these steps, in this order: it gets a request id; a panic becomes an answer; a browser page of another
// origin is turned away; the caller's account and region are read; the service that the request is for is found, and its API
// (one package below this one per API) answers. An error comes back from the API as a lambda.Kind, and errors.go is the one
// place that knows what each kind is called on the wire.
//
// The service is the one in the credential scope of the request's signature. A signature older than version 4 is S3's. Without a
// signature the path decides.
//
// Two kinds of callers reach the door. Those of this machine are let in as they are: open is the only mode of authentication
// for them yet, and the daemon refuses to listen beyond loopback. Functions come through their sandbox (FromSandbox), are
// never open, and must sign with the keys that they were given (sandbox.go).
package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/api/laminaapi"
	"github.com/laminadev/lamina/internal/api/s3api"
	"github.com/laminadev/lamina/internal/api/stsapi"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/objects"
)

// Options are the parts that the front door works with.
type Options struct {
	Control *control.Service
	Invoke  lambdaapi.Invoker // a *invoke.Service
	Logs    laminaapi.Logs    // a *logstream.Store
	Objects *objects.Service  // nil when S3 is elsewhere
	S3      string            // the URL of that
	Account string            // of a caller whose access key is not 12 digits; "" means 000000000000
	Region  string            // of a caller whose request is not signed; "" means us-east-1
	Hosts   []string          // names that a request's Host may have, beside loopback's
	// Sessions knows the keys of functions; nil means that calls out of sandboxes are refused.
	Sessions *auth.Sessions
	Secret   []byte // signs the URLs of zips; nil means a secret that lives as long as the handler
	Now      func() time.Time
	Log      *slog.Logger
	Version  string
}

func (o Options) withDefaults() Options {
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// New gives the handler.
func New(o Options) http.Handler {
	o = o.withDefaults()
	return &door{
		Options: o,
		hosts:   newHosts(o.Hosts),
		lambda:  lambdaapi.New(lambdaapi.Options{Control: o.Control, Invoke: o.Invoke, Secret: o.Secret, Now: o.Now}),
		sts:     stsapi.New(),
		s3:      s3api.New(s3api.Options{Objects: o.Objects, Hosts: o.Hosts, Now: o.Now}),
		lamina:  laminaapi.New(laminaapi.Options{Control: o.Control, Logs: o.Logs, Version: o.Version, Now: o.Now}),
	}
}

// door is the handler.
type door struct {
	Options
	faults faults
	hosts  hosts
	lambda *lambdaapi.API
	sts    *stsapi.API
	s3     *s3api.API
	lamina *laminaapi.API
}

// ServeHTTP answers one request.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := d.call(r)
	w.Header()["x-amzn-RequestId"] = []string{c.RequestID} // as AWS spells it
	defer d.recover(w, r, c)
	defer closeBody(r)
	if err := d.serve(w, r, c); err != nil {
		d.fail(w, r, c, err)
	}
}

func (d *door) serve(w http.ResponseWriter, r *http.Request, c *wire.Call) error {
	if err := d.admit(r, c); err != nil {
		return err
	}
	api, err := d.dispatch(r)
	if err != nil {
		return err
	}
	return api.Serve(w, r, c)
}

// closeBody closes the body that admit may have put in the place of the server's.
func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// recover makes a panic an answer. One that means to cut the connection goes on.
func (d *door) recover(w http.ResponseWriter, r *http.Request, c *wire.Call) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		d.Log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelError, "a handler panicked", slog.String("request_id", c.RequestID),
			slog.String("operation", c.Operation), slog.Any("panic", p), slog.String("stack", stack()))
		d.answer(w, r, internalError)
	}
}
