package daemon

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/sandbox"
)

// Shell starts a shell in the function's sandbox, in place of its runtime, with the runtime's variables. terminal is the
// inner end of a terminal, nil when there is none; the shell then reads and writes the other three. The result is its exit
// code. When ctx ends, it is killed.
func (l *Local) Shell(ctx context.Context, terminal, in, out, errs *os.File) (int, error) {
	stop := context.AfterFunc(ctx, l.kill)
	defer stop()
	room, err := l.pool.Enter(ctx, l.rev)
	if err != nil {
		return 0, err
	}
	defer room.Close()
	p, err := room.Sandbox.Spawn(ctx, shellCommand(room.Env, room.Dir, terminal, in, out, errs))
	if err != nil {
		return 0, err
	}
	exit, err := p.Wait(ctx)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case err != nil:
		return 0, err
	case exit.Signal != 0:
		return 128 + int(exit.Signal), nil
	}
	return exit.Code, nil
}

// A sandbox gives a program no standard input, so a first shell puts it in its place. Every program of a sandbox leads a
// session of its own; setsid makes the terminal that of the session.
const (
	onTerminal = `sh=/bin/sh; [ -x /bin/bash ] && sh="/bin/bash --norc"
if command -v setsid >/dev/null; then exec setsid -c -w $sh -i <&3 >&3 2>&3 3>&-; fi
exec $sh -i <&3 >&3 2>&3 3>&-`
	onPipes = `exec /bin/sh <&3 3>&-`
)

func shellCommand(env []string, dir string, terminal, in, out, errs *os.File) sandbox.Command {
	env = slices.DeleteFunc(slices.Clone(env), func(kv string) bool { return strings.HasPrefix(kv, "_LAMBDA_TELEMETRY_LOG_FD=") })
	env = append(env, "HOME=/tmp", "PS1=sandbox:\\w\\$ ")
	c := sandbox.Command{Path: "/bin/sh", Args: []string{"/bin/sh", "-c", onPipes}, Env: env, Dir: dir, Stdout: out, Stderr: errs}
	if terminal == nil {
		c.ExtraFiles = []*os.File{in}
		return c
	}
	if t := os.Getenv("TERM"); t != "" {
		c.Env = append(c.Env, "TERM="+t)
	}
	c.Args[2], c.Stdout, c.Stderr, c.ExtraFiles = onTerminal, terminal, terminal, []*os.File{terminal}
	return c
}
