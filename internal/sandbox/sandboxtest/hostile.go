package sandboxtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

// attackProgram is where the hostile program lies: this test program itself.
const attackProgram = "/attack"

// hostileSpec is a sandbox with layers, code and the hostile program.
func (e *env) hostileSpec() sandbox.Spec {
	e.Helper()
	self, err := os.Executable()
	if err != nil {
		e.Fatal(err)
	}
	spec := e.spec(
		sandbox.Mount{Target: attackProgram, Bind: self},
		sandbox.Mount{Target: "/opt", Overlay: []string{e.folder("a", "a"), e.folder("b", "b")}},
		sandbox.Mount{Target: "/var/task", Overlay: []string{e.folder("app", "app")}},
	)
	spec.LocalAddrs = []string{"169.254.100.1"}
	spec.Memory = 256 << 20
	return spec
}

// attack starts the hostile program.
func (e *env) attack(s sandbox.Sandbox, what string) (sandbox.Process, *os.File) {
	e.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { r.Close() })
	defer w.Close()
	p, err := s.Spawn(e.Context(), sandbox.Command{
		Path: attackProgram, Args: []string{"attack"}, Env: []string{attackVariable + "=" + what}, Dir: "/tmp", Stdout: w, Stderr: w,
	})
	if err != nil {
		e.Fatalf("cannot start the hostile program: %v", err)
	}
	return p, r
}

// refused runs an attack to its end; all of it must have been refused.
func (e *env) refused(s sandbox.Sandbox, what string) {
	e.Helper()
	p, r := e.attack(s, what)
	out := e.readAll(r)
	if exit := e.wait(p); exit.Code != 0 || exit.Signal != 0 || out != "done" {
		e.Errorf("%s: %v\n%s", what, exit, out)
	}
}

func testHostileCalls(e *env) {
	s := e.create(e.hostileSpec())
	e.refused(s, "calls")
	e.equal("afterwards", e.output(s, `cat /opt/a /var/task/app; ls -A /tmp | sort | tr '\n' ' '`), "aappcapable given trusted")
}

// testHostileSettings tries to change the kernel, of which /proc shows more than its own.
func testHostileSettings(e *env) {
	s := e.create(e.hostileSpec())
	e.refused(s, "settings")
	e.equal("mounts", e.output(s, `while read -r _ at _ how _; do case $at in /proc|/proc/sys) echo $at ${how%%,*};; esac; done </proc/mounts`),
		"/proc rw\n/proc/sys ro")
}

func testHostileToHelper(e *env) {
	s := e.create(e.hostileSpec())
	what := "helper"
	if e.suite.Rests {
		what += " " + atRest
	}
	for range 3 {
		e.refused(s, what)
		e.equal("afterwards", e.output(s, `grep -c '^State:.[RSD]' /proc/1/status; echo fine`), "1\nfine")
	}
	if err := s.KillAll(e.Context()); err != nil {
		e.Errorf("kill all: %v", err)
	}
}

// testHostileToBusyHelper asks things of PID 1 while it is attacked: where it rests, it starts itself again each time.
func testHostileToBusyHelper(e *env) {
	s := e.create(e.hostileSpec())
	p, r := e.attack(s, "helper-forever")
	e.equal("the attack", e.readLine(r), "begun")
	for range 30 {
		l, err := s.Listen(e.Context(), "127.0.0.1:7000")
		if err != nil {
			e.Fatalf("listen: %v", err)
		}
		l.Close()
		e.equal("beside it", e.output(s, `echo fine`), "fine")
	}
	if err := p.Signal(9); err != nil {
		e.Errorf("signal: %v", err)
	}
	e.equal("its end", e.wait(p).String(), "signal: killed")
	e.equal("what it could do", e.readAll(r), "")
}

// testHostileNetwork tries all addresses of the host, its services, the metadata address, and another sandbox's.
func testHostileNetwork(e *env) {
	other := e.create(e.hostileSpec())
	api, err := other.Listen(e.Context(), "169.254.100.1:9001")
	if err != nil {
		e.Fatal(err)
	}
	defer api.Close()
	all, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		e.Fatal(err)
	}
	defer all.Close()
	abstract, err := net.Listen("unix", fmt.Sprintf("@lamina-sandboxtest-%d", os.Getpid()))
	if err != nil {
		e.Fatal(err)
	}
	defer abstract.Close()
	_, port, _ := net.SplitHostPort(all.Addr().String())
	words := []string{"169.254.100.1:9001", "169.254.169.254:80", "[fd00:ec2::254]:80", "127.0.0.1:" + port, "[::1]:" + port, abstract.Addr().String()}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		e.Fatal(err)
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			words = append(words, net.JoinHostPort(n.IP.String(), port))
		}
	}
	e.refused(e.create(e.hostileSpec()), "network "+strings.Join(words, " "))
}

