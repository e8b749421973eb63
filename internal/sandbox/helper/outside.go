package helper

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// The way out. A sandbox has no device but the loopback, and no packet ever leaves it. What its processes send to other
// addresses is routed to the loopback (every address that may be called is a local one), where a rule of nftables hands it
// to two sockets (TPROXY); the server holds these, looks at the address that was called, and makes a call of its own. So
// root and ordinary users have the same way out, nothing is set on the host, and a mistake here opens nothing.

// port is where the two sockets are bound. Processes in the sandbox cannot bind one below 1024.
const port = 1023

// outside answers VerbOutside.
func (s *session) outside(p *packet) {
	m, err := initproto.ParseOutside(p.msg.Body)
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("parse", "outside", err)})
		return
	}
	for _, step := range []struct {
		op string
		do func() error
	}{
		{"add addresses", func() error { return addAddresses([]string{initproto.ResolverAddr}) }},
		{"add routes", func() error { return addRoutes(m) }},
		{"set nftables rules", func() error { return divert().send(unix.NETLINK_NETFILTER, 1) }},
	} {
		if err := step.do(); err != nil {
			s.reply(p, initproto.Reply{Failure: fail(step.op, "", err)})
			return
		}
	}
	sockets, err := outsideSockets()
	s.reply(p, initproto.Reply{Failure: fail("open sockets for the way out", "", err)}, sockets...)
	for _, fd := range sockets {
		unix.Close(fd)
	}
}

func outsideSockets() ([]int, error) {
	resolver := netip.AddrPortFrom(netip.MustParseAddr(initproto.ResolverAddr), 53)
	all := netip.AddrPortFrom(netip.IPv4Unspecified(), port)
	var sockets []int
	for _, w := range []struct {
		kind int
		at   netip.AddrPort
	}{{unix.SOCK_STREAM, all}, {unix.SOCK_DGRAM, all}, {unix.SOCK_DGRAM, resolver}, {unix.SOCK_STREAM, resolver}} {
		fd, err := bound(w.kind, w.at)
		if err != nil {
			for _, fd := range sockets {
				unix.Close(fd)
			}
			return nil, err
		}
		sockets = append(sockets, fd)
	}
	return sockets, nil
}

// flow answers VerbFlow.
func (s *session) flow(p *packet) {
	m, err := initproto.ParseFlow(p.msg.Body)
	fd := -1
	if err == nil {
		fd, err = openFlow(m)
	}
	if err != nil {
		s.reply(p, initproto.Reply{Failure: fail("answer as", m.Local, err)})
		return
	}
	s.reply(p, initproto.Reply{}, fd)
	unix.Close(fd)
}

func openFlow(m initproto.Flow) (int, error) {
	local, err := netip.ParseAddrPort(m.Local)
	if err != nil {
		return -1, err
	}
	peer, err := netip.ParseAddrPort(m.Peer)
	if err != nil {
		return -1, err
	}
	if !local.Addr().Is4() || !peer.Addr().Is4() {
		return -1, unix.EAFNOSUPPORT
	}
	fd, err := bound(unix.SOCK_DGRAM, local)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, sockaddr(peer)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// bound gives a socket that takes what is sent to other addresses than its own; one for connections listens.
func bound(kind int, at netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	for _, option := range [][2]int{{unix.SOL_SOCKET, unix.SO_REUSEADDR}, {unix.SOL_IP, unix.IP_TRANSPARENT}, {unix.SOL_IP, unix.IP_RECVORIGDSTADDR}} {
		if err == nil {
			err = unix.SetsockoptInt(fd, option[0], option[1], 1)
		}
	}
	if err == nil {
		err = unix.Bind(fd, sockaddr(at))
	}
	if err == nil && kind == unix.SOCK_STREAM {
		err = unix.Listen(fd, 1024)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// addRoutes makes addresses local ones, or unreachable.
func addRoutes(m initproto.Outside) error {
	n := newNetlink()
	count := 0
	for kind, list := range map[byte][]string{unix.RTN_LOCAL: m.Open, unix.RTN_UNREACHABLE: m.Closed} {
		for _, s := range list {
			prefix, err := netip.ParsePrefix(s)
			if err != nil {
				return err
			}
			if !prefix.Addr().Is4() {
				return unix.EAFNOSUPPORT
			}
			n.route(kind, prefix)
			count++
		}
	}
	return n.send(unix.NETLINK_ROUTE, count)
}

func (n *netlink) route(kind byte, to netip.Prefix) {
	n.message(unix.RTM_NEWROUTE, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_REPLACE, func() {
		scope := byte(unix.RT_SCOPE_UNIVERSE)
		if kind == unix.RTN_LOCAL {
			scope = unix.RT_SCOPE_HOST
		}
		n.bytes(unix.AF_INET, byte(to.Bits()), 0, 0, unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, scope, kind, 0, 0, 0, 0)
		address := to.Masked().Addr().As4()
		n.attribute(unix.RTA_DST, address[:])
		if kind == unix.RTN_LOCAL {
			own := netip.MustParseAddr(initproto.ResolverAddr).As4()
			n.little(unix.RTA_OIF, loopbackIndex)
			n.attribute(unix.RTA_PREFSRC, own[:])
		}
	})
}
