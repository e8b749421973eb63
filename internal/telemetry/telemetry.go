// Package telemetry holds AWS's own platform events and the one bus that carries them.
//
// An execution environment publishes what happens in it; everything that anybody learns of it (START, END and REPORT
// lines, the log tail, log streams, later the Telemetry API, metrics, usage and attribution) is a sink of these events.
// Types and members are those of AWS's Telemetry API, schema 2022-12-13.
package telemetry

import (
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// Type is AWS's name of an event.
type Type string

// The types that are published today.
const (
	TypeInitStart       Type = "platform.initStart"
	TypeInitRuntimeDone Type = "platform.initRuntimeDone"
	TypeInitReport      Type = "platform.initReport"
	TypeStart           Type = "platform.start"
	TypeRuntimeDone     Type = "platform.runtimeDone"
	TypeEnd             Type = "platform.end" // of the older Logs API: the END line
	TypeReport          Type = "platform.report"
	TypeFault           Type = "platform.fault" // a text line of the platform: "RequestId: … Error: …"
	TypeFunction        Type = "function"       // a line that the function printed
)

// Event is one thing that happened in one execution environment.
type Event struct {
	Time   time.Time
	Type   Type
	Source *Source
	// RequestID is the invocation during which it happened; "" between invocations and during the Init phase.
	RequestID string
	// Record is the member of that name: *InitStart, *InitRuntimeDone, *InitReport, *Start, *RuntimeDone, *End, *Report,
	// or a string for platform.fault and function (with its line end where there was one). Nobody changes it after it
	// was published, so a sink may keep it.
	Record any
}

// Source is the environment that an event comes from. It does not change over the environment's life.
type Source struct {
	Revision  *lambda.Revision
	Version   string // "$LATEST" or a number
	LogGroup  string
	LogStream string
}

// Phases and statuses of AWS's records.
const (
	PhaseInit   = "init"
	PhaseInvoke = "invoke"

	StatusSuccess = "success"
	StatusFailure = "failure"
	StatusError   = "error"
	StatusTimeout = "timeout"
)

// InitStart says that an environment begins its Init phase.
type InitStart struct {
	InitializationType string `json:"initializationType"`
	Phase              string `json:"phase"`
	FunctionName       string `json:"functionName,omitempty"`
	FunctionVersion    string `json:"functionVersion,omitempty"`
	InstanceID         string `json:"instanceId,omitempty"`
	InstanceMaxMemory  int64  `json:"instanceMaxMemory,omitempty"` // bytes
	RuntimeVersion     string `json:"runtimeVersion,omitempty"`
	RuntimeVersionARN  string `json:"runtimeVersionArn,omitempty"`
}

// InitRuntimeDone says that the runtime finished, or gave up, its initialisation.
type InitRuntimeDone struct {
	InitializationType string `json:"initializationType"`
	Phase              string `json:"phase"`
	Status             string `json:"status"`
	ErrorType          string `json:"errorType,omitempty"`
}

// InitReport closes the Init phase.
type InitReport struct {
	InitializationType string  `json:"initializationType"`
	Phase              string  `json:"phase"`
	Status             string  `json:"status,omitempty"`
	ErrorType          string  `json:"errorType,omitempty"`
	Metrics            Metrics `json:"metrics"`
}

// Start says that an invocation was handed to the environment.
type Start struct {
	RequestID string `json:"requestId"`
	Version   string `json:"version,omitempty"`
}

// RuntimeDone says that the runtime answered, or failed to.
type RuntimeDone struct {
	RequestID string              `json:"requestId"`
	Status    string              `json:"status"`
	ErrorType string              `json:"errorType,omitempty"`
	Metrics   *RuntimeDoneMetrics `json:"metrics,omitempty"`
}

// RuntimeDoneMetrics are the figures of RuntimeDone.
type RuntimeDoneMetrics struct {
	DurationMs    float64 `json:"durationMs"`
	ProducedBytes int64   `json:"producedBytes"`
}

// End says that the invocation is over.
type End struct {
	RequestID string `json:"requestId"`
}

// Report closes an invocation.
type Report struct {
	RequestID string        `json:"requestId"`
	Status    string        `json:"status"`
	ErrorType string        `json:"errorType,omitempty"`
	Metrics   ReportMetrics `json:"metrics"`
}

// ReportMetrics are the figures of Report.
type ReportMetrics struct {
	DurationMs       float64  `json:"durationMs"`
	BilledDurationMs int64    `json:"billedDurationMs"`
	MemorySizeMB     int64    `json:"memorySizeMB"`
	MaxMemoryUsedMB  int64    `json:"maxMemoryUsedMB"`
	InitDurationMs   *float64 `json:"initDurationMs,omitempty"` // of cold starts only
}

// Metrics are the figures of InitReport.
type Metrics struct {
	DurationMs float64 `json:"durationMs"`
}

// Sink receives events in the order of their environment. Consume must not block on anything slower than memory.
type Sink interface{ Consume(Event) }

// Bus hands each event to every sink, in the caller's goroutine.
type Bus struct{ sinks []Sink }

// NewBus makes a bus; the sinks are fixed, so publishing takes no lock.
func NewBus(sinks ...Sink) *Bus { return &Bus{sinks} }

// Publish hands the event to every sink.
func (b *Bus) Publish(e Event) {
	for _, s := range b.sinks {
		s.Consume(e)
	}
}
