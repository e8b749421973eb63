package execenv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/telemetry"
)

const initOnDemand = "on-demand"

// drainTime bounds the wait for the last words of a runtime that has exited.
const drainTime = 100 * time.Millisecond

// initialise starts the runtime and waits until it asks for its first event. When it does not, everything is killed, and
// the environment is as good as new but for its /tmp. A phase that ctx has ended was nobody's, and is not reported.
func (e *environment) initialise(ctx context.Context, phase string, timer *time.Timer, limit time.Duration) *fault {
	began := time.Now()
	e.publishInitStart(phase)
	f := e.start(ctx)
	if f == nil {
		f = e.awaitInit(timer, limit)
	}
	took := time.Since(began)
	if phase == telemetry.PhaseInit {
		e.limitCPU()
	}
	status, errorType := telemetry.StatusSuccess, ""
	if f != nil {
		status, errorType = f.status(), f.errorType()
		e.reset()
		if f.posted != nil && phase == telemetry.PhaseInvoke { // an Init phase that failed is followed by one of these
			e.hint(f.posted)
		}
		if ctx.Err() != nil {
			return f
		}
	} else {
		e.process.flush(false)
		e.warm = true
		if phase == telemetry.PhaseInit {
			e.initDuration = took
		}
	}
	e.publish(telemetry.TypeInitRuntimeDone, &telemetry.InitRuntimeDone{
		InitializationType: initOnDemand, Phase: phase, Status: status, ErrorType: errorType})
	e.publish(telemetry.TypeInitReport, &telemetry.InitReport{
		InitializationType: initOnDemand, Phase: phase, Status: status, ErrorType: errorType,
		Metrics: telemetry.Metrics{DurationMs: milliseconds(took)}})
	return f
}

func (e *environment) awaitInit(timer *time.Timer, limit time.Duration) *fault {
	f := e.await(timer, limit, func(st runtimeapi.Status) bool {
		return st.State == runtimeapi.Ready || st.InitError != nil
	})
	if f != nil {
		return f
	}
	if a := e.api.Status().InitError; a != nil {
		return postedFault(a)
	}
	return nil
}

// await watches the runtime until done has seen what it waits for, or the phase has failed. What the runtime said before
// it ended counts first.
func (e *environment) await(timer *time.Timer, limit time.Duration, done func(runtimeapi.Status) bool) *fault {
	for !done(e.api.Status()) {
		var f *fault
		select {
		case <-e.api.Changed():
			continue
		case <-e.process.exited:
			e.api.Drain(drainTime)
			f = e.exitFault()
		case <-e.box.Done():
			f = e.exitFault()
		case <-timer.C:
			f = timeoutFault(limit)
		}
		if done(e.api.Status()) {
			return nil
		}
		return f
	}
	return nil
}

// exitFault says why there is no runtime any more.
func (e *environment) exitFault() *fault {
	usage := e.box.Usage()
	if !usage.OOMKilled && (!e.alive() || e.process.err != nil || e.pool.isKilled()) {
		return sandboxFault("The execution environment ended unexpectedly")
	}
	return exitFault(e.process.exit, usage)
}

func (e *environment) publishInitStart(phase string) {
	version := runtimeVersion(e.runtime.Name.Family(), e.runtime.Name.Version(), e.runtime.Version)
	sum := sha256.Sum256([]byte(version))
	e.publish(telemetry.TypeInitStart, &telemetry.InitStart{
		InitializationType: initOnDemand,
		Phase:              phase,
		FunctionName:       string(e.rev.Key.Name),
		FunctionVersion:    e.source.Version,
		InstanceID:         e.source.LogStream,
		InstanceMaxMemory:  int64(e.rev.Config.MemorySize) << 20,
		RuntimeVersion:     version,
		RuntimeVersionARN:  fmt.Sprintf("arn:%s:lambda:%s::runtime:%s", e.rev.Key.Partition, e.rev.Key.Region, hex.EncodeToString(sum[:])),
	})
	if phase != telemetry.PhaseInit {
		return
	}
	if ext := e.extensions(); len(ext) > 0 {
		e.publish(telemetry.TypeFault, fmt.Sprintf(
			"lamina: extensions are not built yet, so these were not started: %s\n", strings.Join(ext, " ")))
	}
}

// runtimeVersion is AWS's form of a runtime's version, with the interpreter's patch level in the place of AWS's build:
// "python:3.12.v1".
func runtimeVersion(family, version, interpreter string) string {
	build := interpreter[strings.LastIndex(interpreter, ".")+1:]
	if build == "" {
		build = "1"
	}
	return family + ":" + strings.TrimSuffix(version, ".x") + ".v" + build
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
