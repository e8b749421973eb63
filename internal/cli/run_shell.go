package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/daemon"
)

// exitError is the exit code of the shell, which becomes ours.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("the shell ended with exit code %d", e.code) }

// shell starts a shell in the sandbox: on a terminal of its own where a person sits at one, else on pipes. What runs in
// there never gets hold of the person's terminal itself, to which it could type.
func (r *localRun) shell(ctx context.Context, l *daemon.Local) error {
	in, isFile := r.out.In.(*os.File)
	var code int
	var err error
	if isFile && isTerminal(in) && isTerminal(r.out.Out) {
		code, err = shellOnTerminal(ctx, l, in, r.out.Out)
	} else {
		code, err = shellOnPipes(ctx, l, r.out.Streams)
	}
	if err == nil && code != 0 {
		err = &exitError{code}
	}
	return err
}

func shellOnPipes(ctx context.Context, l *daemon.Local, s Streams) (int, error) {
	var inner [3]*os.File // as the shell has them
	var copies sync.WaitGroup
	defer copies.Wait()
	for i, w := range []io.Writer{s.Out, s.Err} {
		r, end, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		inner[i+1] = end
		defer end.Close()
		copies.Go(func() {
			defer r.Close()
			io.Copy(w, r)
		})
	}
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	inner[0] = r
	defer r.Close()
	// Not waited for: a read of what nobody types does not end.
	go func() {
		defer w.Close()
		io.Copy(w, s.In)
	}()
	return l.Shell(ctx, nil, inner[0], inner[1], inner[2])
}

func shellOnTerminal(ctx context.Context, l *daemon.Local, in *os.File, out io.Writer) (int, error) {
	outer, inner, err := openTerminal()
	if err != nil {
		return 0, err
	}
	defer outer.Close()
	defer inner.Close()
	old, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, raw(*old)); err != nil {
		return 0, err
	}
	defer unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, old)
	defer followSize(in, outer)()
	go io.Copy(outer, in)
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(out, outer) // ends with the last holder of the inner end
	}()
	code, err := l.Shell(ctx, inner, nil, nil, nil)
	inner.Close()
	<-done
	return code, err
}

// followSize gives the inner terminal the size of the outer one, now and whenever it changes, until the function that it
// returns is called.
func followSize(from, to *os.File) func() {
	resize := func() {
		if size, err := unix.IoctlGetWinsize(int(from.Fd()), unix.TIOCGWINSZ); err == nil {
			_ = unix.IoctlSetWinsize(int(to.Fd()), unix.TIOCSWINSZ, size)
		}
	}
	resize()
	changes, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(changes, syscall.SIGWINCH)
	go func() {
		defer close(ended)
		for {
			select {
			case <-changes:
				resize()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(changes); close(done); <-ended }
}

// openTerminal makes a terminal of two ends: what is written to the one is typed at the other.
func openTerminal() (outer, inner *os.File, err error) {
	outer, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a terminal: %w", err)
	}
	fd := int(outer.Fd())
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		var n int
		if n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN); err == nil {
			inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
		}
	}
	if err != nil {
		outer.Close()
		return nil, nil, fmt.Errorf("cannot make a terminal: %w", err)
	}
	return outer, inner, nil
}

// raw passes every key on as it is.
func raw(t unix.Termios) *unix.Termios {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return &t
}
