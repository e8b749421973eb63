package helper

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// control is the helper's end of the control socket.
type control struct {
	fd    int
	in    []byte
	oob   []byte
	large bool // the last packet was

	mu       sync.Mutex // held while a packet goes out
	freezers []int      // files that thaw the sandbox's processes; set once, before there is one
}

// end ends the helper, and with it the sandbox. What is frozen by a cgroup of version 1 would not die of that.
func (c *control) end() {
	for _, fd := range c.freezers {
		unix.Write(fd, []byte("THAWED"))
	}
	os.Exit(0)
}

// packet is a request with its descriptors. What takes a descriptor takes it out of the list.
type packet struct {
	msg         initproto.Message
	descriptors []int
}

// take gives the next descriptor away; -1 when there is none left.
func (p *packet) take() int {
	if len(p.descriptors) == 0 {
		return -1
	}
	fd := p.descriptors[0]
	p.descriptors = p.descriptors[1:]
	return fd
}

// close closes the descriptors that nobody took.
func (p *packet) close() {
	for _, fd := range p.descriptors {
		unix.Close(fd)
	}
}

// receive waits for the next request. Its bytes are valid until the next call.
func (c *control) receive() (*packet, error) {
	if err := c.makeRoom(); err != nil {
		return nil, err
	}
	n, oobn, flags, err := c.recvmsg()
	if err != nil {
		return nil, err
	}
	c.large = n > os.Getpagesize()
	if n == 0 {
		return nil, io.EOF
	}
	descriptors, err := rights(c.oob[:oobn])
	if err != nil || flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return nil, initproto.ErrMessage
	}
	msg, err := initproto.ParseMessage(c.in[:n])
	return &packet{msg: msg, descriptors: descriptors}, err
}

// roomForDescriptors holds as many as a packet may have, behind a header.
var roomForDescriptors [unix.SizeofCmsghdr + 4*initproto.MaxDescriptors]byte

// makeRoom gets memory for the largest packet, of which the kernel only provides what was used. What a large packet used is
// given back: a root is described once, and the helper lives on.
func (c *control) makeRoom() (err error) {
	switch {
	case c.in == nil:
		c.oob = roomForDescriptors[:]
		c.in, err = unix.Mmap(-1, 0, initproto.MaxRequest, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	case c.large:
		err = unix.Madvise(c.in, unix.MADV_DONTNEED)
	}
	return err
}

// awaitIDs waits until the user namespace has its IDs.
func (c *control) awaitIDs() bool {
	p, err := c.receive()
	return err == nil && p.msg.Verb == initproto.VerbIDs
}

func (c *control) recvmsg() (n, oobn, flags int, err error) {
	for {
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, c.in, c.oob, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			return n, oobn, flags, err
		}
	}
}

// rights reads the descriptors out of control messages.
func rights(oob []byte) ([]int, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, err
		}
		all = append(all, fds...)
	}
	return all, nil
}

// send sends one message. A server that cannot be told anything is gone: then the helper, and with it the sandbox, ends. The one
// error that it gives is that its user has too many descriptors on their way elsewhere (ETOOMANYREFS); nothing is sent then.
func (c *control) send(verb initproto.Verb, seq uint64, body []byte, descriptors ...int) error {
	packet := initproto.Message{Verb: verb, Seq: seq, Body: body}.Append(nil)
	var oob []byte
	if len(descriptors) > 0 {
		oob = unix.UnixRights(descriptors...)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		err := unix.Sendmsg(c.fd, packet, oob, nil, unix.MSG_NOSIGNAL)
		switch err {
		case nil, unix.ETOOMANYREFS:
			return err
		case unix.EINTR:
		default:
			c.end()
		}
	}
}
