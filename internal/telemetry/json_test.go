package telemetry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

func TestLine(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
	const text, jsonInfo, jsonDebug, jsonError = 0, 1, 2, 3
	logging := []lambda.LoggingConfig{
		text:      {LogFormat: "Text"},
		jsonInfo:  {LogFormat: "JSON", ApplicationLogLevel: "INFO", SystemLogLevel: "INFO"},
		jsonDebug: {LogFormat: "JSON", ApplicationLogLevel: "DEBUG", SystemLogLevel: "DEBUG"},
		jsonError: {LogFormat: "JSON", ApplicationLogLevel: "ERROR", SystemLogLevel: "WARN"},
	}
	start := &telemetry.Start{RequestID: "r", Version: "$LATEST"}
	const startJSON = `{"time":"2026-01-02T03:04:05.006Z","type":"platform.start","record":{"requestId":"r","version":"$LATEST"}}` + "\n"
	done := &telemetry.RuntimeDone{RequestID: "r", Status: "success"}
	failed := &telemetry.RuntimeDone{RequestID: "r", Status: "error", ErrorType: "Runtime.ExitError"}
	for _, tc := range []struct {
		name    string
		logging int
		typ     telemetry.Type
		record  any
		want    string
	}{
		{"text", text, telemetry.TypeStart, start, "START RequestId: r Version: $LATEST\n"},
		{"system", jsonInfo, telemetry.TypeStart, start, startJSON},
		{"system below its level", jsonError, telemetry.TypeStart, start, ""},
		{"END is of the text only", jsonDebug, telemetry.TypeEnd, &telemetry.End{RequestID: "r"}, ""},
		{"success is for DEBUG", jsonInfo, telemetry.TypeRuntimeDone, done, ""},
		{"success at DEBUG", jsonDebug, telemetry.TypeRuntimeDone, done,
			`{"time":"2026-01-02T03:04:05.006Z","type":"platform.runtimeDone","record":{"requestId":"r","status":"success"}}` + "\n"},
		{"failure is for WARN", jsonError, telemetry.TypeRuntimeDone, failed,
			`{"time":"2026-01-02T03:04:05.006Z","type":"platform.runtimeDone","record":{"requestId":"r","status":"error","errorType":"Runtime.ExitError"}}` + "\n"},
		{"plain line", jsonInfo, telemetry.TypeFunction, "a <b>\n",
			`{"timestamp":"2026-01-02T03:04:05.006Z","level":"INFO","message":"a <b>","requestId":"r"}` + "\n"},
		{"plain line below the level", jsonError, telemetry.TypeFunction, "a\n", ""},
		{"object", jsonInfo, telemetry.TypeFunction, `{"level": "info", "x": 1}` + "\n", `{"level": "info", "x": 1}` + "\n"},
		{"object without level", jsonInfo, telemetry.TypeFunction, "{}", "{}\n"},
		{"object with a strange level", jsonInfo, telemetry.TypeFunction, `{"level":7}`, `{"level":7}` + "\n"},
		{"object below the level", jsonInfo, telemetry.TypeFunction, `{"level":"DEBUG"}`, ""},
		{"object at the level", jsonError, telemetry.TypeFunction, `{"level":"CRITICAL"}`, `{"level":"CRITICAL"}` + "\n"},
		{"error of AWS's Python client", jsonError, telemetry.TypeFunction, `{"log_level": "ERROR", "errorType": "E"}`, `{"log_level": "ERROR", "errorType": "E"}` + "\n"},
		{"log_level below the level", jsonError, telemetry.TypeFunction, `{"log_level":"WARN"}`, ""},
		{"log_level hides nothing", jsonInfo, telemetry.TypeFunction, `{"log_level":"DEBUG"}`, `{"log_level":"DEBUG"}` + "\n"},
		{"level goes before log_level", jsonError, telemetry.TypeFunction, `{"level":"INFO","log_level":"ERROR"}`, ""},
		{"broken object", jsonInfo, telemetry.TypeFunction, `{"level"`,
			`{"timestamp":"2026-01-02T03:04:05.006Z","level":"INFO","message":"{\"level\"","requestId":"r"}` + "\n"},
		{"fault", jsonError, telemetry.TypeFault, "RequestId: r Error: x\nRuntime.ExitError\n",
			`{"timestamp":"2026-01-02T03:04:05.006Z","level":"ERROR","message":"RequestId: r Error: x\nRuntime.ExitError","requestId":"r"}` + "\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src := &telemetry.Source{Revision: &lambda.Revision{Config: lambda.Configuration{Logging: logging[tc.logging]}}}
			got := telemetry.Line(telemetry.Event{Time: moment, Type: tc.typ, Source: src, RequestID: "r", Record: tc.record})
			if diff := cmp.Diff(got, tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}
