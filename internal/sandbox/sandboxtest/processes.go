package sandboxtest

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

func testCommand(e *env) {
	s := e.create(e.spec())
	r, w, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	defer r.Close()
	p, err := s.Spawn(e.Context(), sandbox.Command{
		Path: "/usr/bin/bash", Args: []string{"my name", "-c", `echo "$0|$1|$2"; pwd; cat; tr '\0' '\n' </proc/$$/environ`, "zero", "", "two words"},
		Env: []string{"A=1", "B=x y"}, Dir: "/usr/bin", Stdout: w,
	})
	w.Close()
	if err != nil {
		e.Fatal(err)
	}
	out := e.readAll(r)
	e.wait(p)
	for _, want := range []string{"zero||two words\n/usr/bin\n", "A=1\n", "B=x y\n"} {
		if !strings.Contains(out+"\n", want) {
			e.Errorf("%q is missing in %q", want, out)
		}
	}
	if strings.Contains(out, "GOMAXPROCS") || strings.Contains(out, "HOME=") {
		e.Errorf("a foreign variable: %q", out)
	}
	if p.PID() <= 1 {
		e.Errorf("PID %d", p.PID())
	}
}

func testDescriptors(e *env) {
	s := e.create(e.spec())
	r3, w3, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	defer r3.Close()
	r4, w4, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	defer w4.Close()
	p, r := e.spawn(s, `read x <&4; echo "got $x" >&3; exec 3>&-; ls -m /proc/$$/fd; read -r y; echo "eof $?"`, w3, r4)
	w3.Close()
	r4.Close()
	if _, err := w4.WriteString("word\n"); err != nil {
		e.Fatal(err)
	}
	e.equal("descriptor 3", e.readAll(r3), "got word")
	// bash keeps no others; standard input is empty.
	e.equal("the rest", e.readAll(r), "0, 1, 2, 4\neof 1")
	e.wait(p)

	// A pipe that is full makes a program wait instead of failing: the descriptors do not inherit Go's non-blocking mode.
	p, r = e.spawn(s, `head -c 1000000 /dev/zero; echo end >&2`)
	if got := e.readAll(r); len(got) != 1000003 {
		e.Errorf("%d bytes of output", len(got))
	}
	e.wait(p)
}

func testExits(e *env) {
	s := e.create(e.spec())
	for script, want := range map[string]string{
		`true`:        "exit status 0",
		`exit 7`:      "exit status 7",
		`exit 255`:    "exit status 255",
		`kill -9 $$`:  "signal: killed",
		`kill $$`:     "signal: terminated",
		`kill -11 $$`: "signal: segmentation fault",
	} {
		before := time.Now()
		_, exit := e.run(s, script)
		e.equal(script, exit.String(), want)
		if exit.Time.Before(before.Add(-time.Second)) || exit.Time.After(time.Now().Add(time.Second)) {
			e.Errorf("%s ended at %v", script, exit.Time)
		}
	}
	p, r := e.spawn(s, `trap 'echo hup' HUP; echo ready; while :; do sleep 0.01; done`)
	e.equal("ready", e.readLine(r), "ready")
	if err := p.Signal(syscall.SIGHUP); err != nil {
		e.Fatal(err)
	}
	e.equal("a signal that is handled", e.readLine(r), "hup")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { e.equal("end", e.wait(p).String(), "signal: user defined signal 1") })
	}
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		e.Fatal(err)
	}
	all.Wait()
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		e.Errorf("a signal after the end: %v", err)
	}
}

func testBadCommands(e *env) {
	s := e.create(e.spec(
		sandbox.Mount{Target: "/opt", Overlay: []string{e.folder("plain", "#!/bin/sh\n", "elf", "not a program")}},
	))
	for name, c := range map[string]struct {
		path, dir, op string
		want          error
	}{
		"missing":        {"/opt/missing", "/", "fork/exec", fs.ErrNotExist},
		"not executable": {"/opt/plain", "/", "fork/exec", syscall.EACCES},
		"a folder":       {"/opt", "/", "fork/exec", syscall.EACCES},
		"no such folder": {"/bin/true", "/missing", "chdir", fs.ErrNotExist},
		"not a folder":   {"/bin/true", "/opt/plain", "chdir", syscall.ENOTDIR},
	} {
		_, err := s.Spawn(e.Context(), sandbox.Command{Path: c.path, Args: []string{c.path}, Dir: c.dir})
		var path *fs.PathError
		if !errors.Is(err, c.want) || !errors.As(err, &path) || path.Op != c.op {
			e.Errorf("%s: %v", name, err)
		}
	}
	e.equal("afterwards", e.output(s, `echo fine`), "fine")
}

func testOrphans(e *env) {
	s := e.create(e.spec())
	// The first child ends at once; what it leaves behind is a child of PID 1, ends too, and must not stay as a zombie.
	out := e.output(s, `
		for i in 1 2 3 4 5; do (setsid sleep 0 &) ; done
		while grep -lsE '^PPid:\s1$' /proc/[0-9]*/status | grep -v "/$$/" | grep -q .; do sleep 0.01; done
		echo none`)
	e.equal("children of PID 1", out, "none")
}

func testKillAll(e *env) {
	s := e.create(e.spec())
	e.output(s, `echo kept >/tmp/kept`)
	var list []sandbox.Process
	for range 3 {
		p, r := e.spawn(s, `trap '' TERM HUP INT; setsid sleep 1000 & (sleep 1000 &); echo ready; while :; do sleep 1; done`)
		e.equal("ready", e.readLine(r), "ready")
		list = append(list, p)
	}
	bomb, _ := e.spawn(s, `trap '' TERM; while :; do (while :; do :; done) & done 2>/dev/null`)
	if err := s.KillAll(e.Context()); err != nil {
		e.Fatalf("kill all: %v", err)
	}
	for _, p := range append(list, bomb) {
		e.equal("end", e.wait(p).String(), "signal: killed")
	}
	e.equal("processes", e.output(s, programs), "lamina-init\nbash")
	e.equal("tmp", e.output(s, `cat /tmp/kept`), "kept")
	if err := s.KillAll(e.Context()); err != nil {
		e.Errorf("with nothing to kill: %v", err)
	}
}
