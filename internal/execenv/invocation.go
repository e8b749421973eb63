package execenv

import (
	"context"
	"math"
	"time"

	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/telemetry"
)

const unhandled = "Unhandled"

// maxAnswer is the longest payload that Answer gets: sockets hold it, so that a slow caller does not keep the environment.
const maxAnswer = 64 << 10

// run is one invocation in its environment.
type run struct {
	e       *environment
	inv     Invocation
	limit   time.Duration // the function's timeout
	began   time.Time
	timer   *time.Timer
	init    time.Duration      // of the Init phase that this invocation reports; 0: none
	answer  *runtimeapi.Answer // what the runtime posted
	fault   *fault             // what ended the invocation, or the environment after the answer
	elapsed time.Duration
	waits   bool // the runtime has asked for its next event, at elapsed
}

// invoke runs one invocation; the caller owns the environment, and gives it away here.
func (e *environment) invoke(ctx context.Context, inv Invocation) (Response, error) {
	if err := e.prepare(ctx); err != nil {
		e.pool.discard(e)
		return Response{}, err
	}
	if e.fresh || e.first {
		e.first = false
		e.pool.wantAhead(e)
	}
	r := &run{e: e, inv: inv, limit: time.Duration(e.rev.Config.Timeout) * time.Second, init: e.initDuration}
	e.initDuration = 0
	r.start(ctx)
	if e.fresh && e.sparable {
		e.pool.spares.want(e.spareKey())
	}
	e.fresh = false
	resp := r.response()
	if inv.LogTail {
		resp.LogTail = r.end()
		return resp, nil
	}
	e.pool.answered(e)
	if inv.Answer == nil || len(resp.Payload) > maxAnswer {
		go r.end() // the pool's work counts it
		return resp, nil
	}
	defer r.settle()
	r.waits = r.readyNow()
	inv.Answer(resp)
	return resp, nil
}

// settle ends an invocation that has been answered: here when that takes no time, else in the background.
func (r *run) settle() {
	if r.fault == nil && !r.answer.Failed && (r.waits || r.readyNow()) {
		r.end()
		return
	}
	go r.end() // the pool's work counts it
}

// readyNow reports whether the runtime has asked for its next event already.
func (r *run) readyNow() bool {
	return r.fault == nil && r.e.api.Status().State == runtimeapi.Ready
}

// prepare brings the environment to where it can be invoked. A failed Init phase is no error: the invocation initialises
// again. Neither is a runtime that ended while it was idle.
func (e *environment) prepare(ctx context.Context) error {
	if e.box == nil {
		if err := e.create(ctx); err != nil {
			return err
		}
		e.fresh = true
		e.noteStart()
		timer := time.NewTimer(e.pool.o.InitTimeout)
		defer timer.Stop()
		e.initialise(context.WithoutCancel(ctx), telemetry.PhaseInit, timer, e.pool.o.InitTimeout)
		return nil
	}
	if e.process != nil {
		select {
		case <-e.process.exited:
			e.reset()
		default:
		}
	}
	return nil
}

// noteStart counts the start, and says in the log how it was made.
func (e *environment) noteStart() {
	path := "plain"
	if e.spare != nil {
		path = "spare"
		e.pool.starts.spare.Add(1)
	} else {
		e.pool.starts.plain.Add(1)
	}
	e.pool.o.Log.Debug("an execution environment was made", "function", e.rev.Key.Name, "id", e.id, "path", path)
}

// start publishes START, hands the event over, and returns when the caller's answer is known.
func (r *run) start(ctx context.Context) {
	e := r.e
	e.beginLog(r.inv.RequestID, r.inv.LogTail)
	r.began = time.Now()
	r.timer = time.NewTimer(r.limit)
	deadline := e.pool.o.Now().Add(r.limit)
	e.publish(telemetry.TypeStart, &telemetry.Start{RequestID: r.inv.RequestID, Version: r.inv.Version})
	if !e.warm {
		r.fault = e.initialise(context.WithoutCancel(ctx), telemetry.PhaseInvoke, r.timer, r.limit)
	}
	if r.fault == nil {
		r.hand(deadline)
	}
	// The runtime may have died, unseen, before it could know of this invocation: that is not the invocation's fault.
	if r.fault != nil && e.process != nil && e.alive() && e.process.err == nil && e.diedBefore(r.began) {
		e.reset()
		if r.fault = e.initialise(context.WithoutCancel(ctx), telemetry.PhaseInvoke, r.timer, r.limit); r.fault == nil {
			r.hand(deadline)
		}
	}
	r.elapsed = time.Since(r.began)
}

