package telemetry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/telemetry"
)

func TestText(t *testing.T) {
	ms := func(f float64) *float64 { return &f }
	for _, tc := range []struct {
		name   string
		record any
		want   string
	}{
		{"init start", &telemetry.InitStart{RuntimeVersion: "python:3.12.v1", RuntimeVersionARN: "arn:aws:lambda:us-east-1::runtime:ab"},
			"INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:ab\n"},
		{"init start within an invocation", &telemetry.InitStart{Phase: "invoke", RuntimeVersion: "python:3.12.v1"}, ""},
		{"init done leaves no line", &telemetry.InitRuntimeDone{Status: telemetry.StatusSuccess}, ""},
		{"init succeeded", &telemetry.InitReport{Status: telemetry.StatusSuccess, Metrics: telemetry.Metrics{DurationMs: 1}}, ""},
		{"init failed", &telemetry.InitReport{Phase: "init", Status: "error", ErrorType: "Runtime.ImportModuleError",
			Metrics: telemetry.Metrics{DurationMs: 1882.5512}},
			"INIT_REPORT Init Duration: 1882.55 ms\tPhase: init\tStatus: error\tError Type: Runtime.ImportModuleError\n"},
		{"init timed out", &telemetry.InitReport{Phase: "init", Status: "timeout", Metrics: telemetry.Metrics{DurationMs: 10000.04}},
			"INIT_REPORT Init Duration: 10000.04 ms\tPhase: init\tStatus: timeout\n"},
		{"start", &telemetry.Start{RequestID: "r", Version: "$LATEST"}, "START RequestId: r Version: $LATEST\n"},
		{"runtime done leaves no line", &telemetry.RuntimeDone{RequestID: "r"}, ""},
		{"end", &telemetry.End{RequestID: "r"}, "END RequestId: r\n"},
		{"cold report", &telemetry.Report{RequestID: "r", Status: "success", Metrics: telemetry.ReportMetrics{DurationMs: 20.65,
			BilledDurationMs: 131, MemorySizeMB: 128, MaxMemoryUsedMB: 45, InitDurationMs: ms(110.12)}},
			"REPORT RequestId: r\tDuration: 20.65 ms\tBilled Duration: 131 ms\tMemory Size: 128 MB\tMax Memory Used: 45 MB\tInit Duration: 110.12 ms\t\n"},
		{"warm report", &telemetry.Report{RequestID: "r", Status: "success", Metrics: telemetry.ReportMetrics{DurationMs: 3000,
			BilledDurationMs: 3000, MemorySizeMB: 128, MaxMemoryUsedMB: 45}},
			"REPORT RequestId: r\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 45 MB\t\n"},
		{"exception of the handler", &telemetry.Report{RequestID: "r", Status: "error"},
			"REPORT RequestId: r\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 0 MB\tMax Memory Used: 0 MB\t\n"},
		{"exit", &telemetry.Report{RequestID: "r", Status: "error", ErrorType: "Runtime.ExitError"},
			"REPORT RequestId: r\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 0 MB\tMax Memory Used: 0 MB\tStatus: error\tError Type: Runtime.ExitError\n"},
		{"timeout", &telemetry.Report{RequestID: "r", Status: "timeout"},
			"REPORT RequestId: r\tDuration: 0.00 ms\tBilled Duration: 0 ms\tMemory Size: 0 MB\tMax Memory Used: 0 MB\tStatus: timeout\n"},
		{"line of the function", "hello\r world\n", "hello\r world\n"},
		{"unfinished line", "hello", "hello\n"},
		{"unknown record", 7, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(telemetry.Text(telemetry.Event{Record: tc.record}), tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

func TestFormatTime(t *testing.T) {
	in := time.Date(2026, 1, 2, 3, 4, 5, 6_789_000, time.FixedZone("", 3600))
	if got, want := telemetry.FormatTime(in), "2026-01-02T02:04:05.006Z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

type list []telemetry.Type

func (l *list) Consume(e telemetry.Event) { *l = append(*l, e.Type) }

func TestBusKeepsOrderForEverySink(t *testing.T) {
	var a, b list
	bus := telemetry.NewBus(&a, &b)
	want := list{telemetry.TypeStart, telemetry.TypeFunction, telemetry.TypeEnd}
	for _, typ := range want {
		bus.Publish(telemetry.Event{Type: typ})
	}
	if diff := cmp.Diff([]list{a, b}, []list{want, want}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}
