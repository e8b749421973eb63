// Package helper is the program of lamina-init: PID 1 of a sandbox.
//
// It is cloned into new namespaces, by the server or by itself (clone.go), with the control socket (package initproto) as
// descriptor 3. It builds the root that the server describes, gives up the host's, and then serves the socket: it opens
// sockets in the sandbox's network, starts processes, sends signals, reaps, and reports exits. When the socket closes it
// exits, and the kernel kills all that is left.
//
// Three kinds of threads share its work:
//
//   - The control loop answers the socket, one request after the other, with all the capabilities that the user
//     namespace gives.
//   - The spawner is one thread that has given up everything (see spawner.go); children inherit from the thread that
//     starts them, so a spawned process never holds a privilege, not even before its exec.
//   - The reaper waits for children, its own and orphans.
//
// When it is asked nothing for a while, it becomes a process without Go that only waits (rest.go, asleep.go), and itself again
// when it is asked something.
//
// Nothing in it is configured, and it holds no secret: what it knows, processes in the sandbox may know too. It is small
// on purpose (no fmt, no net, no encoding/json): it is started for every cold start.
package helper

import (
	"math"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Name is argv[0] of the helper. A program that serves as its own helper calls Main when it is started under it.
const Name = "lamina-init"

// Main is the whole life of the helper. It never returns.
func Main() {
	if os.Getpid() != 1 {
		os.Stderr.WriteString("lamina-init: it is started by the lamina server as PID 1 of a sandbox, not by hand\n")
		os.Exit(2)
	}
	resetSignals()
	if err := keepDescriptors(); err != nil {
		os.Exit(1)
	}
	c := &control{fd: initproto.ControlFD}
	if len(os.Args) > 1 && (os.Args[1] == argAwake || os.Args[1] == argAsleep) {
		awake(c, os.Args[2:]).run()
		c.end()
	}
	flags := os.Args[1:]
	if len(flags) > 0 && strings.HasPrefix(flags[0], ArgClone) {
		flags = flags[1:]
	}
	if slices.Contains(flags, initproto.AwaitIDs) && !c.awaitIDs() {
		os.Exit(1)
	}
	base, failure := assembleBase()
	c.send(initproto.VerbHello, 0, initproto.Reply{Failure: failure}.Append(nil))
	if failure.Failed() {
		os.Exit(1)
	}
	(&session{control: c, base: base, rootOpen: true, flags: flags}).run()
	c.end()
}

// keepDescriptors keeps the control socket, the program, and whatever the server itself was started with, from what is spawned.
func keepDescriptors() error {
	return unix.CloseRange(initproto.ControlFD, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
}

// session is what the helper knows after the base stands.
type session struct {
	control  *control
	base     *base
	failure  initproto.Failure // the first one while mounts came in
	rootOpen bool              // parts may still be added to the root
	spawner  *spawner          // nil before Setup
	reaper   *reaper
	// What a helper that wakes up needs again.
	flags      []string     // arguments of the first start
	groups     []int        // descriptors of cgroups for what is started
	processors *unix.CPUSet // those that it may use; nil: all
}

// run serves the control socket until it closes or speaks nonsense.
func (s *session) run() {
	for {
		p, err := s.control.receive()
		if err == unix.EAGAIN {
			s.rest()
			continue
		}
		if err != nil {
			return
		}
		s.serve(p)
		p.close()
	}
}

func (s *session) serve(p *packet) {
	if s.spawner == nil {
		s.serveSetup(p)
		return
	}
	switch p.msg.Verb {
	case initproto.VerbListen:
		s.open(p, listen)
	case initproto.VerbConnect:
		s.open(p, connect)
	case initproto.VerbSpawn:
		s.spawn(p)
	case initproto.VerbSignal:
		s.signal(p)
	case initproto.VerbKillAll:
		s.reaper.killAll()
		s.reply(p, initproto.Reply{})
	case initproto.VerbStatus:
		s.reply(p, initproto.Reply{Count: s.reaper.count()})
	case initproto.VerbMounts:
		s.mounts(p)
	case initproto.VerbFinish:
		s.finish(p)
	case initproto.VerbOutside:
		s.outside(p)
	case initproto.VerbFlow:
		s.flow(p)
	default:
		s.reply(p, initproto.Reply{Failure: initproto.Failure{Op: "serve", Text: "unknown verb"}})
	}
}

func (s *session) serveSetup(p *packet) {
	switch p.msg.Verb {
	case initproto.VerbMounts:
		s.mounts(p)
	case initproto.VerbSetup:
		s.setup(p)
	default:
		s.reply(p, initproto.Reply{Failure: initproto.Failure{Op: "serve", Text: "not set up yet"}})
	}
}

// mounts adds to a root that is open. A failure is told with the answer to what closes it.
func (s *session) mounts(p *packet) {
	switch {
	case s.failure.Failed():
	case !s.rootOpen:
		s.failure = initproto.Failure{Op: "show", Text: "the root is closed"}
	default:
		s.failure = s.base.addMounts(p)
	}
}

// finish closes a root that Setup left open.
func (s *session) finish(p *packet) {
	m, err := initproto.ParseFinish(p.msg.Body)
	switch {
	case err != nil:
		s.failure = fail("parse", "finish", err)
	case !s.failure.Failed() && !s.rootOpen:
		s.failure = initproto.Failure{Op: "finish", Text: "the root is closed"}
	case !s.failure.Failed():
		s.rootOpen = false
		s.failure = s.base.finish(m)
		s.processors = s.base.processors
		s.confineSpawner()
		s.allowRest()
	}
	s.reply(p, initproto.Reply{Failure: s.failure})
}

func (s *session) setup(p *packet) {
	m, err := initproto.ParseSetup(p.msg.Body)
	if err != nil {
		s.failure = fail("parse", "setup", err)
	}
	proc := -1
	if !s.failure.Failed() {
		proc, s.failure = s.base.setUp(m)
	}
	if n := len(p.descriptors) - int(m.Freezers); !s.failure.Failed() && n >= 0 {
		s.control.freezers = p.descriptors[n:]
		p.descriptors = p.descriptors[:n]
	}
	if s.failure.Failed() {
		s.reply(p, initproto.Reply{Failure: s.failure})
		return
	}
	s.reaper = newReaper(s.control)
	s.reaper.begin()
	s.groups, p.descriptors = p.descriptors, nil
	s.spawner = s.base.spawner
	s.failure = s.spawner.enter(s.groups)
	s.processors = s.base.processors
	s.confineSpawner()
	s.rootOpen = m.Open
	s.allowRest()
	s.reply(p, initproto.Reply{Failure: s.failure}, proc)
	unix.Close(proc)
}

// confineSpawner keeps what will be started to the sandbox's processors.
func (s *session) confineSpawner() {
	if set := s.processors; set != nil && !s.failure.Failed() {
		s.spawner.do(func() { confine(set, 0) })
	}
}

func (s *session) signal(p *packet) {
	m, err := initproto.ParseSignal(p.msg.Body)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("parse", "signal", err)})
		return
	}
	s.reply(p, initproto.Reply{Failure: fail("signal", "", s.reaper.signal(m))})
}

func (s *session) reply(p *packet, r initproto.Reply, descriptors ...int) {
	if err := s.control.send(initproto.VerbReply, p.msg.Seq, r.Append(nil), descriptors...); err != nil {
		s.control.send(initproto.VerbReply, p.msg.Seq, initproto.Reply{Failure: fail("send descriptors", "", err)}.Append(nil))
	}
}

// fail is the failure of an operation; of a nil error it is success.
func fail(op, path string, err error) initproto.Failure {
	if err == nil {
		return initproto.Failure{}
	}
	if errno, ok := err.(unix.Errno); ok {
		return initproto.Failure{Op: op, Path: path, Errno: uint64(errno)}
	}
	return initproto.Failure{Op: op, Path: path, Text: err.Error()}
}
