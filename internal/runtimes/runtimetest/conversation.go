package runtimetest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The conversations below are held with a function that answers its event, alone in a list. They are the same whatever
// language it is written in.

// OneSend demands that the answer and the question for the next event arrive before either is answered.
func OneSend(t *testing.T, p *Process) {
	s := NewScript(t)
	s.Play(p, func(accept func() (net.Conn, *bufio.Reader)) {
		c, r := accept()
		s.Expect(r, "GET invocation/next")
		io.WriteString(c, Next("a", `"ä"`))
		for range 3 {
			s.listed(r, "a", "ä")
			s.Expect(r, "GET invocation/next")
			io.WriteString(c, Accepted+Next("a", `"ä"`))
		}
	})
}

// Connections demands that a connection which the server or something between closes is made anew, and that chunks are
// understood.
func Connections(t *testing.T, p *Process) {
	s := NewScript(t)
	s.Play(p, func(accept func() (net.Conn, *bufio.Reader)) {
		c, r := accept()
		s.Expect(r, "GET invocation/next")
		c.Close() // without an answer
		c, r = accept()
		s.Expect(r, "GET invocation/next")
		io.WriteString(c, head("a")+"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n\"1\r\n3\r\n234\r\n1\r\n\"\r\n0\r\nTrailer: x\r\n\r\n")
		s.listed(r, "a", "1234")
		io.WriteString(c, "HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		c.Close()
		c, r = accept()
		s.Expect(r, "GET invocation/next")
		io.WriteString(c, Next("b", "5"))
		s.listed(r, "b", 5.0)
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"+Accepted)
		c.Close() // after the answer, without saying so
		_, r = accept()
		s.Expect(r, "GET invocation/next")
	})
}

// Bytewise demands that an answer may come in pieces of any size.
func Bytewise(t *testing.T, p *Process) {
	s := NewScript(t)
	s.Play(p, func(accept func() (net.Conn, *bufio.Reader)) {
		c, r := accept()
		s.Expect(r, "GET invocation/next")
		for _, b := range []byte(Next("a", `"é"`)) {
			c.Write([]byte{b})
		}
		s.listed(r, "a", "é")
	})
}

// Large demands that megabytes are taken and answered, through partial reads and writes.
func Large(t *testing.T, p *Process) {
	body := `"` + strings.Repeat("0123456789", 600_000) + `"`
	got := p.Run(t, NewAPI(t, Event{Body: body}, Event{Body: "2"}))
	if len(got.Posts) != 2 || got.Posts[0].Body != "["+body+"]" || got.Posts[1].Body != "[2]" {
		t.Errorf("got %d posts, output %s", len(got.Posts), got.Output)
	}
}

// listed expects the answer to an event, whatever way its text is escaped in.
func (s Script) listed(r *bufio.Reader, id string, event any) {
	s.Helper()
	body := s.Expect(r, "POST invocation/"+id+"/response")
	var got any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		s.Errorf("%v in %q", err, body)
	} else if diff := cmp.Diff(got, any([]any{event})); diff != "" {
		s.Errorf("the answer to %s (-got +want):\n%s", id, diff)
	}
}

// Next is an event in an answer with the length of its body.
func Next(id, body string) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head(id), len(body), body)
}

// head begins an answer with an event; how long it is comes last.
func head(id string) string {
	return "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: " + id +
		"\r\nLambda-Runtime-Deadline-Ms: 1\r\nLambda-Runtime-Invoked-Function-Arn: arn\r\nContent-Type: application/json\r\n"
}
