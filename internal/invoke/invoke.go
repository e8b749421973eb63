// Package invoke is AWS's Invoke: which revision a name and qualifier mean, whether it may run now, and how it ran.
//
// A Service reads the function from the catalog (which answers from memory), holds the account's limit of concurrent
// invocations, and hands the event to a pool of execution environments. It never waits for a free environment: beyond the
// limit an invocation is refused, as AWS refuses it.
package invoke

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
)

// Functions is what a Service needs of a catalog.Store.
type Functions interface {
	GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error)
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
	Concurrency int              // invocations of one account and region at a time; 0: AWS's default, 1000
	Now         func() time.Time // the wall clock, for what depends on it once aliases and retries are built
}

// Service invokes functions. Its methods may be called at the same time.
type Service struct {
	functions Functions
	pool      Environments
	running   counter
	newest    revisions
}

// New makes a service.
func New(o Options) *Service {
	if o.Concurrency <= 0 {
		o.Concurrency = lambda.DefaultConcurrency
	}
	return &Service{functions: o.Catalog, pool: o.Pool, running: counter{limit: o.Concurrency}}
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
	Payload       []byte
	ClientContext string // JSON, already decoded from base64
	TraceID       string
}

// Output is its answer. A function that failed is an Output with a FunctionError.
type Output struct {
	Payload         []byte
	FunctionError   string
	LogTail         []byte
	ExecutedVersion string
	StatusCode      int
}

// Invoke runs a function. Errors have the kinds NotFound, NotReady, Throttled, Malformed, TooLarge, NotBuilt, and those of
// the pool.
func (s *Service) Invoke(ctx context.Context, in Input) (Output, error) {
	fn, err := s.resolve(ctx, in.Ref)
	if err != nil {
		return Output{}, err
	}
	if err := ready(&fn); err != nil {
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
	if err := checkPayload(in.Payload); err != nil {
		return Output{}, err
	}
	return s.run(ctx, &fn, in)
}

// run runs the newest revision.
func (s *Service) run(ctx context.Context, fn *catalog.Function, in Input) (Output, error) {
	release, ok := s.running.acquire(in.Ref.Scope)
	if !ok {
		return Output{}, &lambda.Error{Kind: lambda.Throttled, Message: "Rate Exceeded.", Reason: "ConcurrentInvocationLimitExceeded"}
	}
	defer release()
	if s.newest.seen(fn.ID, fn.Latest.Number) {
		s.pool.Retire(fn.ID, fn.Latest.Number)
	}
	payload := in.Payload
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	r, err := s.pool.Invoke(ctx, &fn.Latest, execenv.Invocation{
		RequestID:     in.RequestID,
		Payload:       payload,
		InvokedARN:    fn.Key.QualifiedARN(in.Ref.Qualifier),
		Version:       string(lambda.VersionLatest),
		ClientContext: in.ClientContext,
		TraceID:       in.TraceID,
		LogTail:       in.LogTail,
	})
	if err != nil {
		return Output{}, fmt.Errorf("cannot invoke %s: %w", fn.Key.ARN(), err)
	}
	return Output{
		Payload:         r.Payload,
		FunctionError:   r.FunctionError,
		LogTail:         r.LogTail,
		ExecutedVersion: string(lambda.VersionLatest),
		StatusCode:      http.StatusOK,
	}, nil
}

// resolve finds the function that a reference means. There are no versions and aliases yet, so every qualifier but
// $LATEST is one that nobody made.
func (s *Service) resolve(ctx context.Context, ref lambda.FunctionRef) (catalog.Function, error) {
	qualifier := ref.Qualifier
	if qualifier == "" {
		qualifier = lambda.VersionLatest
	}
	notFound := func(cause error) error {
		return &lambda.Error{Kind: lambda.NotFound, Message: "Function not found: " + ref.QualifiedARN(qualifier), Err: cause}
	}
	fn, err := s.functions.GetFunction(ctx, ref.FunctionKey)
	switch {
	case lambda.IsKind(err, lambda.NotFound):
		return fn, notFound(err)
	case err != nil:
		return fn, fmt.Errorf("cannot look up %s: %w", ref.ARN(), err)
	case qualifier != lambda.VersionLatest:
		return fn, notFound(nil)
	}
	return fn, nil
}

// ready refuses functions that cannot run in their state.
func ready(fn *catalog.Function) error {
	if fn.State == lambda.StateActive {
		return nil
	}
	return lambda.Errorf(lambda.NotReady,
		"The operation cannot be performed at this time. The function is currently in the following state: %s", fn.State)
}

// checkPayload refuses events that AWS refuses.
func checkPayload(p []byte) error {
	if len(p) > lambda.MaxPayloadSize {
		return lambda.Errorf(lambda.TooLarge, "Request must be smaller than %d bytes for the InvokeFunction operation", lambda.MaxPayloadSize)
	}
	if len(p) == 0 || json.Valid(p) {
		return nil
	}
	// AWS prints its parser's complaint here; ours is in its place.
	var v any
	cause := json.Unmarshal(p, &v)
	return lambda.Errorf(lambda.Malformed,
		"Could not parse request body into json: Could not parse payload into json: %v\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 1]", cause)
}
