package execenv

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/sandbox"
)

// handOver is how long an invocation waits for an environment that has given its answer already and only has to ask for
// its next event: the client of that answer is often faster than the runtime. A busy environment is never waited for.
const handOver = 50 * time.Millisecond

var errClosed = errors.New("the server is shutting down")

// Pool holds the execution environments of this process. Its methods may be called at the same time.
type Pool struct {
	o      Options
	spares *spares
	starts struct{ plain, spare, ahead atomic.Int64 }
	work   sync.WaitGroup // invocations until their end, and ends of environments

	mu     sync.Mutex // guards what follows
	closed bool
	killed bool // Close has run out of patience
	ahead  int  // environments that were initialised ahead and not used yet
	fleets map[fleetKey]*fleet
	boxes  map[sandbox.Sandbox]struct{} // every sandbox that is alive
}

// fleetKey names the environments that can stand in for one another.
type fleetKey struct {
	functionID string
	revision   int64
	version    string
}

// fleet is the environments of one revision. The pool's mu guards it.
type fleet struct {
	key     fleetKey
	retired bool
	timeout time.Duration                       // of the function
	live    int                                 // environments that are not closed
	busy    int                                 // environments that an invocation has, those that are ending among them
	ahead   int                                 // environments that were initialised ahead and not used yet
	idle    []*environment                      // the last used one last
	ending  int                                 // environments that have answered and are about to be idle
	begun   map[*environment]context.CancelFunc // ends those that are being initialised ahead
	waiting []chan *environment

	failsAhead bool // an Init phase without an invocation has failed
}

// New makes an empty pool.
func New(o Options) *Pool {
	p := &Pool{o: o.withDefaults(), fleets: map[fleetKey]*fleet{}, boxes: map[sandbox.Sandbox]struct{}{}}
	p.spares = newSpares(p, o.Spares)
	return p
}

// Starts counts how invocations came to new environments: with a runtime of their own, with one that had booted ahead, or
// initialised ahead as a whole.
type Starts struct{ Plain, Spare, Ahead int64 }

// Starts gives the numbers since New.
func (p *Pool) Starts() Starts {
	return Starts{p.starts.plain.Load(), p.starts.spare.Load(), p.starts.ahead.Load()}
}

// Longest is how long the invocations that run now may still take: an Init phase, and their function's timeout.
func (p *Pool) Longest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	longest := time.Duration(0)
	for _, f := range p.fleets {
		if f.busy > 0 {
			longest = max(longest, p.o.InitTimeout+f.timeout)
		}
	}
	return longest
}

// Invoke runs one invocation of a revision in an environment that waits for one, the last used first, or in a new one. A
// function that fails is a Response; an error means that the platform could not run it, and has kind BadRuntime or BadZip
// when that is the function's doing. Once the function has the event, a cancelled ctx does not stop it.
func (p *Pool) Invoke(ctx context.Context, rev *lambda.Revision, inv Invocation) (Response, error) {
	if inv.Version == "" {
		inv.Version = string(lambda.VersionLatest)
	}
	for {
		e, err := p.take(ctx, rev, inv.Version)
		if err != nil {
			return Response{}, err
		}
		if e.box == nil || e.alive() && !e.outdated(ctx) && e.thaw() {
			return e.invoke(ctx, inv)
		}
		p.discard(e) // its sandbox ended while it was idle, or would be made another way now
	}
}

// Retire ends the environments of a function's $LATEST at other revisions: now those that are idle or are being initialised
// ahead, the others after their invocation. Published versions keep theirs, unless keep is 0: then the function is gone, and with it everything.
func (p *Pool) Retire(functionID string, keep int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, f := range p.fleets {
		if key.functionID != functionID || key.revision == keep || keep != 0 && key.version != string(lambda.VersionLatest) {
			continue
		}
		f.retired = true
		p.endUnused(f)
	}
}

// endUnused ends the environments of a fleet that no invocation has. The caller holds mu.
func (p *Pool) endUnused(f *fleet) {
	for _, e := range f.idle {
		p.endIdle(e)
	}
	f.idle = nil
	for _, end := range f.begun {
		end()
	}
}

// Close refuses new invocations, lets the running ones end for as long as ctx lasts, and then kills what still runs, which
// is an error. When it returns nothing of the pool is left.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true
	for _, f := range p.fleets {
		p.endUnused(f)
	}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		p.spares.close()
		p.work.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	p.kill()
	<-done
	return errors.New("invocations were still running and were killed")
}

// kill ends every sandbox, and with it whatever waits for one.
func (p *Pool) kill() {
	p.mu.Lock()
	p.killed = true
	boxes := make([]sandbox.Sandbox, 0, len(p.boxes))
	for b := range p.boxes {
		boxes = append(boxes, b)
	}
	p.mu.Unlock()
	var ends sync.WaitGroup
	for _, b := range boxes {
		ends.Go(func() {
			if err := b.Close(); err != nil {
				p.o.Log.Error("cannot close a sandbox", "error", err)
			}
		})
	}
	ends.Wait()
}

