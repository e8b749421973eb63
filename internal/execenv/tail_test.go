package execenv_test

import (
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

func TestTail(t *testing.T) {
	text := &telemetry.Source{Revision: &lambda.Revision{}}
	inJSON := &telemetry.Source{Revision: &lambda.Revision{Config: lambda.Configuration{Logging: lambda.LoggingConfig{LogFormat: "JSON"}}}}
	lines := func(src *telemetry.Source, texts ...string) []telemetry.Event {
		var events []telemetry.Event
		for _, s := range texts {
			events = append(events, telemetry.Event{Type: telemetry.TypeFunction, Source: src, Record: s})
		}
		return events
	}
	line := strings.Repeat("x", 99) + "\n"
	object := `{"a":"` + strings.Repeat("x", 91) + "\"}\n" // 100 bytes
	for _, tc := range []struct {
		name   string
		whole  bool
		events []telemetry.Event
		want   string
	}{
		{"nothing", false, nil, ""},
		{"short", false, lines(text, "a\n", "b"), "a\nb\n"},
		{"long", false, lines(text, strings.Repeat(line, 1), strings.Repeat("y", 5000)), strings.Repeat("y", 4095) + "\n"},
		{"many", false, lines(text, repeat(line, 1000)...), strings.Repeat(line, 41)[4:]},
		{"cut character", false, lines(text, "\u00fc"+strings.Repeat("y", 4094)), "\uFFFD" + strings.Repeat("y", 4094) + "\n"},
		{"records are whole", true, lines(inJSON, repeat(object, 1000)...), strings.Repeat(object, 40)},
		{"a record that is too long", true, lines(inJSON, `{"a":"`+strings.Repeat("x", 300_000)+"\"}\n", object), object},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := string(execenv.Tail(tc.whole, tc.events...))
			if tc.name == "cut character" {
				// The replacement is longer than what it replaces.
				if len(got) != 4096 || !strings.HasSuffix(got, "yyy\n") {
					t.Errorf("got %d bytes, %.10q", len(got), got)
				}
				return
			}
			check(t, "tail", got, tc.want)
		})
	}
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestJSONLog(t *testing.T) {
	b := newBench(t)
	rev := b.revision("print")
	rev.Config.Logging = lambda.LoggingConfig{LogFormat: "JSON", LogGroup: "/aws/lambda/f", ApplicationLogLevel: "INFO", SystemLogLevel: "INFO"}
	got := number.ReplaceAllString(moment.ReplaceAllString(string(b.invoke(rev, "a", "1", true).LogTail), "TIME"), "")
	want := []string{
		`{"time":"TIME","type":"platform.start","record":{"requestId":"a","version":"$LATEST"}}`,
		`{"timestamp":"TIME","level":"INFO","message":"one","requestId":"a"}`,
		`{"timestamp":"TIME","level":"INFO","message":"two\rlines","requestId":"a"}`,
		`{"timestamp":"TIME","level":"INFO","message":"three four","requestId":"a"}`,
		`{"timestamp":"TIME","level":"INFO","message":"five","requestId":"a"}`,
		`{"time":"TIME","type":"platform.report","record":{"requestId":"a","status":"success","metrics":{`,
	}
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got %q", lines)
	}
	for i, w := range want {
		if i < len(want)-1 {
			check(t, "line", lines[i], w)
		} else if !strings.HasPrefix(lines[i], w) {
			t.Errorf("got %q, want %q", lines[i], w)
		}
	}
}
