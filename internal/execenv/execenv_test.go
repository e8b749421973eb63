package execenv_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/telemetry"
)

// bench is a pool with everything below it.
type bench struct {
	t      testing.TB
	driver *plainDriver
	store  *layerstore.Store
	set    *runtimes.Set
	pool   *execenv.Pool
	log    *eventLog
	code   lambda.Content // a bootstrap that is this test binary

	freezes bool // the driver can freeze

	revisions int64
}

type option func(*execenv.Options)

func newBench(t testing.TB, opts ...option) *bench {
	t.Helper()
	dir := t.TempDir()
	blobs, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "trees"), Blobs: blob.New(blobs)})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, driver: newDriver(), store: store, log: &eventLog{}}
	b.set = runtimes.New(runtimes.Options{Dir: filepath.Join(dir, "runtimes")})
	o := execenv.Options{
		Sandboxes: b.driver,
		Runtimes:  b.set,
		Store:     store,
		Bus:       telemetry.NewBus(b.log),
	}
	for _, f := range opts {
		f(&o)
	}
	b.pool = execenv.New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := b.pool.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b.code = b.tree(map[string]string{"bootstrap": "#!/bin/sh\nexec " + self + "\n"})
	return b
}

// tree stores a folder with executable files.
func (b *bench) tree(files map[string]string) lambda.Content {
	b.t.Helper()
	dir := b.t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			b.t.Fatal(err)
		}
	}
	return b.folder(dir)
}

func (b *bench) folder(dir string) lambda.Content {
	b.t.Helper()
	c, err := b.store.PutFolder(context.Background(), dir)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// revision makes a new revision of the function "f".
func (b *bench) revision(handler string) *lambda.Revision {
	b.revisions++
	return &lambda.Revision{
		Key:        lambda.FunctionKey{Scope: lambda.Scope{Partition: "aws", Account: "123456789012", Region: "eu-west-1"}, Name: "f"},
		FunctionID: "function-id",
		Number:     b.revisions,
		Config: lambda.Configuration{Runtime: "provided.al2023", Handler: handler, MemorySize: 128, Timeout: 30, StorageSize: 512,
			Logging: lambda.LoggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/f"}},
		Code: b.code,
	}
}

func (b *bench) invoke(rev *lambda.Revision, id, event string, tail bool) execenv.Response {
	b.t.Helper()
	resp, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: id, Payload: []byte(event),
		InvokedARN: rev.Key.ARN(), Version: "$LATEST", LogTail: tail})
	if err != nil {
		b.t.Fatal(err)
	}
	return resp
}

// eventLog is a sink that keeps everything.
type eventLog struct {
	mu     sync.Mutex
	events []telemetry.Event
}

func (l *eventLog) Consume(e telemetry.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *eventLog) all() []telemetry.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]telemetry.Event(nil), l.events...)
}

// text is the log, without what differs from run to run.
func (l *eventLog) text() string {
	var b strings.Builder
	for _, e := range l.all() {
		b.WriteString(telemetry.Text(e))
	}
	return steady(b.String())
}

var (
	number = regexp.MustCompile(`(Duration: )[0-9.]+ ms`)
	moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	sha    = regexp.MustCompile(`[0-9a-f]{64}`)
)

func steady(s string) string {
	s = number.ReplaceAllString(s, "${1}N ms")
	s = moment.ReplaceAllString(s, "TIME")
	return sha.ReplaceAllString(s, "SHA")
}

const (
	initStart  = "INIT_START Runtime Version: provided:al2023.v1\tRuntime Version ARN: arn:aws:lambda:eu-west-1::runtime:SHA\n"
	coldReport = "\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 45 MB\tInit Duration: N ms\t"
	warmReport = "\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 45 MB\t"
)

func invocation(id, lines, report string) string {
	return "START RequestId: " + id + " Version: $LATEST\n" + lines + "END RequestId: " + id + "\nREPORT RequestId: " + id + report + "\n"
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return // cmp takes seconds for megabytes
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s: got -, want +:\n%s", what, diff)
	}
}

