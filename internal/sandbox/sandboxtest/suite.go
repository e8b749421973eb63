// Package sandboxtest is the suite that every sandbox driver passes, as root and as an ordinary user.
//
// A driver's test gives Main and Run a Suite. Run runs the cases as whoever runs the test; RunAsOrdinaryUser runs the
// same test again in a process of an unprivileged user when the test itself runs as root. Both say how many cases ran.
//
// Cases use nothing of the machine but /usr with a shell, bash and the core utilities, so they run on a bare Debian.
package sandboxtest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
)

// Suite is what the cases need to know of a driver.
type Suite struct {
	// Open makes a driver that keeps its state in a folder.
	Open func(stateDir string) (sandbox.Driver, error)
	// Leftovers lists what is outside of processes and still there of sandboxes whose ID begins so: cgroups.
	Leftovers func(idPrefix string) []string
	// Rests says that a sandbox's PID 1 goes to rest as soon as nobody asks anything of it.
	Rests bool
}

// patience is how long a case waits for what must happen. It only ends cases that fail.
const patience = 60 * time.Second

// Main is what a driver's TestMain calls. In a process that a case started to own sandboxes and be killed, it does that
// and does not return.
func Main(m *testing.M, s Suite) int {
	if dir := os.Getenv(ownerVariable); dir != "" {
		own(s, dir)
	}
	if what := os.Getenv(attackVariable); what != "" {
		attack(what)
	}
	code := m.Run()
	fmt.Printf("sandboxtest: %d cases ran as user %d, %d could not\n", ran.Load(), os.Geteuid(), skipped.Load())
	return code
}

// leastCases is how many cases have to run, whoever runs them: all, but for three that need cgroups to freeze and to limit the
// processor with, which an ordinary user may lack.
const leastCases = 57

var ran, skipped atomic.Int64

// Run runs every case.
func Run(t *testing.T, s Suite) {
	before := ran.Load()
	RunOnly(t, s)
	if n := ran.Load() - before; n < leastCases && !selected() {
		t.Errorf("%d cases ran as user %d, there have to be %d", n, os.Geteuid(), leastCases)
	}
}

// selected tells whether -run names single cases.
func selected() bool { return strings.Contains(flag.Lookup("test.run").Value.String(), "/") }

// RunOnly runs the named cases, or all when none is named.
func RunOnly(t *testing.T, s Suite, names ...string) {
	for _, c := range cases {
		if len(names) > 0 && !slices.Contains(names, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if t.Skipped() {
					skipped.Add(1)
				} else {
					ran.Add(1)
				}
			}()
			c.run(newEnv(t, s))
		})
	}
}

type testCase struct {
	name string
	run  func(*env)
}

var cases = []testCase{
	{"identity", testIdentity},
	{"users of accounts", testAccounts},
	{"no privileges", testNoPrivileges},
	{"no new namespaces or mounts", testNoNamespaces},
	{"the helper cannot be harmed or read", testHelperIsSafe},
	{"sandboxes do not see each other", testApart},

	{"only the mounts are there", testOnlyMounts},
	{"nothing can be written but tmp", testReadOnly},
	{"files links masks", testParts},
	{"many and large files", testManyFiles},
	{"optional mounts", testOptional},
	{"overlay order", testOverlayOrder},
	{"overlay of one and of none", testSmallOverlays},
	{"owner and modes", testOwner},
	{"bad root", testBadRoot},
	{"size of tmp", testTmp},

	{"listen", testListen},
	{"connect", testConnect},
	{"reach", testReach},
	{"no network", testNoNetwork},

	{"arguments environment folder", testCommand},
	{"descriptors", testDescriptors},
	{"exit codes and signals", testExits},
	{"commands that cannot start", testBadCommands},
	{"orphans", testOrphans},
	{"kill all", testKillAll},

	{"open files umask", testResourceLimits},
	{"process limit", testProcessLimit},
	{"fork bomb", testForkBomb},
	{"memory use", testMemoryUse},
	{"memory limit", testMemoryLimit},
	{"share of the processor", testProcessorShare},
	{"processors that are seen", testProcessorsSeen},

	{"hostile system calls", testHostileCalls},
	{"hostile to the kernel's settings", testHostileSettings},
	{"hostile to PID 1", testHostileToHelper},
	{"hostile to a busy PID 1", testHostileToBusyHelper},
	{"hostile to the network", testHostileNetwork},
	{"hostile to another sandbox", testHostileToAnother},
	{"hostile to the host's files", testHostileToHost},
	{"hogs beside others", testHogs},
	{"endless output", testEndlessOutput},
	{"thread hog", testThreadHog},
	{"hogs of what is counted", testCounted},
	{"a hog of what is counted for all", testCountedTogether},
	{"no cores", testNoCores},
	{"priorities of the server's user", testLimitsAreNotInherited},
	{"set-user-ID files capabilities devices", testPrivilegedFiles},
	{"hostile to the limits of PID 1", testHelperWithoutLimits},
	{"a session of its own", testOwnSession},

	{"complete", testComplete},
	{"freeze", testFreeze},
	{"the end of what is frozen", testFrozenEnds},
	{"close", testClose},
	{"killed helper", testKilledHelper},
	{"create and give up", testGiveUp},
	{"one ID once", testOneID},
	{"driver close", testDriverClose},
	{"probe", testProbe},
	{"many sandboxes leave nothing", testMany},
	{"killed owner", testKilledOwner},
}

