package runtimetest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Accepted is the answer to a post.
const Accepted = "HTTP/1.1 202 Accepted\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"

// Script is a server for one runtime, spoken to the letter.
type Script struct {
	net.Listener
	*testing.T
}

// NewScript listens until the test ends.
func NewScript(t *testing.T) Script {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return Script{l, t}
}

// API is the script as what a process is run against.
func (s Script) API() *API { return At(s.Addr().String()) }

// Play starts a process and plays the script; it ends the process when the script has ended.
func (s Script) Play(p *Process, play func(accept func() (net.Conn, *bufio.Reader))) {
	s.Helper()
	a := s.API()
	go func() {
		defer close(a.Idle)
		play(func() (net.Conn, *bufio.Reader) {
			c, err := s.Accept()
			if err != nil {
				s.Error(err)
				return nil, nil
			}
			return c, bufio.NewReader(c)
		})
	}()
	if got := p.Run(s.T, a); got.Output != "" {
		s.Errorf("the runtime printed %q", got.Output)
	}
}

// Expect reads one request and checks its method and path; it gives its body.
func (s Script) Expect(r *bufio.Reader, want string) string {
	s.Helper()
	body, _ := s.Request(r, want)
	return body
}

// Request is Expect for those who want the request too, its body read.
func (s Script) Request(r *bufio.Reader, want string) (string, *http.Request) {
	s.Helper()
	req, err := http.ReadRequest(r)
	if err != nil {
		s.Errorf("waiting for %q: %v", want, err)
		return "", &http.Request{}
	}
	if got := req.Method + " " + strings.TrimPrefix(req.URL.Path, prefix); got != want {
		s.Errorf("got %q, want %q", got, want)
	}
	b, err := io.ReadAll(req.Body)
	if err != nil {
		s.Error(err)
	}
	return string(b), req
}