// testHostileToAnother looks for what another sandbox of the same account holds: files, environment, memory.
func testHostileToAnother(e *env) {
	victim, s := e.create(e.hostileSpec()), e.create(e.hostileSpec())
	e.refused(victim, "ipc-owner")
	e.refused(s, "ipc")
	p, r := e.spawn(victim, `export SECRET=of-the-other; echo $SECRET >/tmp/secret; mkfifo /tmp/pipe; exec bash -c 'echo ready; read -r x </tmp/pipe'`)
	e.equal("the other one", e.readLine(r), "ready")
	out := e.output(s, `cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /tmp/* /proc/[0-9]*/root/tmp/* 2>/dev/null | tr '\0' '\n' | grep -a of-the-[o]ther; true`)
	e.equal("traces of the other", out, "")
	e.equal("processes", e.output(s, programs), "lamina-init\nbash")
	if err := p.Signal(9); err != nil {
		e.Error(err)
	}
	e.wait(p)
}

// testHostileToHost looks for the server's data folder and other files of the host, by name and through links.
func testHostileToHost(e *env) {
	secret := filepath.Join(e.state, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		e.Fatal(err)
	}
	s := e.create(e.hostileSpec())
	for _, path := range []string{secret, "/tmp/../" + secret, "/proc/self/root" + secret, "/proc/1/root" + secret, "/.lamina/old" + secret, "/opt/../.." + secret} {
		e.equal(path, e.output(s, fmt.Sprintf(`cat %q 2>/dev/null; ln -sf %q /tmp/link; cat /tmp/link 2>/dev/null; true`, path, path)), "")
	}
	// A layer's links are the sandbox's, too.
	dir := e.folder("x", "x")
	for name, target := range map[string]string{"secret": secret, "up": "../../../../../../../../" + secret} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			e.Fatal(err)
		}
	}
	s = e.create(e.spec(sandbox.Mount{Target: "/opt", Overlay: []string{dir}}, sandbox.Mount{Target: "/var/task", Bind: dir}))
	e.equal("links in layers", e.output(s, `cat /opt/secret /opt/up /var/task/secret /var/task/up 2>/dev/null; true`), "")
	// Names in /tmp mean nothing outside.
	e.output(s, `mkdir -p /tmp/a && ln -s / /tmp/a/root && ln -s /tmp/a /tmp/b`)
}

// testHogs has one sandbox take all it can of one thing after the other, while another one works.
func testHogs(e *env) {
	other := e.create(e.spec())
	for name, hog := range map[string]string{
		"processes":    `while :; do sleep 1000 & done 2>/dev/null`,
		"memory":       `while :; do tail -c 1000M <(head -c 900M /dev/zero); done`,
		"open files":   `while :; do for i in $(seq 10 1100); do eval "exec $i</dev/null"; done; done 2>/dev/null`,
		"processor":    `for i in 1 2 3 4 5 6 7 8; do (while :; do :; done) & done; wait`,
		"tmp":          `while :; do head -c 1000000 /dev/zero >>/tmp/full || :; done 2>/dev/null`,
		"files in tmp": `for ((i=0;;i++)); do mkdir -p /tmp/$((i%100))/$i; done 2>/dev/null`,
		"pipes":        `while :; do head -c 100000 /dev/zero | sleep 1000 & done 2>/dev/null`,
		"locks":        `while :; do flock -x /usr/bin/env true; done`,
	} {
		s := e.create(e.spec())
		p, r := e.spawn(s, "echo ready; "+hog)
		e.equal(name, e.readLine(r), "ready")
		for range 3 {
			e.equal("beside a hog of "+name, e.output(other, `echo fine >/tmp/fine; cat /tmp/fine`), "fine")
		}
		if err := s.KillAll(e.Context()); err != nil {
			e.Errorf("%s: kill all: %v", name, err)
		}
		e.wait(p)
		e.equal("after a hog of "+name, e.output(s, `rm -rf /tmp/* && echo fine`), "fine")
		s.Close()
	}
}

// testEndlessOutput reads little of a process that prints for ever: it waits, and dies like any other.
func testEndlessOutput(e *env) {
	s := e.create(e.hostileSpec())
	p, r := e.attack(s, "output")
	if n, err := io.CopyN(io.Discard, r, 10<<20); err != nil {
		e.Fatalf("after %d bytes: %v", n, err)
	}
	e.equal("beside it", e.output(s, `echo fine`), "fine")
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	if err := s.KillAll(ctx); err != nil {
		e.Errorf("kill all: %v", err)
	}
	e.equal("its end", e.wait(p).String(), "signal: killed")
	r.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, r); err != nil {
		e.Errorf("the rest: %v", err)
	}
}

// testThreadHog counts how far a program comes that starts processes until it is refused.
func testThreadHog(e *env) {
	spec := e.hostileSpec()
	spec.Processes = 100
	s := e.create(spec)
	p, r := e.attack(s, "threads")
	count, ok := strings.CutPrefix(e.readLine(r), "started ")
	if n, err := strconv.Atoi(count); !ok || err != nil || n < 20 || n > spec.Processes {
		e.Errorf("with a limit of %d it started %q", spec.Processes, count)
	}
	e.readAll(r)
	e.wait(p)
	if err := s.KillAll(e.Context()); err != nil {
		e.Errorf("kill all: %v", err)
	}
	e.equal("afterwards", e.output(s, programs), "lamina-init\nbash")
}
