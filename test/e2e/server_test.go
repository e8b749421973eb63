package e2e_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// server is a running `lamina serve`.
type server struct {
	url  string
	cmd  *exec.Cmd
	log  string // file of its standard error
	done chan struct{}
	err  error // of its end, once done is closed
}

// startServer starts a server and returns when it is ready. Its standard error goes to the file log.
func startServer(program, log string, environ []string, args ...string) (*server, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &server{log: log, done: make(chan struct{})}
	s.cmd = exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	s.cmd.Stderr = f
	s.cmd.Env = environ
	s.cmd.Dir = filepath.Dir(log)
	// The race detector's report shall not be lost among other words, and ends the program.
	s.cmd.Env = append(s.cmd.Env, "GORACE=halt_on_error=1")
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stdout = in
	if err := s.cmd.Start(); err != nil {
		out.Close()
		in.Close()
		return nil, err
	}
	in.Close()
	go func() { s.err = s.cmd.Wait(); close(s.done) }()
	ready := make(chan string, 1)
	go func() {
		defer out.Close()
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), "lamina is ready at "); ok {
				ready <- url
			}
		}
	}()
	select {
	case url, ok := <-ready:
		if ok {
			s.url = url
			return s, nil
		}
		<-s.done
		return nil, fmt.Errorf("the server ended at its start (%v):\n%s", s.err, s.output())
	case <-time.After(60 * time.Second):
		s.kill()
		return nil, fmt.Errorf("the server is not ready after a minute:\n%s", s.output())
	}
}

// stop asks the server to end, and wants that it does with exit code 0 and no word of a race or panic.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
	case <-time.After(60 * time.Second):
		s.cmd.Process.Signal(syscall.SIGQUIT) // prints where every goroutine is
		<-s.done
		return fmt.Errorf("the server does not end:\n%s", s.output())
	}
	if s.err != nil {
		return fmt.Errorf("the server ended with %w:\n%s", s.err, s.output())
	}
	out := s.output()
	for _, bad := range []string{"DATA RACE", "panic:", "fatal error:"} {
		if strings.Contains(out, bad) {
			return fmt.Errorf("the server said %q:\n%s", bad, out)
		}
	}
	return nil
}

// kill ends the server as a power failure would.
func (s *server) kill() {
	s.cmd.Process.Kill()
	<-s.done
}

func (s *server) output() string {
	b, _ := os.ReadFile(s.log)
	return string(b)
}

// get reads a path of the server, as JSON of a caller with the example account.
func (s *server) get(path string) (int, []byte, error) {
	res, err := http.Get(s.url + path)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, bytes.TrimSpace(b), err
}
