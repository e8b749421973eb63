package daemon

import (
	"sync"

	"github.com/laminadev/lamina/internal/telemetry"
)

// lastReport is the sink of a function that runs without a server: it hands lines on and keeps the figures of the last
// invocation.
type lastReport struct {
	lines func(string)

	mu   sync.Mutex // guards last
	last *telemetry.Report
}

// Consume implements telemetry.Sink.
func (s *lastReport) Consume(e telemetry.Event) {
	if r, ok := e.Record.(*telemetry.Report); ok {
		s.mu.Lock()
		s.last = r
		s.mu.Unlock()
	}
	if line := telemetry.Line(e); line != "" && s.lines != nil {
		s.lines(line)
	}
}

func (s *lastReport) get() *telemetry.Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
