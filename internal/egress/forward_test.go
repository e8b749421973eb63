package egress_test

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/laminadev/lamina/internal/egress"
)

// bound is how many connections of one sandbox are carried at once.
const bound = 1024

// TestForwardIsBounded has more connections come than are carried, so that no sandbox takes all of the server's descriptors.
func TestForwardIsBounded(t *testing.T) {
	far, inside := listen(t), &counting{Listener: listen(t)}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		egress.Forward(ctx, inside, far.Addr().String(), func(err error) { t.Errorf("not carried: %v", err) })
	}()
	defer func() { cancel(); <-ended }()

	var calls, arrived []net.Conn
	closeAll := func(list []net.Conn) {
		for _, c := range list {
			c.Close()
		}
	}
	defer func() { closeAll(calls); closeAll(arrived) }()
	call := func() net.Conn {
		c, err := net.Dial("tcp", inside.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
		return c
	}
	arrive := func() net.Conn {
		c, err := far.Accept()
		if err != nil {
			t.Fatal(err)
		}
		arrived = append(arrived, c)
		return c
	}
	for range bound {
		call()
		arrive()
	}
	// One more waits until there is room.
	if _, err := io.WriteString(call(), "last"); err != nil {
		t.Fatal(err)
	}
	inside.room.Store(true)
	calls[0].Close()
	if _, err := io.Copy(io.Discard, arrived[0]); err != nil {
		t.Fatal(err)
	}
	arrived[0].Close()
	last := make([]byte, 4)
	if _, err := io.ReadFull(arrive(), last); err != nil || string(last) != "last" {
		t.Errorf("then came %q (%v)", last, err)
	}
	if inside.tooEarly.Load() {
		t.Errorf("more than %d connections would have been taken", bound)
	}
}

// counting sees whether a connection beyond the bound is asked for before there is room.
type counting struct {
	net.Listener
	asked          int
	room, tooEarly atomic.Bool
}

func (l *counting) Accept() (net.Conn, error) {
	if l.asked++; l.asked > bound && !l.room.Load() {
		l.tooEarly.Store(true)
	}
	return l.Listener.Accept()
}

func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}
