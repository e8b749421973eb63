package journeys_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a running `lamina serve` with a data folder of its own.
type server struct {
	url     string
	runtime string // of the functions: a Python that this machine has
	log     string // file
}

// program is the built lamina.
func program(t *testing.T) string {
	t.Helper()
	p := os.Getenv("LAMINA_BIN")
	if p == "" {
		p = filepath.Join("..", "..", "bin", "lamina")
	}
	p, err := filepath.Abs(p)
	if err != nil {
		t.Fatal(err)
	}
	if !exists(p) {
		t.Fatalf("there is no %s (`make build` makes it)", p)
	}
	return p
}

// startServer starts a server, which ends, well, with the test.
func startServer(t *testing.T, dir string) *server {
	t.Helper()
	lamina, data := program(t), filepath.Join(dir, "data")
	s := &server{runtime: python(t, lamina, data), log: filepath.Join(dir, "server.log")}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, lamina, "serve", "--listen", "127.0.0.1:0", "--data", data)
	cmd.Stderr = log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		// The context's own error stands for an end that was asked for: the state of the process says how it was.
		cmd.Wait()
		said := s.output()
		if cmd.ProcessState.ExitCode() != 0 || strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic:") {
			t.Errorf("the server ended with %v:\n%s", cmd.ProcessState, said)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "lamina is ready at ")
	if err != nil || !ok {
		t.Fatalf("the server said %q (%v):\n%s", line, err, s.output())
	}
	s.url = url
	return s
}

func (s *server) output() string {
	b, _ := os.ReadFile(s.log)
	if n := 6000; len(b) > n {
		return "…" + string(b[len(b)-n:])
	}
	return string(b)
}

// python is the first runtime for Python that lamina finds here.
func python(t *testing.T, lamina, data string) string {
	t.Helper()
	out, err := exec.Command(lamina, "runtime", "list", "--data", data).Output()
	if err != nil {
		t.Fatalf("cannot list the runtimes: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[0], "python3.") {
			return f[0]
		}
	}
	t.Fatal("lamina finds no Python here")
	return ""
}
