package execenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

// killTimeout bounds the wait for the kernel to let processes go. It is never reached on a healthy machine.
const killTimeout = 30 * time.Second

// environment is one execution environment. Its owner alone uses it, but for publish.
type environment struct {
	pool   *Pool
	fleet  *fleet
	rev    *lambda.Revision
	source *telemetry.Source
	id     string

	runtime *runtimes.Runtime
	code    *layerstore.Lower
	layers  []*layerstore.Lower // in the order of the function's list
	box     sandbox.Sandbox
	api     *runtimeapi.Server
	env     []string
	process *process // the runtime, nil when none was started or the last one was killed
	warm    bool     // the runtime has initialised

	spare    *spare // whose process the first Init phase takes over
	sparable bool   // a spare would have done
	fresh    bool   // the sandbox was made for the invocation that runs

	keysExpire time.Time // of the function's credentials; zero: never

	peak peak // of its memory

	initDuration time.Duration // of an Init phase that no invocation has reported yet

	first bool // it was initialised ahead, and has its first invocation

	// The pool's mu guards these.
	busy      bool // it has an invocation
	ahead     bool // it was initialised ahead and has had none
	ending    bool
	idleFrom  time.Time
	idleAlarm alarm // ends it
	// freezeAlarm stops it some time before.
	freezeAlarm alarm
	frozen      bool // and its owner's, once it was taken

	// publishing guards what follows and keeps events in order: the readers of output publish too.
	publishing sync.Mutex
	requestID  string // of the invocation that runs
	tail       *tail
}

func newEnvironment(p *Pool, f *fleet, rev *lambda.Revision, version string) *environment {
	id := newID()
	return &environment{pool: p, fleet: f, rev: rev, id: id, source: newSource(rev, version, id, p.o.Now())}
}

func newID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// newSource names the environment's log stream as AWS does. A log group that functions share tells them apart.
func newSource(rev *lambda.Revision, version, id string, now time.Time) *telemetry.Source {
	name, own := string(rev.Key.Name), "/aws/lambda/"+string(rev.Key.Name)
	group := rev.Config.Logging.LogGroup
	if group == "" || group == own {
		group, name = own, ""
	}
	return &telemetry.Source{
		Revision:  rev,
		Version:   version,
		LogGroup:  group,
		LogStream: fmt.Sprintf("%s/%s[%s]%s", now.UTC().Format("2006/01/02"), name, version, id),
	}
}

// publish sends an event of this environment to the bus and to the log tail of the invocation that runs.
func (e *environment) publish(t telemetry.Type, record any) {
	event := telemetry.Event{Time: e.pool.o.Now(), Type: t, Source: e.source, Record: record}
	e.publishing.Lock()
	defer e.publishing.Unlock()
	event.RequestID = e.requestID
	if e.tail != nil {
		e.tail.Consume(event)
	}
	e.pool.o.Bus.Publish(event)
}

// beginLog makes events those of an invocation, and keeps their lines when somebody wants the tail.
func (e *environment) beginLog(requestID string, keep bool) {
	e.publishing.Lock()
	defer e.publishing.Unlock()
	e.requestID = requestID
	if keep {
		e.tail = &tail{whole: telemetry.InJSON(e.source)}
	}
}

// endLog gives the tail that was kept.
func (e *environment) endLog() []byte {
	e.publishing.Lock()
	defer e.publishing.Unlock()
	t := e.tail
	e.requestID, e.tail = "", nil
	if t == nil {
		return nil
	}
	return t.bytes()
}

func (e *environment) publishLine(line string) { e.publish(telemetry.TypeFunction, line) }

// alive reports whether there is a sandbox that can still be used.
func (e *environment) alive() bool {
	if e.box == nil {
		return false
	}
	select {
	case <-e.box.Done():
		return false
	default:
		return true
	}
}

// reset kills every process, keeps /tmp, and makes the next invocation initialise again. What was printed until then is
// published.
func (e *environment) reset() {
	e.warm = false
	if e.process != nil {
		ctx, cancel := context.WithTimeout(context.Background(), killTimeout)
		defer cancel()
		if err := e.box.KillAll(ctx); err != nil && e.alive() {
			e.pool.o.Log.Error("cannot reset an execution environment", "id", e.id, "error", err)
			e.closeBox()
		}
	}
	if e.process != nil {
		e.process.end()
		e.process = nil
	}
	e.api.Reset()
}

// close ends the environment. There are no extensions, so nothing is asked to stop first: AWS kills the runtime too.
func (e *environment) close() {
	e.closeBox()
	if e.spare != nil { // it was adopted, and never told
		e.spare.pipe.Close()
		e.process, e.spare = e.spare.process, nil
	}
	if e.process != nil {
		e.process.end()
	}
	if e.api != nil {
		if err := e.api.Close(); err != nil {
			e.pool.o.Log.Warn("cannot close a runtime API", "id", e.id, "error", err)
		}
	}
	for _, l := range append(e.layers, e.code) {
		if l != nil {
			l.Release()
		}
	}
	if e.runtime != nil && e.runtime.Release != nil {
		e.runtime.Release()
	}
}

func (e *environment) closeBox() {
	if e.box == nil {
		return
	}
	if err := e.box.Close(); err != nil && !errors.Is(err, context.Canceled) {
		e.pool.o.Log.Error("cannot close a sandbox", "id", e.id, "error", err)
	}
	e.pool.forget(e.box)
}
