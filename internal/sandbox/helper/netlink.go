package helper

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// netlink builds messages of the kernel's netlink protocols. Numbers of routing are in the machine's order, those of
// nftables in the network's.
type netlink struct{ b []byte }

// newNetlink has room for all that is sent. A slice that grows would leave a page or two behind for each of its sizes.
func newNetlink() *netlink { return &netlink{b: make([]byte, 0, 2048)} }

var order = binary.NativeEndian

// message adds a message whose fixed part and attributes f adds.
func (n *netlink) message(kind, flags uint16, f func()) {
	start := len(n.b)
	n.b = append(n.b, make([]byte, unix.SizeofNlMsghdr)...)
	f()
	order.PutUint32(n.b[start:], uint32(len(n.b)-start))
	order.PutUint16(n.b[start+4:], kind)
	order.PutUint16(n.b[start+6:], unix.NLM_F_REQUEST|flags)
}

func (n *netlink) bytes(b ...byte) { n.b = append(n.b, b...) }

// attribute adds an attribute, padded to four bytes.
func (n *netlink) attribute(kind uint16, value []byte) {
	n.nested(kind, func() { n.b = append(n.b, value...) })
}

// nested adds an attribute whose value f adds.
func (n *netlink) nested(kind uint16, f func()) {
	start := len(n.b)
	n.b = append(n.b, 0, 0, 0, 0)
	f()
	order.PutUint16(n.b[start:], uint16(len(n.b)-start))
	order.PutUint16(n.b[start+2:], kind)
	for len(n.b)%4 != 0 {
		n.b = append(n.b, 0)
	}
}

func (n *netlink) text(kind uint16, s string) { n.attribute(kind, append([]byte(s), 0)) }

// big adds a number of 32 bits in the network's order.
func (n *netlink) big(kind uint16, v uint32) {
	n.attribute(kind, binary.BigEndian.AppendUint32(nil, v))
}

// little adds one in the machine's order.
func (n *netlink) little(kind uint16, v uint32) { n.attribute(kind, order.AppendUint32(nil, v)) }

// send opens a socket of a protocol, sends, and reads the answers to as many messages as asked for one.
func (n *netlink) send(protocol, answers int) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, n.b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	for range answers {
		if err := acknowledged(fd); err != nil {
			return err
		}
	}
	return nil
}
