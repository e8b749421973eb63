package runtimeapi_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/runtimeapi"
)

// FuzzRequests sends whatever a function may send on a connection, before and after an event. Whatever it is, the server
// stays in a state that it has, and serves the next runtime after Reset.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		get(next), get(base + "/ping"), get(next) + get(next), respond("id-1", "1") + get(next),
		respond("id-1", "1", "Lambda-Runtime-Function-Response-Mode: streaming"),
		post(base+"/runtime/init/error", "{}"), post(base+"/runtime/invocation/id-1/error", "{}", "Content-Type: application/vnd.aws.lambda.error.cause+json"),
		"POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nLambda-Runtime-Function-Error-Type: a\r\n\r\n",
		"POST " + base + "/runtime/invocation/id-1/response HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n1",
		"\x00", "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	s := runtimeapi.Serve(l)
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, input []byte) {
		s.Reset()
		for _, c := range []*client{dial(t, l.Addr().String()), dial(t, l.Addr().String())} {
			c.nc.Write(input)
			c.nc.(*net.TCPConn).CloseWrite()
			s.Invoke(&runtimeapi.Invocation{RequestID: "id-1", Payload: []byte("1"), Deadline: time.Now().Add(time.Second)})
			c.nc.Write(input)
			// A client that sent more behind a GET next is not heard before that has its answer.
			c.nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			io.Copy(io.Discard, c.br)
		}
		switch st := s.Status(); st.State {
		case runtimeapi.Started, runtimeapi.Ready, runtimeapi.Running, runtimeapi.ResponseSent, runtimeapi.InitError:
		default:
			t.Fatalf("ended in %+v", st)
		}
		s.Reset()
		c := dial(t, l.Addr().String())
		c.write(get(next))
		await(t, s, ready)
	})
}
