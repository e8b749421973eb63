package egress

import (
	"encoding/binary"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// isUnicast asks the kernel what it would do with a packet to an address: send it on to somebody (true), or take it as its
// own, broadcast it, or drop it (false). An address without a route counts as unicast: calling it fails by itself.
func isUnicast(a netip.Addr) (bool, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return false, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, routeQuestion(a), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return false, os.NewSyscallError("sendto", err)
	}
	b := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, b, 0)
	if err != nil {
		return false, os.NewSyscallError("recvfrom", err)
	}
	return routeAnswer(b[:n])
}

// routeQuestion is RTM_GETROUTE: a header, an rtmsg, and the address as RTA_DST.
func routeQuestion(a netip.Addr) []byte {
	order := binary.NativeEndian
	ip := a.As4()
	b := order.AppendUint32(nil, unix.SizeofNlMsghdr+unix.SizeofRtMsg+unix.SizeofRtAttr+4)
	b = order.AppendUint16(b, unix.RTM_GETROUTE)
	b = order.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...)
	b = append(b, unix.AF_INET, 32)
	b = append(b, make([]byte, unix.SizeofRtMsg-2)...)
	b = order.AppendUint16(b, unix.SizeofRtAttr+4)
	b = order.AppendUint16(b, unix.RTA_DST)
	return append(b, ip[:]...)
}

func routeAnswer(b []byte) (bool, error) {
	order := binary.NativeEndian
	if len(b) < unix.SizeofNlMsghdr+4 {
		return false, unix.EPROTO
	}
	switch body := b[unix.SizeofNlMsghdr:]; order.Uint16(b[4:]) {
	case unix.RTM_NEWROUTE:
		if len(body) < unix.SizeofRtMsg {
			return false, unix.EPROTO
		}
		return body[7] == unix.RTN_UNICAST, nil // rtm_type
	case unix.NLMSG_ERROR:
		switch errno := unix.Errno(-int32(order.Uint32(body))); errno {
		case unix.ENETUNREACH, unix.EHOSTUNREACH:
			return true, nil
		default:
			return false, errno
		}
	}
	return false, unix.EPROTO
}
