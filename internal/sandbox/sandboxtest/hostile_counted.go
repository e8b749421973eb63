package sandboxtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox"
)

// testCounted has one sandbox take all that it can get of what the kernel counts for a user, while another account's, and the
// server, need some of it.
func testCounted(e *env) {
	other := e.create(e.otherSpec())
	for what := range counted {
		if what == underWay && e.single() {
			continue // testCountedTogether
		}
		s := e.create(e.hostileSpec())
		p, r := e.attack(s, "take "+what)
		e.equal(what, e.readLine(r), "taken")
		e.refused(other, "take-one "+what)
		if err := e.listen(other); err != nil {
			e.Fatalf("beside a hog of %s: %v", what, err)
		}
		e.equal("a new one beside a hog of "+what, e.output(e.create(e.spec()), `echo fine`), "fine")
		if err := s.KillAll(e.Context()); err != nil {
			e.Errorf("%s: kill all: %v", what, err)
		}
		e.wait(p)
		s.Close()
	}
	e.refused(other, "watch")
}

// testCountedTogether has one sandbox take all the descriptors that may be under way. With one user ID they are counted for all
// sandboxes: others are held up, and live.
func testCountedTogether(e *env) {
	single := e.single() // it makes a sandbox
	other, s := e.create(e.otherSpec()), e.create(e.hostileSpec())
	p, r := e.attack(s, "take "+underWay)
	e.equal(underWay, e.readLine(r), "taken")
	if err := e.listen(other); err != nil && !single {
		e.Errorf("beside a hog of %s: %v", underWay, err)
	}
	if err := p.Signal(unix.SIGKILL); err != nil {
		e.Error(err)
	}
	e.wait(p)
	s.Close()
	// The kernel lets go of them a little later.
	e.eventually("another one listens again", func() bool { return e.listen(other) == nil })
	e.equal("another one", e.output(other, `echo fine`), "fine")
}

// otherSpec is of another account.
func (e *env) otherSpec() sandbox.Spec {
	spec := e.hostileSpec()
	spec.Account = "210987654321"
	return spec
}

// listen has a sandbox answer with a descriptor.
func (e *env) listen(s sandbox.Sandbox) error {
	l, err := s.Listen(e.Context(), "127.0.0.1:7000")
	if err == nil {
		err = l.Close()
	}
	return err
}

// testNoCores sees that no core is written, and that core_pattern's program is not started either.
func testNoCores(e *env) {
	s := e.create(e.spec())
	const limit = `grep "^Max core" /proc/self/limits | sed "s/  */ /g; s/ $//"`
	e.equal("limit", e.output(s, limit+`; ulimit -c 0; ulimit -c; ulimit -c unlimited; `+limit), "Max core file size 1 1 bytes\n0\nMax core file size 1 1 bytes")
	e.equal("a crash", e.output(s, `cd /tmp; exec 2>/dev/null; (sh -c 'kill -SEGV $$'); ls -A /tmp`), "")
}

// testLimitsAreNotInherited has a server whose user was given priorities.
func testLimitsAreNotInherited(e *env) {
	for _, which := range []int{unix.RLIMIT_RTPRIO, unix.RLIMIT_NICE} {
		var before unix.Rlimit
		if err := unix.Getrlimit(which, &before); err != nil {
			e.Fatal(err)
		}
		// An ordinary user can only take what there is.
		if os.Geteuid() != 0 {
			continue
		}
		if err := unix.Setrlimit(which, &unix.Rlimit{Cur: 30, Max: 30}); err != nil {
			e.Logf("limit %d cannot be raised here: %v", which, err)
			continue
		}
		defer unix.Setrlimit(which, &before)
	}
	s := e.create(e.spec())
	e.equal("limits", e.output(s, `grep -E "^Max (nice|realtime) priority" /proc/self/limits | sed "s/  */ /g; s/ $//"`), "Max nice priority 0 0\nMax realtime priority 0 0")
}

// testPrivilegedFiles runs what would give its caller another user or capabilities, from layers and from a folder.
func testPrivilegedFiles(e *env) {
	dir := e.folder()
	for name, from := range map[string]string{"id": "/usr/bin/id", "grep": "/usr/bin/grep"} {
		data, err := os.ReadFile(from)
		if err != nil {
			e.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o755); err != nil {
			e.Fatal(err)
		}
	}
	if err := unix.Chmod(filepath.Join(dir, "id"), 0o6755); err != nil {
		e.Fatal(err)
	}
	if os.Geteuid() == 0 {
		// All capabilities, effective at once: struct vfs_cap_data, version 2.
		all := []byte{1, 0, 0, 2, 255, 255, 255, 255, 0, 0, 0, 0, 255, 1, 0, 0, 0, 0, 0, 0}
		if err := unix.Setxattr(filepath.Join(dir, "grep"), "security.capability", all, 0); err != nil {
			e.Fatal(err)
		}
		if err := unix.Mknod(filepath.Join(dir, "mem"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 1))); err != nil {
			e.Fatal(err)
		}
		if err := unix.Chmod(filepath.Join(dir, "mem"), 0o666); err != nil {
			e.Fatal(err)
		}
	}
	s := e.create(e.spec(sandbox.Mount{Target: "/opt", Overlay: []string{dir}}, sandbox.Mount{Target: "/var/task", Bind: dir}))
	for _, at := range []string{"/opt", "/var/task"} {
		e.equal("user by "+at, e.output(s, at+`/id -u; `+at+`/id -g`), "993\n990")
		e.equal("capabilities by "+at, e.output(s, at+`/grep -E '^Cap(Prm|Eff)' /proc/self/status | tr -d '\t'`), "CapPrm:0000000000000000\nCapEff:0000000000000000")
		e.equal("a device in "+at, e.output(s, `head -c 1 `+at+`/mem 2>/dev/null | wc -c`), "0")
	}
}

// testHelperWithoutLimits takes PID 1 its resource limits away: whatever becomes of that sandbox, nothing waits for it.
func testHelperWithoutLimits(e *env) {
	other, s := e.create(e.hostileSpec()), e.create(e.hostileSpec())
	p, _ := e.attack(s, "lower")
	e.wait(p)
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	_, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/true", Dir: "/"})
	if errors.Is(err, context.DeadlineExceeded) {
		e.Errorf("spawn: %v", err)
	}
	if err := s.KillAll(ctx); errors.Is(err, context.DeadlineExceeded) {
		e.Errorf("kill all: %v", err)
	}
	began := time.Now()
	s.Close()
	if time.Since(began) > patience {
		e.Error("it does not close")
	}
	e.equal("another one", e.output(other, `echo fine`), "fine")
}

// testOwnSession sees that what a process sends to its group reaches nobody outside: it leads a session.
func testOwnSession(e *env) {
	s := e.create(e.spec())
	e.equal("parent group session", e.output(s, `read -r self _ _ parent group session _ </proc/self/stat; echo $parent $((group == self)) $((session == self))`), "1 1 1")
}
