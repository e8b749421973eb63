package execenv_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// held is an invocation that runs until it is let go.
type held struct {
	gate string
	done chan execenv.Response
}

func (b *bench) hold(rev *lambda.Revision, id string) *held {
	b.t.Helper()
	h := &held{gate: filepath.Join(b.t.TempDir(), "gate"), done: make(chan execenv.Response, 1)}
	event, _ := json.Marshal(h.gate)
	go func() {
		resp, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: id, Payload: event, LogTail: true})
		if err != nil {
			b.t.Error(err)
		}
		h.done <- resp
	}()
	waitFor(b.t, h.gate+".running")
	return h
}

func (h *held) letGo() execenv.Response {
	_ = os.WriteFile(h.gate, nil, 0o600)
	return <-h.done
}

// starts gives the log stream of each invocation that began.
func (b *bench) starts() map[string]string {
	streams := map[string]string{}
	for _, e := range b.log.all() {
		if s, ok := e.Record.(*telemetry.Start); ok {
			streams[s.RequestID] = e.Source.LogStream
		}
	}
	return streams
}

// ended receives the ID of a sandbox that was closed.
func (b *bench) ended() string {
	b.t.Helper()
	select {
	case id := <-b.driver.ended:
		return id
	case <-time.After(30 * time.Second):
		b.t.Fatal("no sandbox was closed")
		return ""
	}
}

// Invocations at the same time have environments of their own; afterwards the last used one comes first.
func TestConcurrentInvocations(t *testing.T) {
	b := newBench(t)
	rev := b.revision("gate")
	var all []*held
	for i := range 4 {
		all = append(all, b.hold(rev, fmt.Sprint(i)))
	}
	check(t, "environments", b.driver.created(), 4)
	for _, i := range []int{1, 3, 0, 2} {
		all[i].letGo()
	}
	open, _ := json.Marshal(all[0].gate)
	for i := range 3 {
		b.invoke(rev, fmt.Sprint("again-", i), string(open), true)
	}
	check(t, "environments", b.driver.created(), 4)
	streams := b.starts()
	for i := range 3 {
		check(t, fmt.Sprint("environment of invocation ", i), streams[fmt.Sprint("again-", i)], streams["2"])
	}
}

// A client that has its answer comes back sooner than the runtime: it gets the same environment, and not a second one (but
// where this machine is so busy that a runtime needs longer to come back than a new one may take to start).
func TestClosedLoopUsesOneEnvironment(t *testing.T) {
	b := newBench(t)
	rev := b.revision("echo")
	for i := range 300 {
		b.invoke(rev, fmt.Sprint(i), "1", false)
	}
	if n := b.driver.created(); n > 5 {
		t.Errorf("%d environments were made", n)
	}
}

func TestRevisionsDoNotShareEnvironments(t *testing.T) {
	b := newBench(t)
	first, second := b.revision("state"), b.revision("state")
	b.invoke(first, "a", "1", true)
	check(t, "payload", string(b.invoke(second, "b", "1", true).Payload), `{"calls":1,"marker":false}`)
	check(t, "payload", string(b.invoke(first, "c", "1", true).Payload), `{"calls":2,"marker":true}`)
}

func TestRetire(t *testing.T) {
	b := newBench(t)
	old := b.revision("gate")
	busy, idle := b.hold(old, "busy"), b.hold(old, "idle")
	idle.letGo()
	b.pool.Retire(old.FunctionID, old.Number+1)
	idleID := b.ended()
	select {
	case id := <-b.driver.ended:
		t.Errorf("busy environment %s was ended", id)
	default:
	}
	got := busy.letGo()
	check(t, "function error", got.FunctionError, "")
	if busyID := b.ended(); busyID == idleID {
		t.Errorf("%s ended twice", busyID)
	}
}

func TestRetireKeepsTheNewest(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	b.invoke(rev, "a", "1", true)
	b.pool.Retire(rev.FunctionID, rev.Number)
	b.pool.Retire("another function", 7)
	check(t, "payload", string(b.invoke(rev, "b", "1", true).Payload), `{"calls":2,"marker":true}`)
}

func TestIdleEnd(t *testing.T) {
	b := newBench(t, func(o *execenv.Options) { o.IdleTimeout = 30 * time.Millisecond })
	rev := b.revision("echo")
	b.invoke(rev, "a", "1", true)
	check(t, "ended", b.ended(), b.driver.last().spec.ID)
	b.invoke(rev, "b", "1", true)
	check(t, "environments", b.driver.created(), 2)
}

func TestCloseLetsInvocationsEnd(t *testing.T) {
	b := newBench(t)
	rev := b.revision("gate")
	h := b.hold(rev, "a")
	closed := make(chan error)
	go func() { closed <- b.pool.Close(context.Background()) }()
	// From some moment on nothing new begins.
	for {
		_, err := b.pool.Invoke(context.Background(), b.revision("echo"), execenv.Invocation{RequestID: "b", Payload: []byte("1")})
		if err != nil {
			break
		}
	}
	check(t, "function error", h.letGo().FunctionError, "")
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestLongest: who waits for the invocations that run knows how long that can take.
func TestLongest(t *testing.T) {
	b := newBench(t)
	check(t, "nothing runs", b.pool.Longest(), time.Duration(0))
	short, long := b.revision("gate"), b.revision("gate")
	long.Config.Timeout = 900
	first, second := b.hold(short, "first"), b.hold(long, "second")
	check(t, "both run", b.pool.Longest(), 910*time.Second)
	second.letGo()
	check(t, "the shorter one runs", b.pool.Longest(), 40*time.Second)
	first.letGo()
	check(t, "nothing runs any more", b.pool.Longest(), time.Duration(0))
}

func TestCloseKillsWhenItsTimeIsOver(t *testing.T) {
	b := newBench(t)
	h := b.hold(b.revision("gate"), "a")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.pool.Close(ctx); err == nil {
		t.Error("nothing was said of the invocation that was killed")
	}
	got := <-h.done
	check(t, "payload", string(got.Payload), platformBody("Sandbox.Failure", "RequestId: a Error: The execution environment ended unexpectedly"))
}

func TestManyAtOnceOfManyFunctions(t *testing.T) {
	b := newBench(t)
	var revs []*lambda.Revision
	for i := range 3 {
		rev := b.revision("echo")
		rev.FunctionID = fmt.Sprint("function-", i)
		revs = append(revs, rev)
	}
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			for j := range 20 {
				event := fmt.Sprintf(`"%d-%d"`, i, j)
				if got := b.invoke(revs[(i+j)%3], event, event, j%2 == 0); string(got.Payload) != event {
					t.Errorf("got %s, want %s", got.Payload, event)
				}
			}
		})
	}
	wg.Wait()
}

func TestUnknownRuntime(t *testing.T) {
	b := newBench(t)
	rev := b.revision("x")
	rev.Config.Runtime = "java21"
	_, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: "a"})
	check(t, "kind", lambda.KindOf(err), lambda.BadRuntime)
	check(t, "environments", b.driver.created(), 0)
}

func TestZipThatIsGone(t *testing.T) {
	b := newBench(t)
	rev := b.revision("x")
	rev.Code.Digest[0]++
	rev.Code.TreeKey[0]++
	if resp, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: "a"}); err == nil {
		t.Errorf("got %+v", resp)
	}
	check(t, "environments", b.driver.created(), 0)
}
