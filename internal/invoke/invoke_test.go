package invoke_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambda"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// functions is a catalog without versions and aliases.
type functions map[lambda.FunctionKey]catalog.Function

func (f functions) GetVersion(_ context.Context, k lambda.FunctionKey, number int64) (catalog.Version, error) {
	return catalog.Version{}, lambda.Errorf(lambda.NotFound, "no version %d of %s", number, k.ARN())
}

func (f functions) Reserved(_ context.Context, s lambda.Scope) (n int64, _ error) {
	for k, fn := range f {
		if k.Scope == s && fn.Reserved != nil {
			n += int64(*fn.Reserved)
		}
	}
	return n, nil
}

func (f functions) GetAlias(_ context.Context, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error) {
	return catalog.Alias{}, lambda.Errorf(lambda.NotFound, "no alias %s", k.QualifiedARN(name))
}

func (f functions) GetFunction(_ context.Context, k lambda.FunctionKey) (catalog.Function, error) {
	fn, ok := f[k]
	if !ok {
		return fn, lambda.Errorf(lambda.NotFound, "no function %s", k.ARN())
	}
	return fn, nil
}

// pool notes what it is asked for; an invocation runs as long as its hold is not closed.
type pool struct {
	mu        sync.Mutex
	got       []execenv.Invocation
	revisions []int64
	retired   []int64
	hold      chan struct{}
	started   chan struct{}
	err       error
}

func (p *pool) Invoke(_ context.Context, rev *lambda.Revision, inv execenv.Invocation) (execenv.Response, error) {
	p.mu.Lock()
	p.got, p.revisions = append(p.got, inv), append(p.revisions, rev.Number)
	p.mu.Unlock()
	if p.hold != nil {
		p.started <- struct{}{}
		<-p.hold
	}
	resp := execenv.Response{Payload: inv.Payload, FunctionError: "Unhandled", LogTail: []byte("tail")}
	if inv.Answer != nil && p.err == nil {
		inv.Answer(resp)
	}
	return resp, p.err
}

func (p *pool) Retire(_ string, keep int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = append(p.retired, keep)
}

var here = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}

func key(name lambda.FunctionName) lambda.FunctionKey {
	return lambda.FunctionKey{Scope: here, Name: name}
}

func function(name lambda.FunctionName, state lambda.State, number int64) catalog.Function {
	return catalog.Function{Key: key(name), ID: "id-" + string(name), State: state, Latest: lambda.Revision{Key: key(name), Number: number}}
}

func catalogOf(fns ...catalog.Function) functions {
	f := functions{}
	for _, fn := range fns {
		f[fn.Key] = fn
	}
	return f
}

func ref(name lambda.FunctionName, q lambda.Qualifier) lambda.FunctionRef {
	return lambda.FunctionRef{FunctionKey: key(name), Qualifier: q}
}

