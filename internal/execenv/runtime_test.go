package execenv_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/sandbox/helper"
)

// The test binary is also the runtime: a function's bootstrap executes it, and the handler says what it does.
func TestMain(m *testing.M) {
	if os.Args[0] == helper.Name {
		helper.Main()
	}
	if handler, ok := os.LookupEnv("_HANDLER"); ok {
		newFakeRuntime().run(handler)
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// fakeRuntime speaks the Runtime API over one connection, without pipelining, as most clients do.
type fakeRuntime struct {
	nc    net.Conn
	br    *bufio.Reader
	calls int
	id    string
}

func newFakeRuntime() *fakeRuntime {
	nc, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		panic(err)
	}
	return &fakeRuntime{nc: nc, br: bufio.NewReader(nc)}
}

func (r *fakeRuntime) write(s string) {
	if _, err := io.WriteString(r.nc, s); err != nil {
		os.Exit(99)
	}
}

func (r *fakeRuntime) read() (string, int) {
	res, err := http.ReadResponse(r.br, nil)
	if err != nil {
		os.Exit(98)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		os.Exit(97)
	}
	if id := res.Header.Get("Lambda-Runtime-Aws-Request-Id"); id != "" {
		r.id = id
	}
	return string(body), res.StatusCode
}

const getNext = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n"

func (r *fakeRuntime) next() string {
	r.write(getNext)
	event, _ := r.read()
	r.calls++
	return event
}

func postRequest(path, body string, headers ...string) string {
	return fmt.Sprintf("POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", path,
		strings.Join(append(headers, ""), "\r\n"), len(body), body)
}

func (r *fakeRuntime) post(path, body string, headers ...string) int {
	r.write(postRequest(path, body, headers...))
	_, status := r.read()
	return status
}

func (r *fakeRuntime) respond(body string) int { return r.post("invocation/"+r.id+"/response", body) }

// marker reports whether it was called before in this environment: it leaves a file in /tmp.
func marker() bool {
	name := filepath.Join(os.TempDir(), "marker")
	_, err := os.Stat(name)
	_ = os.WriteFile(name, nil, 0o600)
	return err == nil
}

func forever() { select {} }

// initialisers do something before the first GET next.
var initialisers = map[string]func(*fakeRuntime){
	"init-error": func(r *fakeRuntime) {
		fmt.Println("init is failing")
		r.post("init/error", `{"errorMessage": "no", "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": []}`,
			"Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError")
		os.Exit(1)
	},
	"init-exit": func(*fakeRuntime) { os.Exit(3) },
	"init-slow-once": func(*fakeRuntime) {
		if !marker() {
			forever()
		}
	},
	"init-slow":  func(*fakeRuntime) { forever() },
	"init-print": func(*fakeRuntime) { fmt.Println("initialising") },
	"exit-idle":  func(*fakeRuntime) {},
	"gate-twice": func(*fakeRuntime) {
		if countInit() > 2 {
			os.Exit(3)
		}
	},
	"gate-hang": func(*fakeRuntime) {
		if countInit() > 2 {
			_ = os.WriteFile(os.Getenv("INITS")+".hangs", nil, 0o600)
			forever()
		}
	},
}

// countInit counts in the file that INITS names.
func countInit() int64 {
	f, err := os.OpenFile(os.Getenv("INITS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(96)
	}
	f.WriteString("x")
	st, err := f.Stat()
	if err != nil {
		os.Exit(95)
	}
	return st.Size()
}

// handlers handle one event.
var handlers = map[string]func(*fakeRuntime, string){
	"echo": func(r *fakeRuntime, event string) { r.respond(event) },
	"raise": func(r *fakeRuntime, _ string) {
		r.post("invocation/"+r.id+"/error", `{"errorMessage": "nope", "errorType": "ValueError"}`)
	},
	"panic": func(r *fakeRuntime, _ string) {
		r.post("invocation/"+r.id+"/error", `{"errorMessage":"boom","errorType":"string"}`, "Lambda-Runtime-Function-Error-Type: Runtime.Panic")
		os.Exit(2)
	},
	"exit0": func(*fakeRuntime, string) { os.Exit(0) },
	"exit7": func(*fakeRuntime, string) { fmt.Print("bye"); os.Exit(7) },
	"kill":  func(*fakeRuntime, string) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); forever() },
	"segv": func(*fakeRuntime, string) { // Go catches the signal, a shell does not
		_ = syscall.Exec("/bin/sh", []string{"sh", "-c", "kill -SEGV $$"}, nil)
	},
	"sleep": func(*fakeRuntime, string) { forever() },
	"big":   func(r *fakeRuntime, _ string) { r.respond(strings.Repeat("x", 7<<20)) },
	"limit": func(r *fakeRuntime, _ string) { r.respond(strings.Repeat("x", 6291556)) },
	"big-exit": func(r *fakeRuntime, _ string) {
		r.respond(strings.Repeat("x", 7<<20))
		os.Exit(1)
	},
	"respond-exit": func(r *fakeRuntime, event string) { r.respond(event); os.Exit(3) },
	"respond-dying": func(r *fakeRuntime, event string) {
		r.write(postRequest("invocation/"+r.id+"/response", event))
		os.Exit(3) // without waiting for the server
	},
	"respond-linger": func(r *fakeRuntime, event string) { r.respond(event); forever() },
	"print": func(r *fakeRuntime, event string) {
		fmt.Println("one")
		fmt.Fprintln(os.Stderr, "two\rlines")
		fmt.Print("three")
		r.respond(event)
		fmt.Println(" four")
		fmt.Print("five")
	},
	"flood": func(r *fakeRuntime, event string) {
		line := bytes.Repeat([]byte("y"), 1000)
		line = append(line, '\n')
		for range 2000 {
			os.Stdout.Write(line)
		}
		r.respond(event)
	},
	"endless": func(r *fakeRuntime, event string) {
		if r.calls == 1 {
			go func() {
				for {
					fmt.Println("y")
				}
			}()
		}
		r.respond(event)
	},
	"env": func(r *fakeRuntime, _ string) {
		b, _ := json.Marshal(os.Environ())
		r.respond(string(b))
	},
	// state tells a reused process (calls) from a reused environment (marker).
	"state": func(r *fakeRuntime, event string) {
		seen := marker()
		switch event {
		case `"exit"`:
			os.Exit(1)
		case `"sleep"`:
			forever()
		}
		r.respond(fmt.Sprintf(`{"calls":%d,"marker":%v}`, r.calls, seen))
	},
	// gate answers when the file that the event names is there; it says that it runs by making another.
	"gate": func(r *fakeRuntime, event string) {
		var name string
		_ = json.Unmarshal([]byte(event), &name)
		_ = os.WriteFile(name+".running", nil, 0o600)
		for {
			if _, err := os.Stat(name); err == nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
		r.respond(event)
	},
}

func (r *fakeRuntime) run(handler string) {
	if f := initialisers[handler]; f != nil {
		f(r)
	}
	if handler == "exit-idle" && !marker() {
		r.write(getNext)
		_, _ = r.nc.Read(make([]byte, 0)) // the request is on its way
		os.Exit(0)
	}
	handle := handlers[handler]
	if strings.HasPrefix(handler, "gate-") {
		handle = handlers["gate"]
	}
	if handle == nil {
		handle = handlers["echo"]
	}
	if handler == "pipelined" {
		r.pipelined()
	}
	for {
		handle(r, r.next())
	}
}

// pipelined answers and asks in one write, as lamina's own clients do.
func (r *fakeRuntime) pipelined() {
	event := r.next()
	for {
		r.write(postRequest("invocation/"+r.id+"/response", event) + getNext)
		r.read()
		event, _ = r.read()
	}
}
