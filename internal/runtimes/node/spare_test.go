package node_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestSpareGoesOn: a process that has booted ahead goes on when it is told to, and not because the server that it waits for
// was killed while it made the sandbox whole.
func TestSpareGoesOn(t *testing.T) {
	everyNode(t, func(t *testing.T, p process) {
		for sent, want := range map[string]string{"": "", "A=1\x00B=\x00": "", "A=1\x00B=\x00\x00": "", "A=1\x00B=\x00\x00\n": "went on, 1\n"} {
			f := newFake(t)
			cmd := exec.CommandContext(t.Context(), p.interpreter.Path, "--expose-gc", "-e",
				"require(process.argv[1] + '/lamina/spare.cjs').wait(3, () => {}).then(() => { console.log('went on,', process.env.A); process.exit(0); })", p.runtime)
			cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(f.URL, "http://")}
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
	})
}
