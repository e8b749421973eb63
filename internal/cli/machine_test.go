package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/cli"
	"github.com/laminadev/lamina/internal/sandbox/helper"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == helper.Name {
		helper.Main() // a build without the small helper starts itself as a sandbox's PID 1
	}
	os.Exit(m.Run())
}

// served is a `lamina serve` that runs; its first line of output was read.
type served struct {
	line string
	errs *bytes.Buffer
	stop context.CancelFunc
	code chan int
}

func serve(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	s := &served{errs: &bytes.Buffer{}, stop: cancel, code: make(chan int, 1)}
	go func() {
		code := cli.Main(ctx, cli.Streams{In: strings.NewReader(""), Out: w, Err: s.errs}, append([]string{"serve", "--listen", "127.0.0.1:0", "--log-level", "error"}, args...))
		w.Close()
		s.code <- code
	}()
	t.Cleanup(cancel)
	buf := make([]byte, 4096)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatalf("it did not start: %s", s.errs)
	}
	s.line = string(buf[:n])
	go io.Copy(io.Discard, r)
	return s
}

func (s *served) end(t *testing.T) {
	t.Helper()
	s.stop()
	if code := <-s.code; code != 0 {
		t.Errorf("it ended with code %d: %s", code, s.errs)
	}
}

func TestServe(t *testing.T) {
	bare(t)
	file := filepath.Join(t.TempDir(), "url")
	s := serve(t, "--ready-file", file)
	url := strings.TrimSpace(strings.TrimPrefix(s.line, "lamina is ready at "))
	if s.line != "lamina is ready at "+url+"\n" || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("on a pipe it says one line; got %q", s.line)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != url+"\n" {
		t.Errorf("the ready file holds %q, %v", b, err)
	}
	run(t, "layer", "list", "--endpoint-url", url).want(t, 0, "NAME", "")
	run(t, "doctor", "--listen", strings.TrimPrefix(url, "http://"), "--format", "json").want(t, 0, "lamina serve, process ", "")
	s.end(t)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the ready file outlives the server: %v", err)
	}
	data := filepath.Join(os.Getenv("HOME"), ".local", "share", "lamina")
	if _, err := os.Stat(filepath.Join(data, "lamina.db")); err != nil {
		t.Errorf("the data is not in the user's data folder: %v", err)
	}
}

// TestServeExplains: old AWS CLIs do not know the variable, and would call AWS.
func TestServeExplains(t *testing.T) {
	var b strings.Builder
	if err := cli.ExplainServer(&b, "http://127.0.0.1:4566"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n  export AWS_ENDPOINT_URL=http://127.0.0.1:4566\n", "--endpoint-url http://127.0.0.1:4566"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, b.String())
		}
	}
}

func TestServeSaysJSON(t *testing.T) {
	bare(t)
	s := serve(t, "--format", "json", "--account", "123456789012", "--data", filepath.Join(t.TempDir(), "d"))
	var ready struct{ URL, Account, Region, Data string }
	if err := json.Unmarshal([]byte(s.line), &ready); err != nil {
		t.Fatalf("%q: %v", s.line, err)
	}
	if ready.Account != "123456789012" || ready.Region != "us-east-1" || !strings.HasSuffix(ready.Data, "/d") {
		t.Errorf("got %+v", ready)
	}
	s.end(t)
}

func TestServeReadyFile(t *testing.T) {
	bare(t)
	dir := t.TempDir()
	r := run(t, "serve", "--listen", "127.0.0.1:0", "--ready-file", filepath.Join(dir, "none", "url"))
	r.want(t, 1, "", "cannot write the ready file")
}

func TestServeTwice(t *testing.T) {
	bare(t)
	s := serve(t)
	run(t, "serve", "--listen", "127.0.0.1:0").want(t, 1, "", "is used by another lamina serve, process ")
	url := strings.TrimSpace(strings.TrimPrefix(s.line, "lamina is ready at http://"))
	run(t, "serve", "--listen", url).want(t, 1, "", "the address is taken by process ")
	s.end(t)
}

func TestDoctor(t *testing.T) {
	bare(t)
	r := run(t, "doctor", "--listen", "127.0.0.1:0")
	r.want(t, 0, "whole sandbox: ", "")
	if !strings.Contains(r.Out, "\nFunctions can run here") {
		t.Errorf("got %s", r.Out)
	}
	var found struct {
		CanRun bool
		Checks []struct{ Name, State, Detail string }
	}
	if err := json.Unmarshal([]byte(run(t, "doctor", "--listen", "127.0.0.1:0", "--format", "json").Out), &found); err != nil {
		t.Fatal(err)
	}
	if !found.CanRun || len(found.Checks) < 5 {
		t.Errorf("got %+v", found)
	}
	run(t, "doctor", "--data", "/proc/none").want(t, 1, "failed    data folder: ", "functions cannot run on this machine yet")
}

// TestLinesNameTheProgramAsCalled: a line that mends something is copied into the shell that doctor was called in.
func TestLinesNameTheProgramAsCalled(t *testing.T) {
	for _, c := range []struct{ line, program, want string }{
		{"lamina runtime add python3.11", "bin/lamina", "bin/lamina runtime add python3.11"},
		{"lamina runtime add python3.11", "lamina", "lamina runtime add python3.11"},
		{"lamina runtime add python3.11", "/tmp/cli.test", "lamina runtime add python3.11"},
		{"systemd-run --user --scope -p Delegate=yes lamina serve", "./lamina", "systemd-run --user --scope -p Delegate=yes ./lamina serve"},
		{"run lamina as root", "bin/lamina", "run lamina as root"},
	} {
		if got := cli.AsCalled(c.line, c.program); got != c.want {
			t.Errorf("%q called %q: got %q, want %q", c.line, c.program, got, c.want)
		}
	}
}

func TestRuntimeList(t *testing.T) {
	bare(t)
	run(t, "runtime", "list").want(t, 0, "provided.al2023", "")
	var all []struct{ Name, Source string }
	if err := json.Unmarshal([]byte(run(t, "runtime", "list", "--format", "json").Out), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 2 {
		t.Errorf("got %+v", all)
	}
	// A server that is started afterwards takes the folder that the list made.
	serve(t).end(t)
}

func TestRuntimeAddRefuses(t *testing.T) {
	bare(t)
	run(t, "runtime", "add", "cobol85").want(t, 1, "", "cobol85")
}
