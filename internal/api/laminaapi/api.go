// Package laminaapi answers what AWS's API lacks, under /lamina/v1. Its types are in package client.
//
//	GET /lamina/v1/version                       which lamina this is
//	GET /lamina/v1/functions/{name}/logs         a function's log, one JSON record a line
//	    ?since=TIME|DURATION  from a moment (RFC 3339) or from so long ago ("10m")
//	    ?limit=N              the newest N of those
//	    ?follow=true          do not end: wait for more
//
// Errors have the form of AWS's.
package laminaapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/laminadev/lamina/client"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/logstream"
)

// Options are the parts that the API works with.
type Options struct {
	Control *control.Service
	Logs    Logs
	Version string
	Now     func() time.Time
}

// Logs reads what functions wrote: a *logstream.Store.
type Logs interface {
	Read(ctx context.Context, scope lambda.Scope, group string, q logstream.Query, f func(logstream.Record) error) error
}

// API is lamina's own API. It is a wire.API.
type API struct {
	Options
	routes []route
}

// route is one row of the API.
type route struct {
	operation string
	path      []string // a segment "{}" is a parameter
	serve     func(a *API, w http.ResponseWriter, r *http.Request, c *wire.Call, parameter string) error
}

var routes = []route{
	{"GetVersion", []string{"version"}, (*API).version},
	{"GetFunctionLogs", []string{"functions", "{}", "logs"}, (*API).functionLogs},
}

// New gives the API.
func New(o Options) *API {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &API{Options: o, routes: routes}
}

// Serve answers one request.
func (a *API) Serve(w http.ResponseWriter, r *http.Request, c *wire.Call) error {
	path, ours := strings.CutPrefix(r.URL.EscapedPath(), "/lamina/v1/")
	segments := strings.Split(path, "/")
	for _, rt := range a.routes {
		parameter, fits := rt.match(segments)
		if !ours || !fits || r.Method != http.MethodGet {
			continue
		}
		c.Operation = rt.operation
		return rt.serve(a, w, r, c, parameter)
	}
	return lambda.Errorf(lambda.NotFound, "lamina's own API has no operation %s %s.", r.Method, r.URL.Path)
}

func (rt route) match(segments []string) (parameter string, ok bool) {
	if len(segments) != len(rt.path) {
		return "", false
	}
	for i, s := range segments {
		switch {
		case rt.path[i] == "{}":
			p, err := url.PathUnescape(s)
			if err != nil {
				return "", false
			}
			parameter = p
		case rt.path[i] != s:
			return "", false
		}
	}
	return parameter, true
}

func (a *API) version(w http.ResponseWriter, _ *http.Request, _ *wire.Call, _ string) error {
	return wire.WriteJSON(w, http.StatusOK, client.Version{Version: a.Version})
}
