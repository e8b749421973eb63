package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// errEnded is the error of everything asked of a sandbox that is no more.
var errEnded = errors.New("the sandbox has ended")

// conn is the server's end of a control socket.
type conn struct {
	socket *net.UnixConn
	hello  chan answer // buffered, gets one

	write sync.Mutex // held while a packet goes out

	mu      sync.Mutex // guards what follows
	seq     uint64
	pending map[uint64]*request
	ended   bool
	exited  func(initproto.Exit)
}

// answer is a reply with its descriptors, or why there is none.
type answer struct {
	reply       initproto.Reply
	descriptors []int
	err         error
}

func (a answer) close() { closeAll(a.descriptors) }

// request is a question that is not answered yet. Exactly one of accept and discard runs, in the reader's goroutine,
// before it reads on.
type request struct {
	answered chan answer
	accept   func(answer)
	discard  func(answer) // when the one who asked has gone away
	gone     bool
}

// controlSocket gives the server's end and the helper's.
func controlSocket() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a control socket: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}

// newConn talks by the server's end of a control socket, of which it has its own copy.
func newConn(ours *os.File) (*conn, error) {
	c, err := net.FileConn(ours)
	if err != nil {
		return nil, fmt.Errorf("cannot make a control socket: %w", err)
	}
	return &conn{
		socket:  c.(*net.UnixConn),
		hello:   make(chan answer, 1),
		pending: map[uint64]*request{},
	}, nil
}

// read takes in what the helper says until the socket closes, then lets everybody who waits know.
func (c *conn) read() {
	buf := make([]byte, initproto.MaxReply)
	oob := make([]byte, unix.CmsgSpace(4*initproto.MaxDescriptors))
	for {
		n, oobn, flags, _, err := c.socket.ReadMsgUnix(buf, oob)
		if err != nil || n == 0 {
			break
		}
		descriptors := rights(oob[:oobn])
		if flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || c.dispatch(buf[:n], descriptors) != nil {
			closeAll(descriptors)
			break
		}
	}
	c.socket.Close()
	c.abandon()
}

func (c *conn) dispatch(packet []byte, descriptors []int) error {
	m, err := initproto.ParseMessage(packet)
	if err != nil {
		return err
	}
	if m.Verb == initproto.VerbExit {
		e, err := initproto.ParseExit(m.Body)
		closeAll(descriptors)
		if exited := c.onExit(nil); err == nil && exited != nil {
			exited(e)
		}
		return err
	}
	r, err := initproto.ParseReply(m.Body)
	if err != nil {
		return err
	}
	a := answer{reply: r, descriptors: descriptors, err: failure(r.Failure)}
	if m.Verb == initproto.VerbHello {
		select {
		case c.hello <- a:
		default:
		}
		return nil
	}
	c.resolve(m.Seq, a)
	return nil
}

// onExit sets who hears of exits, or with nil only tells.
func (c *conn) onExit(f func(initproto.Exit)) func(initproto.Exit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f != nil {
		c.exited = f
	}
	return c.exited
}

func (c *conn) resolve(seq uint64, a answer) {
	c.mu.Lock()
	r := c.pending[seq]
	delete(c.pending, seq)
	gone := r == nil || r.gone
	if !gone && r.accept != nil {
		r.accept(a) // under the lock, so that the one who asked cannot go away in between
	}
	c.mu.Unlock()
	switch {
	case !gone:
		r.answered <- a
	case r != nil && r.discard != nil:
		r.discard(a)
	default:
		a.close()
	}
}

// abandon answers all that is open.
func (c *conn) abandon() {
	c.mu.Lock()
	pending := c.pending
	c.pending, c.ended = nil, true
	c.mu.Unlock()
	for _, r := range pending {
		r.answered <- answer{err: errEnded}
	}
	select {
	case c.hello <- answer{err: errEnded}:
	default:
	}
}

// call asks and waits. An answer with a failure is an error.
func (c *conn) call(ctx context.Context, verb initproto.Verb, body []byte, descriptors []int, r *request) (answer, error) {
	if err := ctx.Err(); err != nil {
		return answer{}, err
	}
	r.answered = make(chan answer, 1)
	seq, err := c.enter(r)
	if err != nil {
		return answer{}, err
	}
	if err := c.send(verb, seq, body, descriptors); err != nil {
		c.leave(seq)
		return answer{}, err
	}
	select {
	case a := <-r.answered:
		return a, a.err
	case <-ctx.Done():
	}
	if c.leave(seq) {
		return answer{}, ctx.Err()
	}
	a := <-r.answered // it came at the same moment
	return a, a.err
}

func (c *conn) enter(r *request) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return 0, errEnded
	}
	c.seq++
	c.pending[c.seq] = r
	return c.seq, nil
}

// leave goes away from a question, unless it is answered.
func (c *conn) leave(seq uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.pending[seq]
	if r != nil {
		r.gone = true
	}
	return r != nil
}

func (c *conn) send(verb initproto.Verb, seq uint64, body []byte, descriptors []int) error {
	packet := initproto.Message{Verb: verb, Seq: seq, Body: body}.Append(nil)
	if len(packet) > initproto.MaxRequest || len(descriptors) > initproto.MaxDescriptors {
		return fmt.Errorf("request to the sandbox is too large: %w", unix.E2BIG)
	}
	var oob []byte
	if len(descriptors) > 0 {
		oob = unix.UnixRights(descriptors...)
	}
	c.write.Lock()
	defer c.write.Unlock()
	_, _, err := c.socket.WriteMsgUnix(packet, oob, nil)
	if errors.Is(err, net.ErrClosed) || errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, io.EOF) {
		return errEnded
	}
	return err
}

// close ends the sandbox.
func (c *conn) close() { c.socket.Close() }

// rights reads descriptors out of control messages; what cannot be read holds none.
func rights(oob []byte) []int {
	var all []int
	messages, _ := unix.ParseSocketControlMessage(oob)
	for i := range messages {
		fds, _ := unix.ParseUnixRights(&messages[i])
		all = append(all, fds...)
	}
	return all
}

// failure is a helper's failure as an error, in Go's own shape where that has one.
func failure(f initproto.Failure) error {
	if !f.Failed() {
		return nil
	}
	var cause error = unix.Errno(f.Errno)
	if f.Errno == 0 {
		cause = errors.New(f.Text)
	}
	if f.Path == "" {
		return os.NewSyscallError(f.Op, cause)
	}
	return &os.PathError{Op: f.Op, Path: f.Path, Err: cause}
}
