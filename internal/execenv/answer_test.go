package execenv_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/telemetry"
)

// TestAnswer: Answer gets what Invoke returns, once, before the invocation has ended, and the end follows as without it.
func TestAnswer(t *testing.T) {
	for _, tc := range []struct {
		handler string
		tail    bool
		want    int // calls of Answer
		events  []telemetry.Type
	}{
		{"pipelined", false, 1, []telemetry.Type{telemetry.TypeStart, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"echo", false, 1, []telemetry.Type{telemetry.TypeStart, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"raise", false, 1, []telemetry.Type{telemetry.TypeStart, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"kill", false, 1, []telemetry.Type{telemetry.TypeStart, telemetry.TypeFault, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"respond-exit", false, 1, []telemetry.Type{telemetry.TypeStart, telemetry.TypeFault, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"limit", false, 0, []telemetry.Type{telemetry.TypeStart, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
		{"echo", true, 0, []telemetry.Type{telemetry.TypeStart, telemetry.TypeRuntimeDone, telemetry.TypeEnd, telemetry.TypeReport}},
	} {
		t.Run(fmt.Sprint(tc.handler, tc.tail), func(t *testing.T) {
			b := newBench(t)
			rev := b.revision(tc.handler)
			for i := range 3 {
				id := fmt.Sprint("request-", i)
				var early []execenv.Response
				resp, err := b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: id, Payload: []byte("1"), LogTail: tc.tail,
					Answer: func(r execenv.Response) {
						early = append(early, r)
						for _, e := range b.log.all() {
							if e.RequestID == id && e.Type == telemetry.TypeEnd {
								t.Error("END before the answer")
							}
						}
					}})
				if err != nil {
					t.Fatal(err)
				}
				check(t, "calls of Answer", len(early), tc.want)
				for _, r := range early {
					if diff := cmp.Diff(r, resp); diff != "" {
						t.Errorf("early -, returned +:\n%s", diff)
					}
				}
				eventually(t, "the invocation ends", func() bool { return strings.Contains(b.log.text(), "REPORT RequestId: "+id) })
				var got []telemetry.Type
				for _, e := range b.log.all() {
					if e.RequestID == id && !strings.HasPrefix(string(e.Type), "platform.init") {
						got = append(got, e.Type)
					}
				}
				if diff := cmp.Diff(got, tc.events); diff != "" {
					t.Errorf("events: got -, want +:\n%s", diff)
				}
			}
		})
	}
}

// TestAnswerThatPanics: the invocation ends nevertheless, so that the pool can close and the environment is used again.
func TestAnswerThatPanics(t *testing.T) {
	b := newBench(t)
	rev := b.revision("pipelined")
	func() {
		defer func() { check(t, "panic", recover(), any("gone")) }()
		b.pool.Invoke(context.Background(), rev, execenv.Invocation{RequestID: "a", Payload: []byte("1"), Answer: func(execenv.Response) { panic("gone") }})
	}()
	check(t, "payload", string(b.invoke(rev, "b", "2", true).Payload), "2")
	check(t, "environments", b.driver.created(), 1)
}
