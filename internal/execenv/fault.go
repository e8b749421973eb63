package execenv

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/telemetry"
)

// AWS's types of errors that the platform itself reports.
const (
	errExit       = "Runtime.ExitError"
	errOOM        = "Runtime.OutOfMemory"
	errTimeout    = "Sandbox.Timedout"
	errFailure    = "Sandbox.Failure"
	errEntrypoint = "Runtime.InvalidEntrypoint"
)

// fault is why a phase failed: the first fatal error of it.
type fault struct {
	kind      string // for the caller
	message   string // what follows "Error: "
	telemetry string // the type in events, when it is another than kind
	posted    []byte // what the runtime posted to init/error; it goes to the caller as it is
	timeout   bool
	oom       bool
}

func entrypointFault(message string) *fault { return &fault{kind: errEntrypoint, message: message} }

func exitFault(x sandbox.Exit, u sandbox.Usage) *fault {
	switch {
	case u.OOMKilled:
		// Callers see the answer that AWS gave for long and most tools know; events name the reason.
		return &fault{kind: errExit, message: "Runtime exited with error: signal: killed", telemetry: errOOM, oom: true}
	case x.Signal == 0 && x.Code == 0:
		return &fault{kind: errExit, message: "Runtime exited without providing a reason"}
	}
	return &fault{kind: errExit, message: "Runtime exited with error: " + x.String()}
}

func timeoutFault(limit time.Duration) *fault {
	return &fault{kind: errTimeout, message: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds()), timeout: true}
}

func sandboxFault(message string) *fault { return &fault{kind: errFailure, message: message} }

// ofSandbox reports whether the sandbox is to blame: another invocation would do no better in it.
func (f *fault) ofSandbox() bool { return f != nil && f.kind == errFailure }

func postedFault(a *runtimeapi.Answer) *fault {
	return &fault{kind: a.ErrorType, posted: a.Body}
}

// errorType is the type in events; a timeout has a status in its place.
func (f *fault) errorType() string {
	switch {
	case f.timeout:
		return ""
	case f.telemetry != "":
		return f.telemetry
	}
	return f.kind
}

// status is AWS's status of a phase that ended so.
func (f *fault) status() string {
	if f.timeout {
		return telemetry.StatusTimeout
	}
	return statusOf(f.errorType())
}

// statusOf is the status that goes with an error type of the platform.
func statusOf(errorType string) string {
	if strings.HasPrefix(errorType, "Sandbox.") {
		return telemetry.StatusFailure
	}
	return telemetry.StatusError
}

// payload is what the caller gets.
func (f *fault) payload(requestID string) []byte {
	if f.posted != nil {
		return f.posted
	}
	return platformError(f.kind, "RequestId: "+requestID+" Error: "+f.message)
}

// line is what AWS writes into the function's log.
func (f *fault) line(requestID string, now time.Time) string {
	switch {
	case f.posted != nil:
		return ""
	case f.timeout:
		return telemetry.FormatTime(now) + " " + requestID + " " + f.message + "\n"
	}
	return "RequestId: " + requestID + " Error: " + f.message + "\n" + f.kind + "\n"
}

// refusedAnswer is what the caller gets in place of an answer that the platform refused.
func refusedAnswer(kind, requestID string) []byte {
	if kind == runtimeapi.FaultTooLarge {
		return platformError(kind, fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", lambda.MaxResponseSize))
	}
	return platformError(kind, "RequestId: "+requestID+" Error: Invalid function response mode")
}

// platformError is the body of an error that the platform made, members in AWS's order.
func platformError(kind, message string) []byte {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(struct {
		ErrorType    string `json:"errorType"`
		ErrorMessage string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		panic(err) // two strings always have a JSON form
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
