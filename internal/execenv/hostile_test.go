package execenv_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// hostileCode does harm as its event says. What it answers is checked as well: an attack that fails lets it go on.
const hostileCode = `
import json, os, signal, socket, subprocess, sys, threading, time

def handler(event, context):
    return globals()[event["do"]](event)

def work(event):
    return "fine"

def endless(event):
    chunk = b"x" * (1 << 20)
    while True:
        os.write(1, chunk)

def lines(event):
    chunk = b"x\n" * (1 << 15)
    while True:
        os.write(2, chunk)

def gigabyte(event):
    chunk = memoryview(b"x" * (1 << 20))
    for _ in range(1024):
        left = chunk
        while left:
            left = left[os.write(1, left):]
    os.write(1, b"\n")
    return "printed"

def stay(event):
    subprocess.Popen(["/bin/sleep", event["mark"]], start_new_session=True)
    threading.Thread(target=spin, daemon=True).start()
    return "left"

def spin():
    while True:
        pass

def first_process(event):
    for s in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV):
        try:
            os.kill(1, s)
        except PermissionError:
            pass
    return sorted(os.listdir("/proc/self/fd"))[:3]

def header(event):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    s = socket.create_connection((host, int(port)))
    try:
        s.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (8 << 20) + b"\r\n\r\n")
        answer = s.recv(64)
    except ConnectionError:
        answer = b""
    return "refused" if not answer.startswith(b"HTTP/1.1 2") else answer.decode()

def flood(event):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    held = []
    try:
        while len(held) < 2000:
            held.append(socket.create_connection((host, int(port)), 1))
    except OSError:
        pass
    return len(held) <= 1024

def another(event):
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    said = []
    for what in ("response", "error"):
        s = socket.create_connection((host, int(port)))
        s.sendall(b"POST /2018-06-01/runtime/invocation/%s/%s HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nConnection: close\r\n\r\n\"wrong\""
                  % (event["of"].encode(), what.encode()))
        answer = b""
        while chunk := s.recv(4096):
            answer += chunk
        said.append([int(answer.split()[1]), json.loads(answer.split(b"\r\n\r\n", 1)[1])["errorType"]])
    return said

def threads(event):
    held, stop = 0, threading.Event()
    try:
        while held < 3000:
            threading.Thread(target=stop.wait, daemon=True).start()
            held += 1
    except RuntimeError:
        pass
    stop.set()
    return held < 1024

def control(event):
    # Whatever sockets there are: our own descriptors, and names that anybody could connect to.
    for fd in range(3, 1024):
        try:
            s = socket.socket(fileno=os.dup(fd))
            s.shutdown(socket.SHUT_RDWR)
            s.close()
        except OSError:
            pass
    for line in open("/proc/net/unix").read().splitlines()[1:]:
        name = line.split()[7:]
        if name and name[0].startswith("@"):
            return name[0]
    return "no names"

def links(event):
    for at in ("/tmp/link", "/tmp/log"):
        if not os.path.lexists(at):
            os.symlink("/etc/shadow", at)
    try:
        return open("/tmp/link").read()
    except OSError as e:
        return type(e).__name__
`

// newHostile is a bench without a log that keeps all, a hostile function, and another one that works.
func newHostile(t *testing.T) (b *bench, hostile, victim *lambda.Revision) {
	t.Helper()
	b, python := newLinuxBench(t, func(o *execenv.Options) { o.Bus = telemetry.NewBus() })
	for _, rev := range []**lambda.Revision{&hostile, &victim} {
		r := b.revision("app.handler")
		r.Config.Runtime = python
		r.Code = b.tree(map[string]string{"app.py": hostileCode})
		*rev = r
	}
	victim.Key.Name = "victim"
	return b, hostile, victim
}

func TestHostileFunctions(t *testing.T) {
	b, hostile, victim := newHostile(t)
	timedOut := func(id string) string {
		return platformBody("Sandbox.Timedout", "RequestId: "+id+" Error: Task timed out after 2.00 seconds")
	}
	answers := func(s string) func(string) string { return func(string) string { return s } }
	for i, tc := range []struct {
		do      string
		timeout int
		want    func(id string) string
	}{
		{"endless", 2, timedOut},
		{"lines", 2, timedOut},
		{"gigabyte", 120, answers(`"printed"`)},
		{"first_process", 30, answers(`["0", "1", "2"]`)},
		{"header", 30, answers(`"refused"`)},
		{"flood", 30, answers(`true`)},
		{"links", 30, answers(`"FileNotFoundError"`)},
		{"threads", 30, answers(`true`)},
		{"another", 30, answers(`[[400, "InvalidRequestID"], [400, "InvalidRequestID"]]`)},
	} {
		t.Run(tc.do, func(t *testing.T) {
			rev := *hostile
			b.revisions++
			rev.Number, rev.Config.Timeout = b.revisions, tc.timeout
			id := fmt.Sprintf("00000000-0000-0000-0000-%012d", i)
			before := highWater(t)
			var attack sync.WaitGroup
			attack.Go(func() {
				check(t, "answer", string(b.invoke(&rev, id, fmt.Sprintf(`{"do": %q, "of": "of-the-victim"}`, tc.do), true).Payload), tc.want(id))
			})
			for range 3 {
				check(t, "the other function", string(b.invoke(victim, "of-the-victim", `{"do": "work"}`, false).Payload), `"fine"`)
			}
			attack.Wait()
			check(t, "itself afterwards", string(b.invoke(&rev, id, `{"do": "work"}`, true).Payload), `"fine"`)
			if grown := highWater(t) - before; grown > 256<<20 {
				t.Errorf("the server took %d bytes for it", grown)
			}
		})
	}
}

// highWater is the most memory that this process had.
func highWater(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if kb, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("there is no VmHWM")
	return 0
}

// What closes its own way to the server harms itself alone: the runtime's connection is one of its descriptors.
func TestHostileFunctionClosesSockets(t *testing.T) {
	b, hostile, victim := newHostile(t)
	got := string(b.invoke(hostile, "a", `{"do": "control"}`, true).Payload)
	if want := `"no names"`; got != want && !strings.Contains(got, "Runtime.ExitError") {
		t.Errorf("got %s, want %s or the end of the runtime", got, want)
	}
	check(t, "the other function", string(b.invoke(victim, "b", `{"do": "work"}`, true).Payload), `"fine"`)
	check(t, "itself afterwards", string(b.invoke(hostile, "c", `{"do": "work"}`, true).Payload), `"fine"`)
}

// What a function leaves running may run as long as its environment, and not longer.
func TestHostileFunctionStaysAlive(t *testing.T) {
	b, hostile, victim := newHostile(t)
	mark := fmt.Sprintf("1000.%d", os.Getpid())
	check(t, "answer", string(b.invoke(hostile, "a", fmt.Sprintf(`{"do": "stay", "mark": %q}`, mark), true).Payload), `"left"`)
	if n := running(mark); n != 1 {
		t.Fatalf("%d processes were left, want 1", n)
	}
	check(t, "the other function", string(b.invoke(victim, "b", `{"do": "work"}`, true).Payload), `"fine"`)
	check(t, "itself", string(b.invoke(hostile, "c", `{"do": "work"}`, true).Payload), `"fine"`)
	if err := b.pool.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := running(mark); n != 0 {
		t.Errorf("%d processes are left", n)
	}
}

// running counts the processes of this machine that have a word in their command line.
func running(word string) (n int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && strings.Contains(string(data), "\x00"+word+"\x00") {
			n++
		}
	}
	return n
}
