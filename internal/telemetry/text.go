package telemetry

import (
	"fmt"
	"strings"
	"time"
)

// TimeLayout is how AWS prints the time of an event: UTC, milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// FormatTime prints a time as AWS does.
func FormatTime(t time.Time) string { return t.UTC().Format(TimeLayout) }

// Text renders an event as the line that AWS writes to the log in text format, with its line end; "" for events that leave
// no line there. Tabs, trailing ones too, are AWS's.
func Text(e Event) string {
	switch r := e.Record.(type) {
	case string:
		return withLineEnd(r)
	case *InitStart:
		if r.Phase == PhaseInvoke {
			return "" // an Init within an invocation leaves a line only when it fails
		}
		return fmt.Sprintf("INIT_START Runtime Version: %s\tRuntime Version ARN: %s\n", r.RuntimeVersion, r.RuntimeVersionARN)
	case *InitReport:
		return initReportText(r)
	case *Start:
		return "START RequestId: " + r.RequestID + " Version: " + r.Version + "\n"
	case *End:
		return "END RequestId: " + r.RequestID + "\n"
	case *Report:
		return reportText(r)
	}
	return ""
}

// initReportText gives a line only for an Init phase that failed: of an on-demand environment AWS shows the others in
// REPORT.
func initReportText(r *InitReport) string {
	if r.Status == StatusSuccess || r.Status == "" {
		return ""
	}
	line := fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", r.Metrics.DurationMs, r.Phase, r.Status)
	if r.ErrorType != "" {
		line += "\tError Type: " + r.ErrorType
	}
	return line + "\n"
}

func reportText(r *Report) string {
	var b strings.Builder
	m := r.Metrics
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\tMax Memory Used: %d MB\t",
		r.RequestID, m.DurationMs, m.BilledDurationMs, m.MemorySizeMB, m.MaxMemoryUsedMB)
	if m.InitDurationMs != nil {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", *m.InitDurationMs)
	}
	// An exception that the handler raised has no error type, and AWS's line then says nothing of it.
	switch {
	case r.ErrorType != "":
		fmt.Fprintf(&b, "Status: %s\tError Type: %s", r.Status, r.ErrorType)
	case r.Status == StatusTimeout:
		b.WriteString("Status: timeout")
	}
	b.WriteByte('\n')
	return b.String()
}

func withLineEnd(s string) string {
	if strings.HasSuffix(s, "\n") {
		return s
	}
	return s + "\n"
}
