package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Listen implements sandbox.Sandbox. The listener closes with the sandbox; connections that it accepted are the caller's.
func (b *box) Listen(ctx context.Context, addr string) (net.Listener, error) {
	f, err := b.openSocket(ctx, initproto.VerbListen, addr)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use a listener of the sandbox: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		l.Close()
		return nil, errEnded
	}
	kept := &listener{Listener: l, box: b}
	b.listeners[kept] = true
	return kept, nil
}

// listener forgets itself when it is closed. To close one that its sandbox closed already is no error: its user can't know.
type listener struct {
	net.Listener
	box *box
}

func (l *listener) Close() error {
	err := l.Listener.Close()
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	delete(l.box.listeners, l)
	if l.box.closing && errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Connect implements sandbox.Sandbox. The connection is the caller's.
func (b *box) Connect(ctx context.Context, addr string) (net.Conn, error) {
	f, err := b.openSocket(ctx, initproto.VerbConnect, addr)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := awaitConnection(ctx, f); err != nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("cannot use a connection of the sandbox: %w", err)
	}
	return c, nil
}

// openSocket asks the helper for a socket. The helper does not wait: a connection may still be under way.
func (b *box) openSocket(ctx context.Context, verb initproto.Verb, addr string) (*os.File, error) {
	c, err := b.conn()
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, verb, initproto.Address(addr).Append(nil), nil, &request{})
	if err == nil && len(a.descriptors) != 1 {
		err = initproto.ErrMessage
	}
	if err != nil {
		a.close()
		return nil, err
	}
	unix.SetNonblock(a.descriptors[0], true) // so that os.File waits in the poller
	return os.NewFile(uintptr(a.descriptors[0]), addr), nil
}

// awaitConnection waits until a connecting socket is writable, and gives its error.
func awaitConnection(ctx context.Context, f *os.File) error {
	stop := context.AfterFunc(ctx, func() { f.SetWriteDeadline(past) })
	defer stop()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		// The peer's name is there once the connection stands.
		if _, err := unix.Getpeername(int(fd)); err == nil {
			return true
		}
		code, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
		if err != nil {
			failed = os.NewSyscallError("getsockopt", err)
			return true
		}
		if code != 0 {
			failed = os.NewSyscallError("connect", unix.Errno(code))
			return true
		}
		return false
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed != nil {
		return failed
	}
	return err
}

// reach opens each address of Spec.Reach on the sandbox's own loopback.
func (b *box) reach(ctx context.Context) error {
	for _, target := range b.spec.Reach {
		_, port, err := net.SplitHostPort(target)
		if err != nil {
			return err
		}
		l, err := b.Listen(ctx, net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			return fmt.Errorf("cannot offer %s in sandbox %s: %w", target, b.spec.ID, err)
		}
		b.mu.Lock()
		if !b.closing {
			b.work.Go(func() { b.forward(l, target) })
		}
		b.mu.Unlock()
	}
	return nil
}

// forward carries connections to a host address until the sandbox ends. The operator hears once why that fails: a sandbox must not
// be able to fill the log.
func (b *box) forward(l net.Listener, target string) {
	var told sync.Once
	egress.Forward(b.alive, l, target, func(err error) {
		told.Do(func() {
			b.driver.log.Warn("cannot reach a host address for a sandbox", "sandbox", b.spec.ID, "address", target, "error", err)
		})
	})
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)
