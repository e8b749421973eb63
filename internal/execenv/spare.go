package execenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

// spare is a runtime that has booted in a sandbox of its account before it is known whose function it will run. It has seen
// nothing of any function: those get what they bring, and their variables, when they adopt it.
type spare struct {
	key     spareKey
	pool    *Pool
	runtime *runtimes.Runtime
	box     sandbox.Sandbox
	api     *runtimeapi.Server
	process *process
	pipe    *os.File // where it reads its variables
	owner   atomic.Pointer[environment]
	expiry  *time.Timer
}

// spareKey names the spares that can stand in for one another.
type spareKey struct {
	account string
	runtime lambda.Runtime
	memory  int // MB, of runtimes that are started for one size; else 0
}

// identityWait bounds writing variables into an empty pipe.
const identityWait = 5 * time.Second

// awaiting are the folders that a loader may look for when a runtime boots. One that was missing then would never be looked
// into again.
var awaiting = []string{taskRoot + "/lib", optRoot + "/lib"}

// bootSpare boots a runtime.
func (p *Pool) bootSpare(ctx context.Context, key spareKey) (*spare, error) {
	r, err := p.o.Runtimes.Resolve(ctx, key.runtime)
	if err != nil {
		return nil, err
	}
	s := &spare{key: key, pool: p, runtime: r}
	if err := s.boot(ctx); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *spare) boot(ctx context.Context) error {
	spec := s.pool.spec("spare-"+newID(), s.key.account, s.runtime)
	spec.Awaiting = awaiting
	box, err := s.pool.o.Sandboxes.Create(ctx, spec)
	if err != nil {
		return fmt.Errorf("cannot create a sandbox: %w", err)
	}
	s.box = box
	if s.api, err = s.pool.equip(ctx, box, s.key.account); err != nil {
		return err
	}
	return s.start(ctx)
}

// start starts the process, which waits for its variables at descriptor 4, behind the log's.
func (s *spare) start(ctx context.Context) error {
	how := s.runtime.Spare()
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("cannot make a pipe: %w", err)
	}
	defer r.Close()
	s.pipe = w
	env := slices.Clone(how.Env)
	for k, v := range systemVariables(s.runtime) {
		env = append(env, k+"="+v)
	}
	env = append(env, "AWS_LAMBDA_RUNTIME_API="+apiAddr, how.PipeVariable+"=4")
	if how.Sized {
		env = append(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE="+strconv.Itoa(s.key.memory))
	}
	args := s.runtime.Command(env)
	cmd := sandbox.Command{Path: args[0], Args: args, Env: env, Dir: taskRoot, ExtraFiles: []*os.File{r}}
	s.process, err = startProcess(ctx, s.box, cmd, true, s.publishLine)
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", args[0], err)
	}
	return nil
}

// publishLine takes what the process prints: for its function, once it has one.
func (s *spare) publishLine(line string) {
	if e := s.owner.Load(); e != nil {
		e.publishLine(line)
		return
	}
	s.pool.o.Log.Warn("a booted runtime had something to say", "runtime", s.key.runtime, "line", line)
}

// fits reports whether the spare is as a new sandbox of this runtime would be.
func (s *spare) fits(r *runtimes.Runtime) bool {
	select {
	case <-s.process.exited:
		return false
	case <-s.box.Done():
		return false
	default:
		return sameRuntime(s.runtime, r)
	}
}

// close ends a spare that nobody adopted.
func (s *spare) close() {
	if s.expiry != nil {
		s.expiry.Stop()
	}
	if s.box != nil {
		if err := s.box.Close(); err != nil {
			s.pool.o.Log.Error("cannot close a sandbox", "error", err)
		}
		s.pool.forget(s.box)
	}
	if s.pipe != nil {
		s.pipe.Close()
	}
	if s.process != nil {
		s.process.end()
	}
	if s.api != nil {
		if err := s.api.Close(); err != nil {
			s.pool.o.Log.Warn("cannot close a runtime API", "error", err)
		}
	}
	s.runtime.Release()
}

// adoptSpare makes a spare this environment's own. It reports whether there was one that can be what was asked for.
func (e *environment) adoptSpare(ctx context.Context) bool {
	e.sparable = e.canAdopt()
	if !e.sparable {
		return false
	}
	s := e.pool.spares.take(e.spareKey(), e.runtime)
	if s == nil {
		return false
	}
	s.owner.Store(e)
	told := make(chan error, 1)
	go func() { // the sandbox is what takes longest
		e.env = e.variables(s.api.Describe(zoneID(e.rev.Key.Region)))
		told <- s.tell(e.env)
	}()
	err := s.box.Complete(ctx, e.rest())
	if err = errors.Join(err, <-told); err != nil {
		e.pool.o.Log.Error("cannot use a booted runtime", "runtime", s.key.runtime, "error", err)
		s.close()
		return false
	}
	s.runtime.Release() // the environment holds the same trees
	e.box, e.api, e.spare = s.box, s.api, s
	return true
}

func (e *environment) spareKey() spareKey {
	key := spareKey{account: e.rev.Key.Account, runtime: e.rev.Config.Runtime}
	if how := e.runtime.Spare(); how != nil && how.Sized {
		key.memory = e.rev.Config.MemorySize
	}
	return key
}

// canAdopt reports whether the function sets nothing that a process looks at when it starts. Variants of libraries for
// certain processors count too, since the loader has noted which of their folders are missing.
func (e *environment) canAdopt() bool {
	how := e.runtime.Spare()
	if how == nil || !e.pool.spares.on() {
		return false
	}
	if vars := e.rev.Config.Environment; vars != nil {
		for name, value := range vars.Map {
			if how.Fixed(name, value) {
				return false
			}
		}
	}
	for _, dir := range append(e.optLowers(), e.code.Path) {
		for _, variants := range []string{"lib/glibc-hwcaps", "glibc-hwcaps"} {
			if _, err := os.Lstat(filepath.Join(dir, variants)); err == nil {
				return false
			}
		}
	}
	return true
}

// tell gives the process its variables. It takes them while its sandbox is made whole.
func (s *spare) tell(env []string) error {
	if err := s.pipe.SetWriteDeadline(time.Now().Add(identityWait)); err != nil {
		return err
	}
	_, err := s.pipe.WriteString(strings.Join(env, "\x00") + "\x00\x00")
	return err
}

// become lets the process go on, which is the environment's now. It does so with a byte: that the pipe ends alone would also be
// the end of a server that is killed, before the sandbox is whole.
func (s *spare) become(e *environment) {
	e.process = s.process
	_, err := s.pipe.WriteString("\n")
	if err := errors.Join(err, s.pipe.Close()); err != nil {
		e.pool.o.Log.Warn("cannot let a booted runtime go on", "error", err)
	}
}
