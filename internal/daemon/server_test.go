package daemon_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/daemon"
)

// held is a server whose requests tell that they began and end when they are let go, or when their context ends.
type held struct {
	daemon.Server
	url    string
	began  chan string
	let    chan struct{}
	served chan error
}

func serveHeld(t *testing.T) *held {
	t.Helper()
	h := &held{began: make(chan string), let: make(chan struct{}), served: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	h.Server = daemon.NewServer(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.began <- r.URL.Path
		select {
		case <-h.let:
			io.WriteString(w, "done")
		case <-r.Context().Done():
			io.WriteString(w, "cut")
		}
	}))
	cancel() // the server is told to stop by Drain alone, never by its context
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.url = "http://" + ln.Addr().String()
	go func() { h.served <- h.Serve(ln) }()
	return h
}

// get calls the server and gives what it answered, or the error, when it did.
func (h *held) get(path string) <-chan string {
	answer := make(chan string, 1)
	go func() {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		r, err := client.Get(h.url + path)
		if err != nil {
			answer <- "error"
			return
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			answer <- "error"
			return
		}
		answer <- string(b)
	}()
	return answer
}

func TestDrainLetsRunningCallsEnd(t *testing.T) {
	h := serveHeld(t)
	running := h.get("/2015-03-31/functions/f/invocations")
	<-h.began
	drained := make(chan struct{})
	go func() { h.Drain(t.Context()); close(drained) }()
	if err := <-h.served; err != nil { // accepting has ended
		t.Errorf("serving ended with %v", err)
	}
	if got := <-h.get("/"); got != "error" {
		t.Errorf("a new call during the drain got %q", got)
	}
	select {
	case <-drained:
		t.Error("the drain did not wait for the running call")
	default:
	}
	close(h.let)
	if got := <-running; got != "done" {
		t.Errorf("the running call got %q", got)
	}
	<-drained
}

// TestDrainTime: running invocations end within their own timeout, unless somebody has set less.
func TestDrainTime(t *testing.T) {
	for _, c := range []struct{ set, longest, want time.Duration }{
		{0, 0, 30 * time.Second},
		{0, 13 * time.Second, 30 * time.Second},
		{0, 910 * time.Second, 910 * time.Second},
		{time.Second, 910 * time.Second, time.Second},
		{time.Hour, 13 * time.Second, time.Hour},
	} {
		if got := daemon.DrainTime(c.set, c.longest); got != c.want {
			t.Errorf("set %v, longest %v: got %v, want %v", c.set, c.longest, got, c.want)
		}
	}
}

func TestDrainCutsWhatFollows(t *testing.T) {
	h := serveHeld(t)
	following := h.get("/lamina/v1/functions/f/logs")
	<-h.began
	h.Drain(t.Context())
	if got := <-following; got != "cut" {
		t.Errorf("got %q", got)
	}
}

func TestDrainHasAnEnd(t *testing.T) {
	h := serveHeld(t)
	running := h.get("/")
	<-h.began
	over, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	h.Drain(over)
	if got := <-running; got != "error" {
		t.Errorf("a call that outlives the drain got %q", got)
	}
}
