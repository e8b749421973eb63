package node_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/runtimes/node"
)

// event is what the fake Runtime API hands out.
type event struct {
	body    string
	headers map[string]string
}

// post is what it was sent: the path below /runtime/, the header with the error type, the content type, and the body.
type post struct {
	Path, ErrorType, ContentType, Body string
}

// fakeAPI is a Runtime API that hands out a list of events and keeps what it is sent.
type fakeAPI struct {
	*httptest.Server
	idle   chan struct{} // closed when the runtime asks for more than there is
	status int           // of the answer to posts

	mu     sync.Mutex
	events []event
	given  int
	posts  []post
}

func newFake(t *testing.T, events ...event) *fakeAPI {
	f := &fakeAPI{events: events, idle: make(chan struct{}), status: http.StatusAccepted}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", f.next)
	mux.HandleFunc("POST /2018-06-01/runtime/", f.post)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) next(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	if len(f.events) == 0 {
		select {
		case <-f.idle:
		default:
			close(f.idle)
		}
		f.mu.Unlock()
		<-r.Context().Done()
		return
	}
	e := f.events[0]
	f.events = f.events[1:]
	f.given++
	id := f.given
	f.mu.Unlock()
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("0000-%d", id))
	h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:fn")
	h.Set("Content-Length", fmt.Sprint(len(e.body)))
	for k, v := range e.headers {
		h.Set(k, v)
	}
	io.WriteString(w, e.body)
}

func (f *fakeAPI) post(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.posts = append(f.posts, post{strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/"),
		r.Header.Get("Lambda-Runtime-Function-Error-Type"), r.Header.Get("Content-Type"), string(b)})
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	io.WriteString(w, `{"status":"OK"}`)
}

// outcome is what a runtime process left behind.
type outcome struct {
	posts  []post
	output string // stdout and stderr
	frames string // what came on the log descriptor
	exit   int    // -1: it waited for more, and was ended by the test
}

// process is how a test starts the bootstrap.
type process struct {
	interpreter node.Interpreter
	runtime     string            // the folder of index.mjs
	task        map[string]string // files of the function
	taskDir     string            // set by run
	handler     string
	env         []string
	framed      bool
	command     []string // arguments of node; nil: those that start our bootstrap
}

// run starts the bootstrap against a server and waits until it ends or has nothing to do.
func (p *process) run(t *testing.T, f *fakeAPI) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.taskDir = t.TempDir()
	for name, text := range p.task {
		file := filepath.Join(p.taskDir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := p.command
	if args == nil {
		args = []string{"--expose-gc", filepath.Join(p.runtime, "index.mjs")}
	}
	cmd := exec.CommandContext(ctx, p.interpreter.Path, args...)
	cmd.Dir = p.taskDir
	cmd.Env = append([]string{
		"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(f.URL, "http://"),
		"LAMBDA_TASK_ROOT=" + p.taskDir, "LAMBDA_RUNTIME_DIR=" + p.runtime, "_HANDLER=" + p.handler,
		"AWS_LAMBDA_FUNCTION_NAME=fn", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn", "AWS_LAMBDA_LOG_STREAM_NAME=stream",
		"AWS_EXECUTION_ENV=AWS_Lambda_" + p.interpreter.Name(),
	}, p.env...)
	var out, frames bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	copied := make(chan struct{})
	close(copied)
	if p.framed {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd.ExtraFiles = []*os.File{w}
		cmd.Env = append(cmd.Env, "_LAMBDA_TELEMETRY_LOG_FD=3")
		copied = make(chan struct{})
		go func() {
			io.Copy(&frames, r)
			close(copied)
		}()
		defer w.Close()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, w := range cmd.ExtraFiles {
		w.Close()
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	o := outcome{exit: -1}
	var err error
	select {
	case err = <-ended:
		o.exit = cmd.ProcessState.ExitCode()
	case <-f.idle:
		cmd.Process.Kill()
		err = <-ended
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("the runtime hangs; it printed:\n%s", out.String())
	}
	<-copied
	f.mu.Lock()
	defer f.mu.Unlock()
	o.posts, o.output, o.frames = f.posts, out.String(), frames.String()
	return o
}

// frame is one event of the log descriptor.
type frame struct {
	Type uint32
	Text string
}

func splitFrames(t *testing.T, s string) []frame {
	t.Helper()
	var all []frame
	for b := []byte(s); len(b) > 0; {
		if len(b) < 16 {
			t.Fatalf("a frame is cut short: %q", b)
		}
		size := int(binary.BigEndian.Uint32(b[4:]))
		if age := time.Since(time.UnixMicro(int64(binary.BigEndian.Uint64(b[8:])))); age < 0 || age > time.Hour {
			t.Errorf("a frame's time is %v ago", age)
		}
		all = append(all, frame{binary.BigEndian.Uint32(b), string(b[16 : 16+size])})
		b = b[16+size:]
	}
	return all
}

// everyNode runs a test with every node of this machine, and says which versions are not there.
func everyNode(t *testing.T, f func(t *testing.T, p process)) {
	t.Helper()
	host := node.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	here := nodes(t, host)
	runtime, err := host.Runtime()
	if err != nil {
		t.Fatal(err)
	}
	for _, major := range node.Majors {
		in, ok := here[major]
		if !ok {
			t.Logf("NOT RUN: node %d is not on this machine (make setup gets it)", major)
			continue
		}
		t.Run(in.Name(), func(t *testing.T) {
			f(t, process{interpreter: in, runtime: runtime})
		})
	}
}

// nodes gives the best node of every major: of the host, and of those that make setup got.
func nodes(t *testing.T, host *node.Host) map[int]node.Interpreter {
	t.Helper()
	t.Setenv("PATH", os.Getenv("PATH")+":"+strings.Join(tools(), ":"))
	found, err := host.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatal("there is no node on this machine: run make setup")
	}
	here := map[int]node.Interpreter{}
	for _, in := range found {
		here[in.Major] = in
	}
	return here
}

// tools gives the folders of the nodes that make setup got.
func tools() []string {
	dirs, _ := filepath.Glob("../../../.tools/node/*/bin")
	for i := range dirs {
		dirs[i], _ = filepath.Abs(dirs[i])
	}
	return dirs
}
