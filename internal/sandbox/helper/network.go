package helper

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

const loopbackIndex = 1 // the first device of every network namespace

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// addAddresses puts IPv4 addresses on the loopback, each for this sandbox alone (/32).
func addAddresses(addrs []string) error {
	if len(addrs) == 0 {
		return nil
	}
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, a := range addrs {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return err
		}
		if err := addAddress(fd, addr); err != nil {
			return err
		}
	}
	return nil
}

// addAddress sends RTM_NEWADDR: a header, an ifaddrmsg, and the address as IFA_LOCAL and IFA_ADDRESS.
func addAddress(fd int, addr netip.Addr) error {
	ip := addr.As4()
	order := binary.NativeEndian
	b := make([]byte, 0, 64)
	b = order.AppendUint32(b, unix.SizeofNlMsghdr+unix.SizeofIfAddrmsg+2*(unix.SizeofRtAttr+4))
	b = order.AppendUint16(b, unix.RTM_NEWADDR)
	b = order.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, 0)
	b = append(b, unix.AF_INET, 32, unix.IFA_F_PERMANENT, unix.RT_SCOPE_HOST)
	b = order.AppendUint32(b, loopbackIndex)
	for _, kind := range []uint16{unix.IFA_LOCAL, unix.IFA_ADDRESS} {
		b = order.AppendUint16(b, unix.SizeofRtAttr+4)
		b = order.AppendUint16(b, kind)
		b = append(b, ip[:]...)
	}
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	return acknowledged(fd)
}

// acknowledged reads the kernel's answer, which is a header and a negative error number, 0 for success.
func acknowledged(fd int) error {
	b := make([]byte, 512)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return unix.EPROTO
	}
	if code := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}

// open answers Listen and Connect with the socket that f opened.
func (s *session) open(p *packet, f func(fd int, addr unix.Sockaddr) error) {
	a, err := initproto.ParseAddress(p.msg.Body)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("parse", "address", err)})
		return
	}
	op := "connect to"
	if p.msg.Verb == initproto.VerbListen {
		op = "listen on"
	}
	fd, err := openSocket(string(a), f)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail(op, string(a), err)})
		return
	}
	s.reply(p, initproto.Reply{}, fd)
	unix.Close(fd)
}

func openSocket(address string, f func(fd int, addr unix.Sockaddr) error) (int, error) {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if !ap.Addr().Is4() {
		unix.Close(fd)
		return -1, unix.EAFNOSUPPORT
	}
	if err := f(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func listen(fd int, addr unix.Sockaddr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, addr); err != nil {
		return err
	}
	return unix.Listen(fd, 4096)
}

// connect starts connecting and leaves the rest to the server, which waits for the socket to become writable: nobody in
// the sandbox can hold the control loop up.
func connect(fd int, addr unix.Sockaddr) error {
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	if err := unix.Connect(fd, addr); err != unix.EINPROGRESS {
		return err
	}
	return nil
}
