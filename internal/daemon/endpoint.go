package daemon

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/api"
)

// connectionsOfASandbox is how many connections one sandbox may have to the API. More wait in its own network.
const connectionsOfASandbox = 256

// reachesItself refuses to let functions dial the server's own address: there they could call it as anybody.
func reachesItself(reach []string, own net.Addr) error {
	_, port, _ := net.SplitHostPort(own.String())
	for _, target := range reach {
		host, p, _ := net.SplitHostPort(target)
		ip := net.ParseIP(host)
		if p == port && (host == "localhost" || ip.IsLoopback() || ip.IsUnspecified()) {
			return &Problem{
				Text: "functions must not reach " + target + ", this server's own address: there they could call it as anybody",
				Todo: "leave --reach " + target + " out; functions find the API at AWS_ENDPOINT_URL",
			}
		}
	}
	return nil
}

// endpoint is the API as functions have it: the front door, on listeners that lie inside sandboxes. Every request carries
// the account of the sandbox that it came from. It outlives the execution environments, so that invocations that run while
// the server drains still have it.
type endpoint struct {
	handler http.Handler // set before the first Serve
	http    *http.Server
	work    sync.WaitGroup
}

func newEndpoint(ctx context.Context, log *slog.Logger) *endpoint {
	e := &endpoint{}
	base := context.WithoutCancel(ctx)
	e.http = &http.Server{
		Handler:     http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }),
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return api.FromSandbox(ctx, c.(*sandboxConn).account)
		},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       6 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return e
}

// Serve answers on a listener inside a sandbox until that ends.
func (e *endpoint) Serve(l net.Listener, account string) {
	e.work.Go(func() {
		e.http.Serve(&sandboxListener{l, account, make(chan struct{}, connectionsOfASandbox)}) // it fails when the sandbox ends
	})
}

// close ends what is left. It is called when there are no sandboxes any more.
func (e *endpoint) close() error {
	err := e.http.Close()
	e.work.Wait()
	return err
}

// sandboxListener bounds and names the connections of a sandbox.
type sandboxListener struct {
	net.Listener
	account string
	room    chan struct{}
}

func (l *sandboxListener) Accept() (net.Conn, error) {
	l.room <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.room
		return nil, err
	}
	return &sandboxConn{Conn: c, account: l.account, leave: sync.OnceFunc(func() { <-l.room })}, nil
}

// sandboxConn is a connection that came out of a sandbox.
type sandboxConn struct {
	net.Conn
	account string
	leave   func()
}

func (c *sandboxConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
