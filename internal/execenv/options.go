package execenv

import (
	"context"
	"log/slog"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

// Options are what a pool works with.
type Options struct {
	Sandboxes   sandbox.Driver
	Runtimes    Runtimes // a *runtimes.Set
	Store       Trees    // a *layerstore.Store
	Bus         *telemetry.Bus
	IdleTimeout time.Duration // how long an environment may wait for its next invocation; 0: DefaultIdleTimeout
	InitTimeout time.Duration // limit of the Init phase; 0: AWS's 10 s
	Spares      int           // runtimes kept booted, of each that an account has used lately
	Ahead       int           // environments kept initialised beyond those that run, where several run at once
	Freeze      bool          // stop environments while they wait for an invocation
	FreezeAfter time.Duration // how long they wait before that; 0: DefaultFreezeAfter
	CPU         bool          // give functions AWS's share of the processor
	Reach       []string      // host addresses that functions may dial on their loopback
	Keys        Keys          // issues functions' credentials; nil: credentials that open nothing
	Endpoint    Endpoint      // answers AWS's API inside sandboxes; nil: nothing does
	Now         func() time.Time
	Log         *slog.Logger
}

// DefaultIdleTimeout is how long an environment is kept when Options do not say.
const DefaultIdleTimeout = 10 * time.Minute

// DefaultFreezeAfter is long enough that invocations which follow one another closely never meet a frozen environment.
const DefaultFreezeAfter = 100 * time.Millisecond

// Runtimes finds what a managed runtime needs.
type Runtimes interface {
	Resolve(ctx context.Context, r lambda.Runtime) (*runtimes.Runtime, error)
}

// Trees gives the folders that are mounted at /var/task and /opt.
type Trees interface {
	Lower(ctx context.Context, c lambda.Content) (*layerstore.Lower, error)
}

// Invocation is one event for a function.
type Invocation struct {
	RequestID     string
	Payload       []byte
	InvokedARN    string // as the caller named the function
	Version       string // "$LATEST" or a number
	ClientContext string // JSON, already decoded
	TraceID       string
	LogTail       bool // the answer waits for the end of the invocation and carries the log
	// Answer, when set, may get the Response before Invoke returns it, in the caller's goroutine: it does where the end of the
	// invocation is near and can follow there, so that no other goroutine has to wake up for it and the environment is idle
	// before the caller comes again. It must not wait for anybody. With LogTail, and for a long payload, it is not called.
	Answer func(Response)
}

// Response is what the caller gets.
type Response struct {
	Payload       []byte
	FunctionError string // "" or "Unhandled"
	LogTail       []byte // up to 4 KB from START to REPORT, when asked for
}

func (o Options) withDefaults() Options {
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if o.FreezeAfter <= 0 {
		o.FreezeAfter = DefaultFreezeAfter
	}
	if o.InitTimeout <= 0 {
		o.InitTimeout = lambda.InitTimeoutSeconds * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Bus == nil {
		o.Bus = telemetry.NewBus()
	}
	return o
}
