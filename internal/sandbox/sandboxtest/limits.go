package sandboxtest

import (
	"os"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/sandbox"
)

func testResourceLimits(e *env) {
	spec := e.spec()
	spec.Processes = 1024
	s := e.create(spec)
	e.equal("limits", e.output(s, `ulimit -Sn; ulimit -Hn; ulimit -Su; ulimit -Hu; ulimit -Sl; ulimit -Hl; ulimit -Ss; umask`),
		"1024\n1024\n742\n742\n64\n64\n8192\n0022")
	out, exit := e.run(s, `for i in $(seq 10 1100); do eval "exec $i</dev/null"; done`)
	if exit.Code == 0 {
		e.Errorf("1100 files could be opened: %s", out)
	}
}

// testForkBomb resets a sandbox again and again while a bomb takes every process there is.
func testForkBomb(e *env) {
	spec := e.spec()
	spec.Processes = 20
	s := e.create(spec)
	for range 20 {
		p, out := e.spawn(s, `f() { f | f & }; f; f; echo burning; while :; do (:) & done`)
		e.readLine(out)
		if err := s.KillAll(e.Context()); err != nil {
			e.Fatalf("kill all: %v", err)
		}
		e.wait(p)
	}
	e.equal("afterwards", e.output(s, programs), "lamina-init\nbash")
}

func testProcessLimit(e *env) {
	spec, other := e.spec(), e.spec()
	spec.Processes, other.Processes = 20, 20
	s, o := e.create(spec), e.create(other)
	const script = `n=0; while [ $n -lt 60 ]; do sleep 1000 & n=$((n+1)); done; echo all`
	hog, out := e.spawn(s, script)
	e.eventually("the first sandbox is full", func() bool { return strings.Contains(e.peek(out), "Resource temporarily unavailable") })
	// Another sandbox has its own count, though its processes have the same user.
	e.equal("the other one", e.output(o, `for i in $(seq 1 15); do sleep 0.01 & done; wait; echo fine`), "fine")
	if err := s.KillAll(e.Context()); err != nil {
		e.Fatalf("kill all: %v", err)
	}
	e.wait(hog) // it was killed, or had given up itself
	e.equal("after the reset", e.output(s, `for i in $(seq 1 15); do sleep 0.01 & done; wait; echo fine`), "fine")
}

// peek reads what there is of a process's output.
func (e *env) peek(r *os.File) string {
	e.Helper()
	b := make([]byte, 4096)
	n, err := r.Read(b)
	if err != nil {
		e.Fatalf("reading output: %v", err)
	}
	return string(b[:n])
}

func testMemoryUse(e *env) {
	s := e.create(e.spec())
	const size = 20_000_000
	r3, w3, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	defer w3.Close()
	p, out := e.spawn(s, `x=$(head -c `+strconv.Itoa(size)+` /dev/zero | tr '\0' a); echo ready; read y <&3; x=; exec sleep 1000`, r3)
	r3.Close()
	e.equal("ready", e.readLine(out), "ready")
	u := s.Usage()
	if u.Memory < size || u.Memory > 128<<20 || u.Peak < u.Memory || u.OOMKilled {
		e.Errorf("while it holds %d bytes: %+v", size, u)
	}
	w3.WriteString("go\n")
	e.eventually("the memory is given back", func() bool { return s.Usage().Memory < size/2 })
	if again := s.Usage(); again.Peak < u.Memory {
		e.Errorf("the peak is forgotten: %+v, before %+v", again, u)
	}
	if err := p.Signal(9); err != nil {
		e.Error(err)
	}
	e.wait(p)
	s.Close()
	if last := s.Usage(); last.Peak < u.Memory {
		e.Errorf("after the end: %+v", last)
	}
}

func testMemoryLimit(e *env) {
	spec := e.spec()
	spec.Memory = 64 << 20
	s := e.create(spec)
	e.output(s, `echo kept >/tmp/kept`)
	bystander, r := e.spawn(s, `echo ready; exec sleep 1000`)
	e.equal("ready", e.readLine(r), "ready")
	hog, _ := e.spawn(s, `exec tail -c 1000M <(head -c 900M /dev/zero)`)
	e.equal("the hog", e.wait(hog).String(), "signal: killed")
	if u := s.Usage(); !u.OOMKilled || u.Peak < spec.Memory*9/10 {
		e.Errorf("after the kill: %+v", u)
	}
	// The limit is the sandbox's: everything in it goes.
	e.equal("the bystander", e.wait(bystander).String(), "signal: killed")
	if err := s.KillAll(e.Context()); err != nil {
		e.Fatalf("kill all: %v", err)
	}
	if u := s.Usage(); u.OOMKilled {
		e.Errorf("after the reset: %+v", u)
	}
	e.equal("tmp", e.output(s, `cat /tmp/kept`), "kept")
	e.manyHogs(s)
}

// manyHogs checks the limit for processes that break it only together.
func (e *env) manyHogs(s sandbox.Sandbox) {
	e.Helper()
	p, _ := e.spawn(s, `for i in 1 2 3 4 5 6 7 8; do { x=$(head -c 15000000 /dev/zero | tr '\0' a); sleep 1000; } & done; wait`)
	e.equal("many hogs", e.wait(p).String(), "signal: killed")
	if !s.Usage().OOMKilled {
		e.Error("many hogs: no OOM kill")
	}
}