// take gives an environment of the revision to its caller, who owns it until put or discard.
func (p *Pool) take(ctx context.Context, rev *lambda.Revision, version string) (*environment, error) {
	key := fleetKey{rev.FunctionID, rev.Number, version}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	p.work.Add(1)
	f := p.fleet(key)
	if n := len(f.idle); n > 0 {
		e := f.idle[n-1]
		f.idle = f.idle[:n-1]
		p.taken(e)
		return e, nil
	}
	if f.ending > len(f.waiting) {
		if e := p.await(ctx, f); e != nil {
			p.taken(e)
			return e, nil
		}
		f = p.fleet(key) // mu was free meanwhile
	}
	f.live++
	f.timeout = time.Duration(rev.Config.Timeout) * time.Second
	e := newEnvironment(p, f, rev, version)
	p.taken(e)
	return e, nil
}

// taken notes that an environment has an invocation. The caller holds mu.
func (p *Pool) taken(e *environment) {
	e.busy = true
	e.fleet.busy++
	if e.ahead {
		p.useAhead(e)
		e.first = true
		p.starts.ahead.Add(1)
	}
}

// await waits a moment for an environment that is about to be idle. It is called with mu and returns with it.
func (p *Pool) await(ctx context.Context, f *fleet) *environment {
	w := make(chan *environment, 1)
	f.waiting = append(f.waiting, w)
	p.mu.Unlock()
	timer := time.NewTimer(handOver)
	defer timer.Stop()
	select {
	case e := <-w:
		p.mu.Lock()
		return e
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	if i := slices.Index(f.waiting, w); i >= 0 {
		f.waiting = slices.Delete(f.waiting, i, i+1)
		return nil
	}
	return <-w // it came at the last moment
}

// answered notes that the environment has given its answer and will soon be put or discarded.
func (p *Pool) answered(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.ending = true
	e.fleet.ending++
}

// put takes an environment back whose invocation has ended.
func (p *Pool) put(e *environment) {
	defer p.work.Done()
	p.mu.Lock()
	p.ended(e)
	f := e.fleet
	if p.closed || f.retired {
		f.letDown()
		p.mu.Unlock()
		p.end(e)
		return
	}
	defer p.mu.Unlock()
	if len(f.waiting) > 0 {
		f.nextWaiting() <- e
		return
	}
	e.idleFrom = time.Now()
	f.addIdle(e)
	p.startIdleAlarm(e)
	p.startFreezeAlarm(e)
}

// discard closes an environment that cannot be used again.
func (p *Pool) discard(e *environment) {
	defer p.work.Done()
	p.mu.Lock()
	p.ended(e)
	e.fleet.letDown()
	p.mu.Unlock()
	p.end(e)
}

// ended takes the environment off those that have an invocation and those that are ending. The caller holds mu.
func (p *Pool) ended(e *environment) {
	f := e.fleet
	if e.busy {
		e.busy = false
		f.busy--
	}
	if e.ending {
		e.ending = false
		f.ending--
	}
}

// nextWaiting is where the invocation that waits longest gets its environment. The caller holds mu.
func (f *fleet) nextWaiting() chan<- *environment {
	w := f.waiting[0]
	f.waiting = slices.Delete(f.waiting, 0, 1)
	return w
}

// letDown tells an invocation that it waits in vain, when more wait than environments are ending. The caller holds mu.
func (f *fleet) letDown() {
	if len(f.waiting) > f.ending {
		f.nextWaiting() <- nil
	}
}

// startIdleAlarm ends the environment when nobody takes it in time.
func (p *Pool) startIdleAlarm(e *environment) {
	if !e.idleAlarm.set {
		e.idleAlarm.start(p.o.IdleTimeout, func() { p.expire(e) })
	}
}

// expire ends an environment whose idle time is over, unless it was taken at the last moment.
func (p *Pool) expire(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !e.idleAlarm.rang(e, p.o.IdleTimeout, func() { p.expire(e) }) {
		return
	}
	f := e.fleet
	f.idle = slices.DeleteFunc(f.idle, func(o *environment) bool { return o == e })
	p.endIdle(e)
}

// endIdle closes an environment that was taken out of the idle ones, in the background. The caller holds mu.
func (p *Pool) endIdle(e *environment) {
	p.work.Go(func() { p.end(e) })
}

// end closes an environment and forgets it.
func (p *Pool) end(e *environment) {
	e.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	e.stopAlarms()
	f := e.fleet
	p.useAhead(e)
	f.live--
	if f.live == 0 && p.fleets[f.key] == f {
		delete(p.fleets, f.key)
	}
}

func (p *Pool) fleet(k fleetKey) *fleet {
	f := p.fleets[k]
	if f == nil {
		f = &fleet{key: k}
		p.fleets[k] = f
	}
	return f
}

// adopt notes a sandbox so that Close can kill it; it refuses when Close already has.
func (p *Pool) adopt(b sandbox.Sandbox) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed {
		return false
	}
	p.boxes[b] = struct{}{}
	return true
}

// isKilled reports whether Close has killed what ran.
func (p *Pool) isKilled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

func (p *Pool) forget(b sandbox.Sandbox) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.boxes, b)
}
