package egress

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// maxDatagram is the longest that UDP over IPv4 carries.
const maxDatagram = 65507

// Answer opens a socket inside whose own address is local and whose peer is the process at peer.
type Answer func(ctx context.Context, local, peer netip.AddrPort) (*net.UDPConn, error)

// ServeUDP carries datagrams that come to a socket inside to where they were meant for, and answers back, until the socket
// closes or ctx ends. The first datagram of a flow arrives at the socket; with the help of answer the flow gets a socket of
// its own inside, to which the kernel gives the others.
func (o *Outlet) ServeUDP(ctx context.Context, c *net.UDPConn, answer Answer) {
	f := &flows{outlet: o, ctx: ctx, answer: answer, open: map[flowKey]*flow{}}
	defer f.work.Wait()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	b, oob := make([]byte, maxDatagram), make([]byte, 256)
	for {
		n, oobn, _, peer, err := c.ReadMsgUDPAddrPort(b, oob)
		if errors.Is(err, net.ErrClosed) || err != nil && !pause(ctx) {
			return
		}
		if err != nil {
			continue
		}
		if to, ok := original(oob[:oobn]); ok {
			f.send(flowKey{netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), to}, b[:n])
		}
	}
}

// original reads where a datagram was meant for out of IP_ORIGDSTADDR, which is a sockaddr_in.
func original(oob []byte) (netip.AddrPort, bool) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_ORIGDSTADDR && len(m.Data) >= 8 {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(m.Data[4:8])), binary.BigEndian.Uint16(m.Data[2:])), true
		}
	}
	return netip.AddrPort{}, false
}

type flowKey struct{ peer, to netip.AddrPort }

// flows are the UDP flows of one sandbox.
type flows struct {
	outlet *Outlet
	ctx    context.Context
	answer Answer
	work   sync.WaitGroup

	mu   sync.Mutex // guards what follows
	open map[flowKey]*flow
}

// flow is one pair of sockets.
type flow struct{ inside, outside *net.UDPConn }

// send sends the first datagrams of a flow. A datagram that cannot be sent is lost, as datagrams may be.
func (f *flows) send(key flowKey, data []byte) {
	f.mu.Lock()
	known := f.open[key]
	full := len(f.open) >= maxFlows
	f.mu.Unlock()
	if known == nil {
		if full {
			return
		}
		if known = f.begin(key); known == nil {
			return
		}
	}
	known.outside.Write(data)
}

func (f *flows) begin(key flowKey) *flow {
	if err := f.outlet.Policy.check(key.to, false); err != nil {
		f.outlet.refused(key.to, err)
		return nil
	}
	outside, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(key.to))
	if err == nil && addrPort(outside.LocalAddr()).Addr() == key.to.Addr() {
		outside.Close()
		err = errOwn
	}
	if err != nil {
		f.outlet.refused(key.to, err)
		return nil
	}
	inside, err := f.answer(f.ctx, key.to, key.peer)
	if err != nil {
		f.outlet.refused(key.to, err)
		outside.Close()
		return nil
	}
	fl := &flow{inside, outside}
	f.mu.Lock()
	f.open[key] = fl
	f.mu.Unlock()
	f.work.Go(func() { f.run(key, fl) })
	return fl
}

// run copies datagrams both ways until the flow is silent for a while.
func (f *flows) run(key flowKey, fl *flow) {
	end := context.AfterFunc(f.ctx, fl.close)
	defer end()
	var both sync.WaitGroup
	var last activity
	last.touch()
	both.Go(func() { copyDatagrams(fl.outside, fl.inside, &last); fl.close() })
	both.Go(func() { copyDatagrams(fl.inside, fl.outside, &last); fl.close() })
	both.Wait()
	f.mu.Lock()
	delete(f.open, key)
	f.mu.Unlock()
}

func (fl *flow) close() {
	fl.inside.Close()
	fl.outside.Close()
}

// activity is when a flow was used last, in either direction.
type activity struct {
	mu sync.Mutex
	at time.Time
}

func (a *activity) touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = time.Now()
}

func (a *activity) deadline() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.at.Add(flowIdle)
}

func copyDatagrams(to, from *net.UDPConn, last *activity) {
	b := make([]byte, maxDatagram)
	for {
		from.SetReadDeadline(last.deadline())
		n, err := from.Read(b)
		switch {
		case err == nil:
			last.touch()
			to.Write(b[:n])
		case errors.Is(err, unix.ECONNREFUSED): // the far end said so; the sender hears nothing, as behind many a router
		case isTimeout(err) && time.Now().Before(last.deadline()): // the other direction was used
		default:
			return
		}
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
