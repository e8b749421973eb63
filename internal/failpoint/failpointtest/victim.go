package failpointtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/laminadev/lamina/internal/failpoint"
)

// variable makes a test program a victim; its value is one.
const variable = "LAMINA_TEST_VICTIM"

// victim is a test program that is started again to be killed at a fail point.
type victim struct {
	Point string
	After int // hits that pass before
	Args  []string
}

// BeVictim is what the TestMain of a test that calls Stop begins with. In a victim it does the work, with the arguments that Stop was
// given, and does not return.
func BeVictim(work func(args []string) error) {
	text := os.Getenv(variable)
	if text == "" {
		return
	}
	var v victim
	err := json.Unmarshal([]byte(text), &v)
	if err == nil {
		failpoint.Arm(failpoint.Fault{Point: v.Point, After: v.After})
		err = work(v.Args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Stop has a victim work until it is killed at a fail point, which some hits may pass before, and gives what it printed.
func Stop(t *testing.T, point string, after int, args ...string) string {
	t.Helper()
	text, err := json.Marshal(victim{point, after, args})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), variable+"="+string(text))
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the victim was not stopped at %s: %v\n%s%s", point, err, out, complaint.String())
	}
	return string(out)
}
