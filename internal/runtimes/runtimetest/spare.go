package runtimetest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// SpareGoesOn tests a command that boots ahead, waits on descriptor 3, and prints "went on," and A of its environment: it goes
// on when it is told to, and not because the server that it waits for was killed while it made the sandbox whole.
func SpareGoesOn(t *testing.T, path string, args ...string) {
	for sent, want := range map[string]string{"": "", "A=1\x00B=\x00": "", "A=1\x00B=\x00\x00": "", "A=1\x00B=\x00\x00\n": "went on, 1\n"} {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + NewAPI(t).Address}
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{r}
		if _, err := w.WriteString(strings.Replace(sent, "\x00\x00", "\x00LAMBDA_TASK_ROOT=/\x00\x00", 1)); err != nil {
			t.Fatal(err)
		}
		w.Close()
		out, err := cmd.CombinedOutput()
		r.Close()
		if err != nil || string(out) != want {
			t.Errorf("after %q: got %q, %v, want %q", sent, out, err, want)
		}
	}
}