// diedBefore reports whether the runtime ended before a moment.
func (e *environment) diedBefore(t time.Time) bool {
	select {
	case <-e.process.exited:
		return !e.process.exit.Time.IsZero() && e.process.exit.Time.Before(t)
	default:
		return false
	}
}

// hand gives the event to the runtime and waits for its answer.
func (r *run) hand(deadline time.Time) {
	r.e.api.Invoke(&runtimeapi.Invocation{
		RequestID:     r.inv.RequestID,
		Deadline:      deadline,
		FunctionARN:   r.inv.InvokedARN,
		TraceID:       r.inv.TraceID,
		ClientContext: r.inv.ClientContext,
		Payload:       r.inv.Payload,
	})
	r.fault = r.e.await(r.timer, r.limit, func(st runtimeapi.Status) bool {
		r.answer = st.Answer
		return st.Answer != nil
	})
}

// response is what the caller gets.
func (r *run) response() Response {
	switch {
	case r.answer == nil:
		return Response{Payload: r.fault.payload(r.inv.RequestID), FunctionError: unhandled}
	case r.answer.Fault != "":
		return Response{Payload: refusedAnswer(r.answer.Fault, r.inv.RequestID), FunctionError: unhandled}
	case r.answer.Failed:
		return Response{Payload: r.answer.Body, FunctionError: unhandled}
	}
	return Response{Payload: r.answer.Body}
}

// end waits until the runtime asks for its next event, publishes how the invocation ended, and gives the environment back
// to the pool. It returns the log tail.
func (r *run) end() []byte {
	e := r.e
	if r.fault == nil && !r.waits {
		r.fault = e.await(r.timer, r.limit, func(st runtimeapi.Status) bool { return st.State == runtimeapi.Ready })
		r.elapsed = time.Since(r.began)
	}
	r.timer.Stop()
	if r.fault != nil {
		if r.fault.timeout {
			r.elapsed = r.limit
		}
		e.reset()
	} else {
		e.process.flush(true)
	}
	if r.answer != nil && r.answer.Failed {
		e.hint(r.answer.Body)
	}
	r.publishEnd()
	log := e.endLog()
	e.api.Forget()
	if e.alive() && !r.fault.ofSandbox() {
		e.pool.put(e)
	} else {
		e.pool.discard(e)
	}
	return log
}

func (r *run) publishEnd() {
	e, id := r.e, r.inv.RequestID
	if r.fault != nil {
		if line := r.fault.line(id, e.pool.o.Now()); line != "" {
			e.publish(telemetry.TypeFault, line)
		}
	}
	status, errorType := r.outcome()
	produced := int64(0)
	if r.answer != nil {
		produced = int64(len(r.answer.Body))
	}
	e.publish(telemetry.TypeRuntimeDone, &telemetry.RuntimeDone{RequestID: id, Status: status, ErrorType: errorType,
		Metrics: &telemetry.RuntimeDoneMetrics{DurationMs: milliseconds(r.elapsed), ProducedBytes: produced}})
	e.publish(telemetry.TypeEnd, &telemetry.End{RequestID: id})
	e.publish(telemetry.TypeReport, &telemetry.Report{RequestID: id, Status: status, ErrorType: errorType, Metrics: r.metrics()})
}

// outcome is the status and the error type that events carry: of the first fatal error, else of what the runtime posted.
func (r *run) outcome() (status, errorType string) {
	switch {
	case r.answer != nil && r.answer.Fault != "":
		return telemetry.StatusError, r.answer.Fault
	case r.fault != nil:
		return r.fault.status(), r.fault.errorType()
	case r.answer.Failed:
		return telemetry.StatusError, r.answer.ErrorType
	}
	return telemetry.StatusSuccess, ""
}

func (r *run) metrics() telemetry.ReportMetrics {
	size := int64(r.e.rev.Config.MemorySize)
	used := min((r.peak()+1<<20-1)>>20, size)
	if r.fault != nil && r.fault.oom {
		used = size
	}
	m := telemetry.ReportMetrics{
		DurationMs:       milliseconds(r.elapsed),
		BilledDurationMs: int64(math.Ceil(milliseconds(r.elapsed + r.init))),
		MemorySizeMB:     size,
		MaxMemoryUsedMB:  used,
	}
	if r.init > 0 {
		init := milliseconds(r.init)
		m.InitDurationMs = &init
	}
	return m
}
