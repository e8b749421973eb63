package api_test

import (
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// clock is a wall clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// TestAFaultOfTheMachine: the caller learns what this machine lacks and what helps, the log says it once a minute, reading goes
// on, and the same request succeeds when the fault is over.
func TestAFaultOfTheMachine(t *testing.T) {
	c := &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s := newServer(t, func(o *api.Options) { o.Now = c.now })
	s.publish("libs")
	publish := request{method: "POST", path: layerPath, body: object{"Content": object{"ZipFile": lambdatest.PythonLayer("m", "x = 2\n")}}}
	lines := func() int { return strings.Count(s.log.String(), "a request failed") }

	for _, point := range []string{"diskblob.stage", "diskblob.write", "layerstore.write-small", "diskblob.sync", "database.commit"} {
		before := lines()
		disarm := failpoint.Arm(failpoint.Fault{Point: point, Err: syscall.ENOSPC})
		for range 20 {
			got := s.do(publish)
			want := map[string]any{"Type": "Service", "Message": "The disk that holds lamina's data is full. " +
				"Free some space on it (lamina gc removes what nothing needs any more), then try again."}
			if diff := cmp.Diff(want, got.body); got.status != 500 || got.header.Get("x-amzn-ErrorType") != "ServiceException" || diff != "" {
				t.Fatalf("%s: %d %s, body (-want +got):\n%s", point, got.status, got.header.Get("x-amzn-ErrorType"), diff)
			}
		}
		if got := s.do(request{method: "GET", path: layerPath + "/1"}); got.status != 200 {
			t.Errorf("%s: reading meanwhile: %d %s", point, got.status, got.text)
		}
		if n := lines() - before; n != 1 {
			t.Errorf("%s: the log says it %d times, want once", point, n)
		}
		c.step(-time.Hour) // it is said again
		disarm()
	}
	if got := s.do(publish); got.status != 201 || got.body["Version"] != 2.0 {
		t.Errorf("when the fault is over: %d %s", got.status, got.text)
	}
}
