package runtimeapi

import (
	"net/http"
	"strings"
)

const (
	version  = "/2018-06-01"
	nextPath = version + "/runtime/invocation/next"
)

// route finds the endpoint of a request, answers it, and reports whether the connection goes on.
func (c *conn) route(req *http.Request, keep bool) bool {
	if req.URL.Path == metadataPath {
		return c.aboutItself(req, keep)
	}
	path, ok := strings.CutPrefix(req.URL.Path, version)
	if !ok {
		return c.notFound(req, keep)
	}
	switch path {
	case "/ping":
		return c.only(http.MethodGet, req, keep, c.ping)
	case "/runtime/invocation/next":
		return c.only(http.MethodGet, req, keep, c.next)
	case "/runtime/init/error":
		return c.only(http.MethodPost, req, keep, c.initError)
	}
	rest, ok := strings.CutPrefix(path, "/runtime/invocation/")
	id, what, _ := strings.Cut(rest, "/")
	switch {
	case ok && what == "response":
		return c.only(http.MethodPost, req, keep, func(req *http.Request, keep bool) bool { return c.response(req, id, keep) })
	case ok && what == "error":
		return c.only(http.MethodPost, req, keep, func(req *http.Request, keep bool) bool { return c.invocationError(req, id, keep) })
	}
	return c.notFound(req, keep)
}

type handler func(req *http.Request, keep bool) bool

func (c *conn) only(method string, req *http.Request, keep bool, h handler) bool {
	if req.Method != method {
		return c.send(http.StatusMethodNotAllowed, "", nil, keep) == nil
	}
	return h(req, keep)
}

func (c *conn) notFound(req *http.Request, keep bool) bool {
	if req.Method == http.MethodHead {
		return c.send(http.StatusNotFound, "", nil, keep) == nil // a body would be taken for the next answer
	}
	return c.send(http.StatusNotFound, "text/plain; charset=utf-8", []byte("404 page not found\n"), keep) == nil
}

func (c *conn) fail(f *failure, keep bool) bool {
	return c.send(f.status, jsonType, f.body(), keep) == nil
}

func (c *conn) accepted(keep bool) bool {
	return c.send(http.StatusAccepted, jsonType, []byte(`{"status":"OK"}`), keep) == nil
}

func (c *conn) ping(_ *http.Request, keep bool) bool {
	return c.send(http.StatusOK, "text/plain; charset=utf-8", []byte("pong"), keep) == nil
}

// next answers at once when an invocation waits; else the connection is parked, and Server.Invoke answers.
func (c *conn) next(_ *http.Request, keep bool) bool {
	c.setLast(!keep) // before somebody else may answer
	inv, refused := c.server.next(c)
	if inv == nil && refused == nil {
		return true
	}
	c.setLast(false)
	if refused != nil {
		return c.fail(refused, keep)
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.writeNext(inv) == nil
}
