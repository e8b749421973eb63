package runtimeapi

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	maxHeader = 1 << 20  // bytes of a request line with its headers, as net/http has it
	maxUnread = 64 << 20 // bytes of a refused body that are read so that the client gets to see why
	joinBody  = 64 << 10 // up to here a body is copied behind its headers, beyond it writev does it
	keepRoom  = 4 << 10  // up to here the room of what was written is kept for what comes next
)

var errHeaderTooLarge = errors.New("the header is too large")

// conn is one connection of a runtime.
type conn struct {
	server   *Server
	nc       net.Conn
	in       headerLimit
	br       *bufio.Reader
	cut      bool          // guarded by the server's mu: the connection belongs to a runtime that is gone
	released chan struct{} // guarded by the server's mu: closed when GET next has been answered
	again    repeated

	// wmu guards what follows, and writing.
	wmu     sync.Mutex
	held    []byte // responses that go out with the next write
	limited bool   // the connection has a write deadline
	last    bool   // GET next waits and the connection ends with its answer
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{server: s, nc: nc}
	c.in = headerLimit{r: nc, left: -1}
	c.br = bufio.NewReader(&c.in)
	return c
}

// serve handles one request after the other until the client or the server closes.
func (c *conn) serve() {
	defer c.server.remove(c)
	defer c.nc.Close()
	for c.awaitRequest() {
		req, err := c.readRequest()
		if err != nil {
			c.refuse(err)
			return
		}
		if !c.handle(req) {
			return
		}
	}
}

// awaitRequest sleeps until a request begins to arrive. A connection that waits in GET next sleeps here too, which is how
// a client that goes away is noticed; what a client sends after a GET that is not yet answered waits for its turn.
func (c *conn) awaitRequest() bool {
	for {
		if !c.hasRequest() && c.server.waitsFor(c) == nil && c.flush() != nil {
			return false
		}
		first, err := c.br.Peek(1)
		if err != nil {
			return false
		}
		if first[0] != '\r' && first[0] != '\n' {
			break
		}
		_, _ = c.br.Discard(1) // simple clients write a line break behind a body
	}
	released := c.server.waitsFor(c)
	if released == nil {
		return true
	}
	select {
	case <-released:
		return true
	case <-c.server.closing:
		return false
	}
}

// hasRequest reports whether the whole header of a request has arrived: then its answer can go out with what is held back.
func (c *conn) hasRequest() bool {
	n := c.br.Buffered()
	if n == 0 {
		return false
	}
	arrived, _ := c.br.Peek(n)
	return bytes.Contains(arrived, []byte("\r\n\r\n")) || bytes.Contains(arrived, []byte("\n\n"))
}

func (c *conn) readRequest() (*http.Request, error) {
	if req := c.again.take(c.br); req != nil {
		return req, nil
	}
	c.in.limit(maxHeader)
	defer c.in.limit(-1)
	arrived, _ := c.br.Peek(c.br.Buffered())
	head := headOf(arrived) // nothing moves it in the buffer while it is read: it is there
	req, err := http.ReadRequest(c.br)
	if err != nil && c.in.exceeded {
		return nil, errHeaderTooLarge
	}
	if err == nil && len(arrived)-c.br.Buffered() == len(head) {
		c.again.note(head, req)
	}
	return req, err
}

// refuse answers what is not HTTP, if anybody still listens.
func (c *conn) refuse(err error) {
	status := http.StatusBadRequest
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return
	case errors.Is(err, errHeaderTooLarge):
		status = http.StatusRequestHeaderFieldsTooLarge
	}
	text := []byte(http.StatusText(status))
	_ = c.send(status, "text/plain; charset=utf-8", text, false)
}

// handle answers one request and reports whether the connection goes on.
func (c *conn) handle(req *http.Request) bool {
	// The body is never closed: net/http would read it to its end, which a client may never send.
	keep := !req.Close && req.ProtoAtLeast(1, 1)
	if req.Body != http.NoBody && expects(req) {
		req.Body = &continueBody{ReadCloser: req.Body, c: c}
	}
	ok := c.route(req, keep)
	if ok && c.endsLater() {
		return true // whoever answers closes it
	}
	return ok && keep && c.skipRest(req)
}

func (c *conn) endsLater() bool {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.last
}

func (c *conn) setLast(last bool) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.last = last
}

// skipRest reads what the handler left of the body, so that the next request is found.
func (c *conn) skipRest(req *http.Request) bool {
	if b, ok := req.Body.(*continueBody); ok && !b.asked {
		return false // a client that was never told to go on may or may not send its body
	}
	if req.Body == http.NoBody {
		return true
	}
	_, err := io.CopyN(io.Discard, req.Body, maxUnread)
	return errors.Is(err, io.EOF)
}

// send writes a response, or holds it back when the client has already sent its next request. Headers are names and values in
// turns.
func (c *conn) send(status int, contentType string, body []byte, keep bool, headers ...string) error {
	close := ""
	if !keep {
		close = "close"
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	hold := keep && c.br.Buffered() > 0 && len(body) < joinBody && len(c.held) < joinBody
	c.held = appendHead(c.held, status, len(body), contentType, append([]string{"Connection", close}, headers...)...)
	if hold {
		c.held = append(c.held, body...)
		return nil
	}
	return c.writeLocked(body, time.Time{})
}

// flush writes what was held back.
func (c *conn) flush() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if len(c.held) == 0 {
		return nil
	}
	return c.writeLocked(nil, time.Time{})
}

// writeLocked writes what is held back, and a body behind it, all at once. The caller holds wmu. A zero deadline means none.
func (c *conn) writeLocked(body []byte, deadline time.Time) error {
	if limited := !deadline.IsZero(); limited || c.limited {
		if err := c.nc.SetWriteDeadline(deadline); err != nil {
			return err
		}
		c.limited = limited
	}
	out := c.held
	c.held = nil
	if len(body) > joinBody {
		bufs := net.Buffers{out, body}
		_, err := bufs.WriteTo(c.nc)
		return err
	}
	out = append(out, body...)
	_, err := c.nc.Write(out)
	if cap(out) <= keepRoom {
		c.held = out[:0]
	}
	return err
}

func expects(req *http.Request) bool {
	return req.ProtoAtLeast(1, 1) && strings.EqualFold(req.Header.Get("Expect"), "100-continue")
}

// continueBody asks the client to go on when somebody wants its body.
type continueBody struct {
	io.ReadCloser
	c     *conn
	asked bool
}

func (b *continueBody) Read(p []byte) (int, error) {
	if !b.asked {
		b.asked = true
		b.c.wmu.Lock()
		b.c.held = append(b.c.held, "HTTP/1.1 100 Continue\r\n\r\n"...)
		err := b.c.writeLocked(nil, time.Time{})
		b.c.wmu.Unlock()
		if err != nil {
			return 0, err
		}
	}
	return b.ReadCloser.Read(p)
}

// headerLimit is a reader that stops after a number of bytes while a header is read.
type headerLimit struct {
	r        io.Reader
	left     int // -1: no limit
	exceeded bool
}

func (l *headerLimit) limit(n int) { l.left, l.exceeded = n, false }

func (l *headerLimit) Read(p []byte) (int, error) {
	if l.left == 0 {
		l.exceeded = true
		return 0, errHeaderTooLarge
	}
	if l.left > 0 && len(p) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	if l.left > 0 {
		l.left -= n
	}
	return n, err
}
