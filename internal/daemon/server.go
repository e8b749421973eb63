package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// server is the HTTP side. Its requests have their own lifetime: when the daemon is told to stop, invocations go on for
// the time of the drain, and only what has no end of its own (following logs) is cut at once.
type server struct {
	http     *http.Server
	requests context.Context // of every request; ends with the drain
	cut      context.CancelFunc
	stopping context.Context // of requests that would never end; ends when the drain begins
	stop     context.CancelFunc
}

func newServer(ctx context.Context, h http.Handler, log *slog.Logger) *server {
	s := &server{}
	ctx = context.WithoutCancel(ctx)
	s.requests, s.cut = context.WithCancel(ctx)
	s.stopping, s.stop = context.WithCancel(ctx)
	s.http = &http.Server{
		Handler:           s.bound(h),
		BaseContext:       func(net.Listener) context.Context { return s.requests },
		ReadHeaderTimeout: 10 * time.Second,
		// No read or write timeout: a zip may come slowly and a function may run for 15 minutes. Idle connections are
		// kept longer than the AWS SDKs keep theirs, so that none of them writes into a connection that we close.
		IdleTimeout:    6 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return s
}

// bound ends the requests of lamina's own API, which may follow something for ever, when the drain begins.
func (s *server) bound(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/lamina/v1/") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(s.stopping, cancel)()
			r = r.WithContext(ctx)
		}
		h.ServeHTTP(w, r)
	})
}

// serve answers on ln until drain was called.
func (s *server) serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot go on serving: %w", err)
	}
	return nil
}

// drain stops accepting, waits for running requests until ctx ends, and cuts what is left then.
func (s *server) drain(ctx context.Context) {
	s.stop()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close() // before their contexts end, so that none of them still sends half of an answer
	}
	s.cut()
}
