package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/apitest"
	"github.com/laminadev/lamina/internal/invoke"
)

// What the front door adds to the two operations that are called all the time.
func BenchmarkDoor(b *testing.B) {
	invoker := &apitest.Invoker{Out: invoke.Output{Payload: []byte(`{"ok":true}`), ExecutedVersion: "$LATEST"}}
	door := api.New(api.Options{Control: apitest.NewControl(b, b.TempDir()), Invoke: invoker, Logs: &apitest.Logs{}})
	serve := func(r request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		door.ServeHTTP(w, newRequest(b, "http://localhost", r))
		return w
	}
	if w := serve(request{method: "POST", path: functions, body: function("f")}); w.Code != http.StatusCreated {
		b.Fatalf("%d %s", w.Code, w.Body)
	}
	for name, r := range map[string]request{
		"Invoke":      {method: "POST", path: functions + "/f/invocations", body: `{"key":"` + strings.Repeat("v", 90) + `"}`, header: signed("x", "us-east-1", "lambda")},
		"GetFunction": {method: "GET", path: functions + "/f", header: signed("x", "us-east-1", "lambda")},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if w := serve(r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