// env is what a case works with.
type env struct {
	*testing.T
	suite  Suite
	driver sandbox.Driver
	state  string
	ids    int
}

// newEnv opens a driver. At the end of the case nothing may be left.
func newEnv(t *testing.T, s Suite) *env {
	e := &env{T: t, suite: s, state: t.TempDir()}
	before := takeInventory()
	e.driver = e.open()
	t.Cleanup(func() {
		if err := e.driver.Close(); err != nil {
			t.Errorf("closing the driver: %v", err)
		}
		e.sameAs(before)
	})
	return e
}

func (e *env) open() sandbox.Driver {
	e.Helper()
	d, err := e.suite.Open(e.state)
	if err != nil {
		e.Fatalf("cannot open the driver: %v", err)
	}
	if err := d.Recover(e.Context()); err != nil {
		e.Fatalf("cannot recover: %v", err)
	}
	return d
}

// prefix begins the IDs of a case's sandboxes.
func (e *env) prefix() string { return fmt.Sprintf("t%d-", os.Getpid()) }

// spec is a sandbox in which shell scripts run.
func (e *env) spec(root ...sandbox.Mount) sandbox.Spec {
	e.ids++
	return sandbox.Spec{
		ID:        fmt.Sprintf("%s%s-%d", e.prefix(), filepath.Base(e.state), e.ids),
		Account:   "123456789012",
		Root:      append(system(), root...),
		TmpSize:   16 << 20,
		Memory:    128 << 20,
		Processes: 64,
	}
}

// system shows the host's programs. On a merged /usr the others are links.
func system() []sandbox.Mount {
	return []sandbox.Mount{
		{Target: "/usr", Bind: "/usr"},
		{Target: "/bin", Link: "usr/bin"},
		{Target: "/sbin", Link: "usr/sbin"},
		{Target: "/lib", Link: "usr/lib"},
		{Target: "/lib64", Link: "usr/lib64"},
	}
}

// create makes a sandbox, which the end of the case closes.
func (e *env) create(spec sandbox.Spec) sandbox.Sandbox {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	s, err := e.driver.Create(ctx, spec)
	if err != nil {
		e.Fatalf("cannot create a sandbox: %v", err)
	}
	e.Cleanup(func() { s.Close() })
	return s
}

// spawn starts a shell script with a pipe for its output and errors.
func (e *env) spawn(s sandbox.Sandbox, script string, extra ...*os.File) (sandbox.Process, *os.File) {
	e.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { r.Close() })
	defer w.Close()
	p, err := s.Spawn(e.Context(), sandbox.Command{
		Path: "/bin/bash", Args: []string{"bash", "-c", script}, Env: []string{"PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C"},
		Dir: "/", Stdout: w, Stderr: w, ExtraFiles: extra,
	})
	if err != nil {
		e.Fatalf("cannot start %q: %v", script, err)
	}
	return p, r
}

// run runs a script to its end and gives what it printed, without space at the ends.
func (e *env) run(s sandbox.Sandbox, script string) (string, sandbox.Exit) {
	e.Helper()
	p, r := e.spawn(s, script)
	out := e.readAll(r)
	return out, e.wait(p)
}

// output runs a script that must succeed.
func (e *env) output(s sandbox.Sandbox, script string) string {
	e.Helper()
	out, exit := e.run(s, script)
	if exit.Code != 0 || exit.Signal != 0 {
		e.Fatalf("%q ended with %v: %s", script, exit, out)
	}
	return out
}

func (e *env) wait(p sandbox.Process) sandbox.Exit {
	e.Helper()
	ctx, cancel := context.WithTimeout(e.Context(), patience)
	defer cancel()
	exit, err := p.Wait(ctx)
	if err != nil {
		e.Fatalf("waiting for a process: %v", err)
	}
	return exit
}

func (e *env) readAll(r *os.File) string {
	e.Helper()
	r.SetReadDeadline(time.Now().Add(patience))
	var b strings.Builder
	if _, err := r.WriteTo(&b); err != nil {
		e.Fatalf("reading output: %v, after %q", err, b.String())
	}
	return strings.TrimSpace(b.String())
}

// readLine waits for one line of a process that goes on.
func (e *env) readLine(r *os.File) string {
	e.Helper()
	r.SetReadDeadline(time.Now().Add(patience))
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil {
			e.Fatalf("reading a line: %v, after %q", err, line)
		}
		if b[0] == '\n' {
			return string(line)
		}
		line = append(line, b[0])
	}
}

// eventually waits for something that has no event of its own.
func (e *env) eventually(what string, ok func() bool) {
	e.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			e.Fatalf("it did not happen: %s", what)
		}
	}
}

// folder makes a folder with files from pairs of path and text.
func (e *env) folder(files ...string) string {
	e.Helper()
	dir, err := os.MkdirTemp(e.TempDir(), "layer")
	if err != nil {
		e.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		e.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			e.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			e.Fatal(err)
		}
	}
	return dir
}

// equal compares what came with what was wanted.
func (e *env) equal(what, got, want string) {
	e.Helper()
	if got != want {
		e.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
