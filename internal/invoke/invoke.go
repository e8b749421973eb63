// Package invoke is AWS's Invoke: which revision a name and qualifier mean, whether it may run now, and how it ran.
//
// A Service reads the function from the catalog (which answers from memory), holds the account's limit of concurrent
// invocations, and hands the event to a pool of execution environments. It never waits for a free environment: beyond the
// limit an invocation is refused, as AWS refuses it.
package invoke

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
)

// Functions is what a Service needs of a catalog.Store.
type Functions interface {
	GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error)
	GetVersion(ctx context.Context, k lambda.FunctionKey, number int64) (catalog.Version, error)
	GetAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error)
	Reserved(ctx context.Context, s lambda.Scope) (int64, error)
}

// Environments is what a Service needs of an *execenv.Pool.
type Environments interface {
	Invoke(ctx context.Context, rev *lambda.Revision, inv execenv.Invocation) (execenv.Response, error)
	Retire(functionID string, keep int64)
}

// Options are what a Service works with.
type Options struct {
	Catalog     Functions
	Pool        Environments
	Concurrency int            // invocations of one account and region at a time; 0: AWS's default, 1000
	Rand        func() float64 // from 0 to below 1, routes an alias's invocations; nil: the usual source
}

// Service invokes functions. Its methods may be called at the same time.
type Service struct {
	functions Functions
	pool      Environments
	limit     int64 // of an account's invocations
	running   counter
	newest    revisions
	rand      func() float64
}

// New makes a service.
func New(o Options) *Service {
	if o.Concurrency <= 0 {
		o.Concurrency = lambda.DefaultConcurrency
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	return &Service{functions: o.Catalog, pool: o.Pool, limit: int64(o.Concurrency), rand: o.Rand}
}

// Invocation types, in AWS's words.
const (
	TypeRequestResponse = "RequestResponse"
	TypeEvent           = "Event"
	TypeDryRun          = "DryRun"
)

// Input is one call of Invoke.
type Input struct {
	Ref           lambda.FunctionRef
	RequestID     string
	Type          string // "": TypeRequestResponse
	LogTail       bool
	Payload       []byte // JSON of at most lambda.MaxPayloadSize bytes: the front door has seen to that
	ClientContext string // JSON, already decoded from base64
	TraceID       string
	// Answer, when set, gets the Output as soon as there is one, before the environment has settled; Invoke gives the same one
	// when it returns. It is not called when there is an error, and need not be called at all.
	Answer func(Output)
}

// Output is its answer. A function that failed is an Output with a FunctionError.
type Output struct {
	Payload         []byte
	FunctionError   string
	LogTail         []byte
	ExecutedVersion string
	StatusCode      int
}

// Invoke runs a function. Errors have the kinds NotFound, NotReady, Throttled, NotBuilt, Constraint, and those of
// the pool.
func (s *Service) Invoke(ctx context.Context, in Input) (Output, error) {
	at, err := s.resolve(ctx, in.Ref)
	if err != nil {
		return Output{}, err
	}
	if err := at.ready(); err != nil {
		return Output{}, err
	}
	switch in.Type {
	case "", TypeRequestResponse:
	case TypeDryRun:
		return Output{StatusCode: http.StatusNoContent}, nil
	case TypeEvent:
		return Output{}, lambda.Errorf(lambda.NotBuilt, "lamina has not built asynchronous invocations (InvocationType Event) yet")
	default:
		return Output{}, lambda.Errorf(lambda.Constraint, "%q is not an invocation type", in.Type)
	}
	return s.run(ctx, at, in)
}

// run runs the revision that an invocation goes to.
func (s *Service) run(ctx context.Context, at target, in Input) (Output, error) {
	if len(at.revision.Config.FileSystems) > 0 {
		return Output{}, lambda.Errorf(lambda.NotBuilt, "lamina keeps FileSystemConfigs and does not mount them yet: a function that has some is not run.")
	}
	fn := &at.function
	release, err := s.admit(ctx, fn)
	if err != nil {
		return Output{}, err
	}
	release = sync.OnceFunc(release)
	defer release()
	if s.newest.seen(fn.ID, fn.Latest.Number) {
		s.pool.Retire(fn.ID, fn.Latest.Number)
	}
	version := string(at.version)
	inv := execenv.Invocation{
		RequestID:     in.RequestID,
		Payload:       in.Payload,
		InvokedARN:    fn.Key.QualifiedARN(in.Ref.Qualifier),
		Version:       version,
		ClientContext: in.ClientContext,
		TraceID:       in.TraceID,
		LogTail:       in.LogTail,
	}
	if answer := in.Answer; answer != nil {
		inv.Answer = func(r execenv.Response) {
			release() // the caller may come again at once
			answer(output(r, version))
		}
	}
	r, err := s.pool.Invoke(ctx, at.revision, inv)
	if err != nil {
		return Output{}, fmt.Errorf("cannot invoke %s: %w", fn.Key.ARN(), err)
	}
	return output(r, version), nil
}

// output is what the caller gets.
func output(r execenv.Response, version string) Output {
	return Output{
		Payload:         r.Payload,
		FunctionError:   r.FunctionError,
		LogTail:         r.LogTail,
		ExecutedVersion: version,
		StatusCode:      http.StatusOK,
	}
}