func platformBody(kind, message string) string {
	return fmt.Sprintf(`{"errorType":"%s","errorMessage":"%s"}`, kind, message)
}

// Every way in which an invocation ends: what the caller gets, what the log tail says, and whether the runtime lives on.
func TestInvocations(t *testing.T) {
	const exitError = "Runtime.ExitError"
	crash := func(message string) string { return "RequestId: a Error: " + message + "\nRuntime.ExitError\n" }
	status := func(kind string) string { return "Status: error\tError Type: " + kind }
	for _, tc := range []struct {
		handler string
		want    string
		failed  bool
		lines   string // of the function and of the platform
		status  string // at the end of REPORT
		reset   bool
	}{
		{handler: "echo", want: `{"a": 1}`},
		{handler: "pipelined", want: `{"a": 1}`},
		{handler: "raise", want: `{"errorMessage": "nope", "errorType": "ValueError"}`, failed: true},
		{handler: "panic", want: `{"errorMessage":"boom","errorType":"string"}`, failed: true,
			lines: crash("Runtime exited with error: exit status 2"), status: status(exitError), reset: true},
		{handler: "exit0", want: platformBody(exitError, "RequestId: a Error: Runtime exited without providing a reason"), failed: true,
			lines: crash("Runtime exited without providing a reason"), status: status(exitError), reset: true},
		{handler: "exit7", want: platformBody(exitError, "RequestId: a Error: Runtime exited with error: exit status 7"), failed: true,
			lines: "bye\n" + crash("Runtime exited with error: exit status 7"), status: status(exitError), reset: true},
		{handler: "kill", want: platformBody(exitError, "RequestId: a Error: Runtime exited with error: signal: killed"), failed: true,
			lines: crash("Runtime exited with error: signal: killed"), status: status(exitError), reset: true},
		{handler: "segv", want: platformBody(exitError, "RequestId: a Error: Runtime exited with error: signal: segmentation fault"), failed: true,
			lines: crash("Runtime exited with error: signal: segmentation fault"), status: status(exitError), reset: true},
		{handler: "big", want: platformBody("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."),
			failed: true, status: status("Function.ResponseSizeTooLarge")},
		{handler: "big-exit", want: platformBody("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."),
			failed: true, lines: crash("Runtime exited with error: exit status 1"), status: status("Function.ResponseSizeTooLarge"), reset: true},
		{handler: "limit", want: strings.Repeat("x", 6291556)},
		{handler: "respond-exit", want: `{"a": 1}`, lines: crash("Runtime exited with error: exit status 3"), status: status(exitError), reset: true},
		{handler: "respond-dying", want: `{"a": 1}`, lines: crash("Runtime exited with error: exit status 3"), status: status(exitError), reset: true},
		{handler: "print", want: `{"a": 1}`, lines: "one\ntwo\rlines\nthree four\nfive\n"},
	} {
		t.Run(tc.handler, func(t *testing.T) {
			b := newBench(t)
			rev := b.revision(tc.handler)
			got := b.invoke(rev, "a", `{"a": 1}`, true)
			want := execenv.Response{Payload: []byte(tc.want)}
			if tc.failed {
				want.FunctionError = "Unhandled"
			}
			log := invocation("a", tc.lines, coldReport+tc.status)
			check(t, "log tail", steady(string(got.LogTail)), log)
			check(t, "log", b.log.text(), initStart+log)
			got.LogTail = nil
			check(t, "response", got, want)

			// Whatever happened, the environment serves on; after a reset it initialises inside the invocation.
			again := b.invoke(rev, "b", `{"a": 1}`, true)
			want.Payload = []byte(strings.ReplaceAll(tc.want, "RequestId: a", "RequestId: b"))
			log = strings.ReplaceAll(invocation("b", tc.lines, warmReport+tc.status), "RequestId: a", "RequestId: b")
			check(t, "second log tail", steady(string(again.LogTail)), log)
			again.LogTail = nil
			check(t, "second response", again, want)
			check(t, "environments", b.driver.created(), 1)
			inits := 0
			for _, e := range b.log.all() {
				if r, ok := e.Record.(*telemetry.InitReport); ok {
					inits++
					check(t, "init status", r.Status, "success")
				}
			}
			if wantInits := map[bool]int{true: 2, false: 1}[tc.reset]; inits != wantInits {
				t.Errorf("initialised %d times, want %d", inits, wantInits)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	rev.Config.Timeout = 1
	b.invoke(rev, "a", "1", false)
	got := b.invoke(rev, "b", `"sleep"`, true)
	want := invocation("b", "TIME b Task timed out after 1.00 seconds\n",
		"\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\tMemory Size: 128 MB\tMax Memory Used: 45 MB\tStatus: timeout")
	check(t, "log tail", moment.ReplaceAllString(string(got.LogTail), "TIME"), want)
	got.LogTail = nil
	check(t, "response", got, execenv.Response{FunctionError: "Unhandled",
		Payload: []byte(platformBody("Sandbox.Timedout", "RequestId: b Error: Task timed out after 1.00 seconds"))})

	// The process is new and /tmp is not; REPORT has no Init Duration.
	again := b.invoke(rev, "c", "1", true)
	check(t, "next response", string(again.Payload), `{"calls":1,"marker":true}`)
	check(t, "next log tail", steady(string(again.LogTail)), invocation("c", "", warmReport))
	check(t, "environments", b.driver.created(), 1)
}

// The caller has the answer; what the runtime does afterwards is in the log.
func TestTimeoutAfterTheAnswer(t *testing.T) {
	b := newBench(t)
	rev := b.revision("respond-linger")
	rev.Config.Timeout = 1
	got := b.invoke(rev, "a", "1", true)
	check(t, "payload", string(got.Payload), "1")
	check(t, "function error", got.FunctionError, "")
	check(t, "log tail", steady(string(got.LogTail)), invocation("a", "TIME a Task timed out after 1.00 seconds\n", coldReport+"Status: timeout"))
}

func TestOutOfMemory(t *testing.T) {
	b := newBench(t)
	rev := b.revision("kill")
	b.driver.oom.Store(true)
	got := b.invoke(rev, "a", "1", true)
	check(t, "payload", string(got.Payload), platformBody("Runtime.ExitError", "RequestId: a Error: Runtime exited with error: signal: killed"))
	report := "\tDuration: N ms\tBilled Duration: N ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tInit Duration: N ms\tStatus: error\tError Type: Runtime.OutOfMemory"
	check(t, "log tail", steady(string(got.LogTail)), invocation("a", "RequestId: a Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n", report))
}

func TestResetKeepsTmp(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	for i, tc := range []struct{ event, want string }{
		{"1", `{"calls":1,"marker":false}`},
		{"1", `{"calls":2,"marker":true}`},
		{`"exit"`, platformBody("Runtime.ExitError", "RequestId: 2 Error: Runtime exited with error: exit status 1")},
		{"1", `{"calls":1,"marker":true}`},
	} {
		check(t, fmt.Sprint("response ", i), string(b.invoke(rev, fmt.Sprint(i), tc.event, false).Payload), tc.want)
	}
}

func TestInitFailures(t *testing.T) {
	report := func(phase, status string) string {
		return "INIT_REPORT Init Duration: N ms\tPhase: " + phase + "\tStatus: " + status + "\n"
	}
	const importError = "error\tError Type: Runtime.ImportModuleError"
	const exitError = "error\tError Type: Runtime.ExitError"
	for _, tc := range []struct {
		handler string
		want    string
		log     string
	}{
		{"init-error", `{"errorMessage": "no", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			"init is failing\n" + report("init", importError) +
				invocation("a", "init is failing\n"+report("invoke", importError), warmReport+"Status: error\tError Type: Runtime.ImportModuleError")},
		{"init-exit", platformBody("Runtime.ExitError", "RequestId: a Error: Runtime exited with error: exit status 3"),
			report("init", exitError) + invocation("a", report("invoke", exitError)+
				"RequestId: a Error: Runtime exited with error: exit status 3\nRuntime.ExitError\n", warmReport+"Status: error\tError Type: Runtime.ExitError")},
		{"init-slow-once", "1", report("init", "timeout") + invocation("a", "", warmReport)},
		{"init-slow", platformBody("Sandbox.Timedout", "RequestId: a Error: Task timed out after 1.00 seconds"),
			report("init", "timeout") + invocation("a", report("invoke", "timeout")+"TIME a Task timed out after 1.00 seconds\n", warmReport+"Status: timeout")},
		{"init-print", "1", "initialising\n" + invocation("a", "", coldReport)},
	} {
		t.Run(tc.handler, func(t *testing.T) {
			b := newBench(t, func(o *execenv.Options) { o.InitTimeout = 300 * time.Millisecond })
			if strings.HasPrefix(tc.handler, "init-error") || tc.handler == "init-exit" || tc.handler == "init-print" {
				b = newBench(t)
			}
			rev := b.revision(tc.handler)
			if tc.handler == "init-slow" {
				rev.Config.Timeout = 1
			}
			got := b.invoke(rev, "a", "1", true)
			check(t, "payload", string(got.Payload), tc.want)
			check(t, "log", b.log.text(), initStart+tc.log)
			check(t, "environments", b.driver.created(), 1)
		})
	}
}

func TestExitWhileIdleIsNotSeenByTheNextCaller(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	b.invoke(rev, "a", "1", true)
	box := b.driver.last()
	var procs []*plainProcess
	box.mu.Lock()
	for p := range box.procs {
		p.cmd.Process.Kill()
		procs = append(procs, p)
	}
	box.mu.Unlock()
	for _, p := range procs {
		<-p.ended
	}
	got := b.invoke(rev, "b", "1", true)
	check(t, "payload", string(got.Payload), `{"calls":1,"marker":true}`)
	check(t, "log tail", steady(string(got.LogTail)), invocation("b", "", warmReport))
	check(t, "environments", b.driver.created(), 1)
}

func TestSandboxThatEndedWhileIdleIsReplaced(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	b.invoke(rev, "a", "1", true)
	b.driver.last().Close()
	got := b.invoke(rev, "b", "1", true)
	check(t, "payload", string(got.Payload), `{"calls":1,"marker":false}`)
	check(t, "log tail", steady(string(got.LogTail)), invocation("b", "", coldReport))
	check(t, "environments", b.driver.created(), 2)
}

// TestSandboxThatStartsNothing: a function may leave its sandbox's PID 1 unable to start anything. One invocation fails, and
// the next has another sandbox.
func TestSandboxThatStartsNothing(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	b.invoke(rev, "a", `"exit"`, true)
	b.driver.last().refuse(errors.New("the sandbox has ended"))
	got := b.invoke(rev, "b", "1", true)
	check(t, "payload", string(got.Payload), platformBody("Sandbox.Failure", "RequestId: b Error: the sandbox has ended"))
	got = b.invoke(rev, "c", "1", true)
	check(t, "payload", string(got.Payload), `{"calls":1,"marker":false}`)
	check(t, "environments", b.driver.created(), 2)
}

func TestSandboxThatEndsWhileRunning(t *testing.T) {
	b := newBench(t)
	rev := b.revision("gate")
	gate := filepath.Join(t.TempDir(), "gate")
	go func() {
		waitFor(t, gate+".running")
		b.driver.last().die()
	}()
	got := b.invoke(rev, "a", `"`+gate+`"`, true)
	check(t, "payload", string(got.Payload), platformBody("Sandbox.Failure", "RequestId: a Error: The execution environment ended unexpectedly"))
	if !strings.Contains(string(got.LogTail), "Status: failure\tError Type: Sandbox.Failure") {
		t.Errorf("got log tail %q", got.LogTail)
	}
}

// waitFor waits until a file is there.
func waitFor(t testing.TB, name string) {
	deadline := time.Now().Add(30 * time.Second)
	for !exists(name) {
		if time.Now().After(deadline) {
			t.Errorf("%s never came", name)
			return
		}
		time.Sleep(time.Millisecond)
	}
}
