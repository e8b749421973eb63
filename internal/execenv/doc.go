// Package execenv runs functions in execution environments: it starts them, hands them invocations, resets them after a
// fault, keeps them warm, and ends them when they were idle for long or their revision is not wanted any more.
//
// An environment belongs to one revision of one function and handles one invocation at a time. It is a state machine owned
// by one goroutine: the one whose invocation it handles, then the one that waits for the end of that invocation, and the
// Pool while it is idle (which then needs no goroutine).
//
//	new ──Create──▶ init ──first GET next──▶ warm ──invoke──▶ running ──answer──▶ ending ──GET next──▶ warm (idle)
//	                 │ error, exit, 10 s                       │ exit, timeout, OOM  │ exit, timeout      │
//	                 ▼                                         ▼                     ▼                    │
//	               reset: every process killed, /tmp kept ◀────┴─────────────────────┘                    │
//	                 └──the next invocation initialises again, inside itself ("suppressed init")──▶ running
//	                                                                                                      ▼
//	              closed ◀──idle for long, retired, pool closed, or the sandbox ended by itself── any state
//
// The caller has its answer when the runtime posts it; the invocation ends when the runtime asks for the next event, and
// only then are END and REPORT published and is the environment free. A caller that wants the log tail waits for that end.
//
// Whatever happens is published to the telemetry bus, and the log tail is made of those events alone.
package execenv
