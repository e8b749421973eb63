package sandboxtest

import (
	"encoding/binary"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNewThread runs f in a thread that ends with it.
func inNewThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// moreOf raises a limit.
func moreOf(limit int) func() error {
	return func() error { return unix.Setrlimit(limit, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}) }
}

// secretMemory locks memory in the one way that needs no mlock.
func secretMemory() error {
	fd, err := unix.MemfdSecret(0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, 1<<20); err != nil {
		return err
	}
	_, err = unix.Mmap(fd, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return err
}

// anyDescriptor tries all that are open, and gives the last error when none took it.
func anyDescriptor(f func(fd int) error) (err error) {
	for fd := range 16 {
		if e := f(fd); e == nil {
			return nil
		} else if e != unix.EBADF {
			err = e
		}
	}
	return err
}

// askNetlink sends one message and gives the error that the kernel answers it with.
func askNetlink(protocol int, kind uint16, body ...byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	order := binary.NativeEndian
	b := order.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	b = order.AppendUint16(b, kind)
	b = order.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	b = append(append(b, 1, 0, 0, 0, 0, 0, 0, 0), body...)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil || n < unix.SizeofNlMsghdr+4 || order.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return err
	}
	return errnoOf(unix.Errno(-int32(order.Uint32(answer[unix.SizeofNlMsghdr:]))))
}