func TestInvoke(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   invoke.Input
		want invoke.Output
		inv  execenv.Invocation
	}{
		{"plain", invoke.Input{Ref: ref("f", ""), RequestID: "r", Payload: []byte(`{"a":1}`), TraceID: "Root=1", ClientContext: "{}"},
			invoke.Output{Payload: []byte(`{"a":1}`), FunctionError: "Unhandled", LogTail: []byte("tail"), ExecutedVersion: "$LATEST", StatusCode: 200},
			execenv.Invocation{RequestID: "r", Payload: []byte(`{"a":1}`), InvokedARN: "arn:aws:lambda:us-east-1:000000000000:function:f",
				Version: "$LATEST", TraceID: "Root=1", ClientContext: "{}"}},
		{"$LATEST, with the log", invoke.Input{Ref: ref("f", "$LATEST"), RequestID: "r", Type: "RequestResponse", LogTail: true, Payload: []byte(`{}`)},
			invoke.Output{Payload: []byte(`{}`), FunctionError: "Unhandled", LogTail: []byte("tail"), ExecutedVersion: "$LATEST", StatusCode: 200},
			execenv.Invocation{RequestID: "r", Payload: []byte(`{}`), InvokedARN: "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST",
				Version: "$LATEST", LogTail: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &pool{}
			got, err := invoke.New(invoke.Options{Catalog: catalogOf(function("f", lambda.StateActive, 1)), Pool: p}).Invoke(context.Background(), tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
			if diff := cmp.Diff(p.got, []execenv.Invocation{tc.inv}); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	const notActive = "The operation cannot be performed at this time. The function is currently in the following state: "
	fns := catalogOf(function("f", lambda.StateActive, 1), function("pending", lambda.StatePending, 1), function("failed", lambda.StateFailed, 1))
	for _, tc := range []struct {
		name    string
		in      invoke.Input
		kind    lambda.Kind
		message string
	}{
		{"unknown function", invoke.Input{Ref: ref("g", "")}, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST"},
		{"unknown function with a qualifier", invoke.Input{Ref: ref("g", "live")}, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:live"},
		{"unknown alias", invoke.Input{Ref: ref("f", "live")}, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:live"},
		{"unknown version", invoke.Input{Ref: ref("f", "1")}, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:1"},
		{"$latest is an alias like others", invoke.Input{Ref: ref("f", "$latest")}, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$latest"},
		{"pending", invoke.Input{Ref: ref("pending", "")}, lambda.NotReady, notActive + "Pending"},
		{"pending, dry", invoke.Input{Ref: ref("pending", ""), Type: "DryRun"}, lambda.NotReady, notActive + "Pending"},
		{"failed", invoke.Input{Ref: ref("failed", "")}, lambda.NotReady, notActive + "Failed"},
		{"event", invoke.Input{Ref: ref("f", ""), Type: "Event"}, lambda.NotBuilt, "lamina has not built asynchronous invocations (InvocationType Event) yet"},
		{"other type", invoke.Input{Ref: ref("f", ""), Type: "event"}, lambda.Constraint, `"event" is not an invocation type`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &pool{}
			out, err := invoke.New(invoke.Options{Catalog: fns, Pool: p}).Invoke(context.Background(), tc.in)
			var e *lambda.Error
			if !errors.As(err, &e) || e.Kind != tc.kind || e.Message != tc.message {
				t.Errorf("got %+v, %v of kind %v", out, err, lambda.KindOf(err))
			}
			if len(p.got) > 0 {
				t.Errorf("%+v was run", p.got)
			}
		})
	}
}

// A function whose file systems would be missing is not run without them.
func TestFileSystemsAreNotMounted(t *testing.T) {
	fn := function("f", lambda.StateActive, 1)
	fn.Latest.Config.FileSystems = []lambda.FileSystemConfig{{ARN: "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0", MountPath: "/mnt/a"}}
	p := &pool{}
	_, err := invoke.New(invoke.Options{Catalog: catalogOf(fn), Pool: p}).Invoke(context.Background(), invoke.Input{Ref: ref("f", "")})
	if !lambda.IsKind(err, lambda.NotBuilt) || len(p.got) > 0 {
		t.Errorf("got %v after %d invocations", err, len(p.got))
	}
}

func TestDryRun(t *testing.T) {
	p := &pool{}
	got, err := invoke.New(invoke.Options{Catalog: catalogOf(function("f", lambda.StateActive, 1)), Pool: p}).
		Invoke(context.Background(), invoke.Input{Ref: ref("f", ""), Type: "DryRun", Payload: []byte("{}")})
	if err != nil || len(p.got) > 0 {
		t.Fatalf("got %v after %d invocations", err, len(p.got))
	}
	if diff := cmp.Diff(got, invoke.Output{StatusCode: 204}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// The limit is an account's, over all of its functions, and ends with the invocations.
func TestConcurrencyLimit(t *testing.T) {
	p := &pool{hold: make(chan struct{}), started: make(chan struct{})}
	fns := catalogOf(function("f", lambda.StateActive, 1), function("g", lambda.StateActive, 1))
	elsewhere := function("f", lambda.StateActive, 1)
	elsewhere.Key.Region = "eu-west-1"
	fns[elsewhere.Key] = elsewhere
	s := invoke.New(invoke.Options{Catalog: fns, Pool: p, Concurrency: 2})
	var wg sync.WaitGroup
	for _, r := range []lambda.FunctionRef{ref("f", ""), ref("g", ""), {FunctionKey: elsewhere.Key}} {
		wg.Go(func() {
			if _, err := s.Invoke(context.Background(), invoke.Input{Ref: r}); err != nil {
				t.Error(err)
			}
		})
		<-p.started
	}
	_, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", "")})
	var e *lambda.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	want := &lambda.Error{Kind: lambda.Throttled, Message: "Rate Exceeded.", Reason: "ConcurrentInvocationLimitExceeded"}
	if e.Kind != want.Kind || e.Message != want.Message || e.Reason != want.Reason {
		t.Errorf("got %+v, want %+v", e, want)
	}
	close(p.hold)
	wg.Wait()
	p.hold = nil
	if _, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", "")}); err != nil {
		t.Errorf("after the others: %v", err)
	}
}

// Whoever has an answer may invoke again at once: its place is free before the environment has settled.
func TestAnswerComesWithoutAPlace(t *testing.T) {
	s := invoke.New(invoke.Options{Catalog: catalogOf(function("f", lambda.StateActive, 1)), Pool: &pool{}, Concurrency: 1})
	var early []invoke.Output
	out, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", ""), Payload: []byte("1"), Answer: func(out invoke.Output) {
		early = append(early, out)
		if _, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", "")}); err != nil {
			t.Errorf("the next invocation: %v", err)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(early, []invoke.Output{out}); diff != "" {
		t.Errorf("early -, returned +:\n%s", diff)
	}
	if _, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", "")}); err != nil {
		t.Errorf("a place was given back twice, or never: %v", err)
	}
}

func TestPlatformErrorsKeepTheirKind(t *testing.T) {
	p := &pool{err: lambda.Errorf(lambda.BadRuntime, "no java")}
	_, err := invoke.New(invoke.Options{Catalog: catalogOf(function("f", lambda.StateActive, 1)), Pool: p}).
		Invoke(context.Background(), invoke.Input{Ref: ref("f", "")})
	if !lambda.IsKind(err, lambda.BadRuntime) {
		t.Errorf("got %v of kind %v", err, lambda.KindOf(err))
	}
}

// Environments of older revisions are ended when a newer one is first seen, and never because of a late older one.
func TestRetire(t *testing.T) {
	p := &pool{}
	fns := catalogOf(function("f", lambda.StateActive, 1))
	s := invoke.New(invoke.Options{Catalog: fns, Pool: p})
	for _, number := range []int64{1, 1, 2, 1, 2, 5} {
		fns[key("f")] = function("f", lambda.StateActive, number)
		if _, err := s.Invoke(context.Background(), invoke.Input{Ref: ref("f", "")}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(p.retired, []int64{1, 2, 5}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// A reservation is both a function's limit and taken from what the others share.
func TestReservedConcurrency(t *testing.T) {
	p := &pool{hold: make(chan struct{}), started: make(chan struct{})}
	none, own, free := function("none", lambda.StateActive, 1), function("own", lambda.StateActive, 1), function("free", lambda.StateActive, 1)
	none.Reserved, own.Reserved = new(0), new(2)
	s := invoke.New(invoke.Options{Catalog: catalogOf(none, own, free), Pool: p, Concurrency: 3})
	refused := func(name lambda.FunctionName, reason string) {
		t.Helper()
		_, err := s.Invoke(t.Context(), invoke.Input{Ref: ref(name, "")})
		var e *lambda.Error
		if !errors.As(err, &e) || e.Kind != lambda.Throttled || e.Message != "Rate Exceeded." || e.Reason != reason {
			t.Errorf("%s: got %#v", name, err)
		}
	}
	var wg sync.WaitGroup
	run := func(name lambda.FunctionName) {
		wg.Go(func() {
			if _, err := s.Invoke(context.Background(), invoke.Input{Ref: ref(name, "")}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		<-p.started
	}
	refused("none", "ReservedFunctionConcurrentInvocationLimitExceeded")
	run("free")
	refused("free", "ConcurrentInvocationLimitExceeded")
	run("own")
	run("own")
	refused("own", "ReservedFunctionConcurrentInvocationLimitExceeded")
	close(p.hold)
	wg.Wait()
	wg.Go(func() { <-p.started })
	if _, err := s.Invoke(t.Context(), invoke.Input{Ref: ref("own", "")}); err != nil {
		t.Errorf("after the others: %v", err)
	}
	wg.Wait()
}
