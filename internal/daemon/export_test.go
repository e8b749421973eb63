package daemon

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/sandbox"
)

// Server is the HTTP side alone, for tests of its drain.
type Server struct{ s *server }

// NewServer makes one over a handler.
func NewServer(ctx context.Context, h http.Handler) Server {
	return Server{newServer(ctx, h, slog.New(slog.DiscardHandler))}
}

// Serve answers on ln until Drain.
func (s Server) Serve(ln net.Listener) error { return s.s.serve(ln) }

// Drain stops it.
func (s Server) Drain(ctx context.Context) { s.s.drain(ctx) }

// DrainTime is what running calls get when the server stops.
var DrainTime = drainTime

// PackageManager is the command that installs packages, by the text of /etc/os-release.
var PackageManager = packageManager

// Recycle starts what ends environments of functions that other servers have changed, and gives the way to stop it.
func Recycle(ctx context.Context, changed <-chan struct{}, pool interface {
	Functions() []string
	Retire(functionID string, keep int64)
	RetireOlder(functionID string, newest int64)
}, newest func(context.Context, []string) (map[string]int64, error)) (stop func()) {
	r := &recycler{changed: changed, newest: newest, pool: pool, log: slog.New(slog.DiscardHandler)}
	r.start(ctx)
	return r.stop
}

// SetClock puts a clock in the place of the machine's, until reset is called. Nothing may run meanwhile that asks for the time.
func SetClock(f func() time.Time) (reset func()) {
	wall = f
	return func() { wall = time.Now }
}

// LocalCache is the cache of functions that run without a server, as one process has it.
type LocalCache struct{ c *localCache }

// NewLocalCache opens a cache in a folder.
func NewLocalCache(dir string) LocalCache { return LocalCache{&localCache{dir: dir}} }

// Zip gives the tree of a zip.
func (l LocalCache) Zip(ctx context.Context, path string) (*layerstore.Lower, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return l.c.zip(ctx, path, info)
}

// Close lets go of everything.
func (l LocalCache) Close() error { return l.c.close() }

// Hopeful is how `lamina run` makes sandboxes when the network is auto.
func Hopeful(d outsideDriver) sandbox.Driver { return &hopeful{outsideDriver: d} }

// ShellWord writes a text as one word for a shell.
func ShellWord(s string) string { return shellWord(s) }
