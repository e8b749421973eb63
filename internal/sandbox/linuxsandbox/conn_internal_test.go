package linuxsandbox

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// TestWhyEnded: a helper that cannot begin says why, and is gone before anything that it was sent is answered.
func TestWhyEnded(t *testing.T) {
	for name, want := range map[string]error{"with a reason": unix.EPERM, "without": errEnded} {
		t.Run(name, func(t *testing.T) {
			c, theirs, err := connected()
			if err != nil {
				t.Fatal(err)
			}
			if want != errEnded {
				r := initproto.Reply{Failure: initproto.Failure{Op: "mount proc", Errno: uint64(unix.EPERM)}}
				if _, err := theirs.Write(initproto.Message{Verb: initproto.VerbHello, Body: r.Append(nil)}.Append(nil)); err != nil {
					t.Fatal(err)
				}
			}
			theirs.Close()
			s := &started{conn: c}
			_, sent := c.call(t.Context(), initproto.VerbSetup, nil, nil, &request{})
			if !errors.Is(sent, errEnded) {
				t.Fatalf("sent to a helper that is gone: %v", sent)
			}
			done := make(chan struct{})
			go func() { defer close(done); c.read() }()
			if got := s.whyEnded(sent); !errors.Is(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			<-done
			if got := s.whyEnded(nil); got != nil {
				t.Errorf("without an error: %v", got)
			}
		})
	}
}

// connected is a conn and the other end of its socket.
func connected() (*conn, *os.File, error) {
	ours, theirs, err := controlSocket()
	if err != nil {
		return nil, nil, err
	}
	defer ours.Close()
	c, err := newConn(ours)
	return c, theirs, err
}
