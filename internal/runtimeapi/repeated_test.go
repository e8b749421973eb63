package runtimeapi_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/runtimeapi"
)

// TestNextInOtherWords: a GET next that a connection has sent before is known by its bytes, and one with other bytes is read
// anew, however it arrives.
func TestNextInOtherWords(t *testing.T) {
	line := "GET " + next + " HTTP/1.1"
	long := line + "\r\nHost: x\r\nX-Long: " + strings.Repeat("l", 2000) + "\r\n\r\n"
	forms := []string{
		get(next), get(next), get(next),
		line + "\nHost: x\n\n",
		get(next), get(next),
		line + "\r\nHost: x\r\nX-More: 1\r\n\r\n",
		line + "\r\nHost: x\r\nX-More: 1\r\n\r\n",
		line + "\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		line + "\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		long, long,
		get(next), get(next),
		line + "\r\nHost: x\r\nConnection: close\r\n\r\n", // the last one
	}
	for _, pieces := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprint("in pieces: ", pieces), func(t *testing.T) {
			s, c, _ := running(t)
			for i, form := range forms {
				id, nextID := fmt.Sprint("id-", i+1), fmt.Sprint("id-", i+2)
				request := respond(id, id) + form
				for n := range pieces {
					c.write(request[len(request)*n/pieces : len(request)*(n+1)/pieces])
				}
				st := await(t, s, ready)
				if st.Answer == nil || string(st.Answer.Body) != id {
					t.Fatalf("%.60q: got %+v", form, st.Answer)
				}
				s.Invoke(&runtimeapi.Invocation{RequestID: nextID, Payload: []byte(nextID), Deadline: time.Now().Add(time.Minute)})
				if got, _ := c.read(); got.Status != 202 {
					t.Fatalf("%.60q: got %+v, want the 202", form, got)
				}
				if got, _ := c.read(); got.Body != nextID {
					t.Fatalf("%.60q: got %+v, want the event", form, got)
				}
			}
			if _, err := c.br.ReadByte(); err != io.EOF {
				t.Errorf("the connection did not end with the last answer: %v", err)
			}
		})
	}
}

// TestRepeatedNextBeforeAnother: what follows the known bytes at once is a request of its own.
func TestRepeatedNextBeforeAnother(t *testing.T) {
	s, c, _ := running(t)
	c.write(respond("id-1", "1") + get(next) + get(base+"/ping"))
	await(t, s, ready)
	s.Invoke(&runtimeapi.Invocation{RequestID: "id-2", Payload: []byte("2"), Deadline: time.Now().Add(time.Minute)})
	for _, want := range []string{okay, "2", "pong"} {
		if got, _ := c.read(); got.Body != want {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}
