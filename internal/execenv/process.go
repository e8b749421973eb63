package execenv

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

// process is one run of the runtime, with the pipe that it and its children print to.
type process struct {
	exited chan struct{} // closed when the runtime has ended; exit and err are then set
	exit   sandbox.Exit
	err    error // the sandbox lost sight of it
	cancel context.CancelFunc
	output *output
}

// start starts the runtime. A command that cannot be executed is the function's fault; everything else is ours.
func (e *environment) start(ctx context.Context) *fault {
	if s := e.spare; s != nil {
		e.spare = nil
		s.become(e)
		return nil
	}
	args, f := e.command()
	if f != nil {
		return f
	}
	cmd := sandbox.Command{Path: args[0], Args: args, Env: e.env, Dir: taskRoot}
	p, err := startProcess(ctx, e.box, cmd, framesLog(e.runtime), e.publishLine)
	if err != nil {
		return spawnFault(args[0], err)
	}
	e.process = p
	return nil
}

// startProcess starts a runtime whose log lines go to emit. A framed log is descriptor 3, before the command's own files; it
// is the pipe of everything else that is printed, so that all of it stays in order.
func startProcess(ctx context.Context, box sandbox.Sandbox, cmd sandbox.Command, framed bool, emit func(string)) (*process, error) {
	text := &lines{emit: emit}
	var cut cutter = text
	if framed {
		cut = &frames{text: text}
	}
	o, w, err := openOutput(cut)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	if framed {
		cmd.ExtraFiles = append([]*os.File{w}, cmd.ExtraFiles...)
	}
	run, err := box.Spawn(ctx, cmd)
	if err != nil {
		o.close()
		return nil, err
	}
	p := &process{exited: make(chan struct{}), output: o}
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(p.exited)
		p.exit, p.err = run.Wait(ctx)
	}()
	return p, nil
}

// framesLog reports whether a runtime's client writes framed log events: our managed bootstraps do.
func framesLog(r *runtimes.Runtime) bool { return !r.Name.Provided() }

// spawnFault words a failed start as AWS does, whose supervisor is a Go program too.
func spawnFault(path string, err error) *fault {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		switch errno {
		case syscall.EACCES, syscall.ENOENT, syscall.ENOEXEC, syscall.ENOTDIR, syscall.ELOOP, syscall.EPERM, syscall.EISDIR:
			return entrypointFault("fork/exec " + path + ": " + errno.Error())
		}
	}
	return sandboxFault(err.Error())
}

// flush publishes what has been printed until now.
func (p *process) flush(partial bool) { p.output.flush(partial) }

// end waits for the end of a process that was killed and publishes the last of its output.
func (p *process) end() {
	timer := time.AfterFunc(killTimeout, p.cancel)
	<-p.exited
	timer.Stop()
	p.cancel()
	p.output.close()
}
