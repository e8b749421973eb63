package linuxsandbox

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// outside opens the sandbox's way out, where the driver gives sandboxes one. What the sandbox sends to other addresses comes
// to sockets that the helper opened in it, and package egress carries it on from here.
func (b *box) outside(ctx context.Context) error {
	if b.policy == nil {
		return nil
	}
	sockets, err := b.openOutside(ctx)
	if err != nil {
		return fmt.Errorf("cannot open the way out of sandbox %s: %w", b.spec.ID, err)
	}
	o := &egress.Outlet{Policy: b.policy, Refused: b.refused()}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing {
		sockets.close()
		return errEnded
	}
	b.work.Go(func() { o.ServeTCP(b.alive, sockets.tcp) })
	b.work.Go(func() { o.ServeUDP(b.alive, sockets.udp, b.answer) })
	b.work.Go(func() { o.ServeDNS(b.alive, sockets.dns) })
	b.work.Go(func() { o.ServeDNSOverTCP(b.alive, sockets.dnsTCP) })
	return nil
}

// refused tells the operator what was not carried, once in a sandbox's life: a sandbox must not be able to fill the log.
func (b *box) refused() func(netip.AddrPort, error) {
	var told atomic.Bool
	return func(to netip.AddrPort, err error) {
		if b.alive.Err() == nil && !told.Swap(true) {
			b.driver.log.Info("a sandbox could not call an address; further ones are not told", "sandbox", b.spec.ID, "address", to, "error", err)
		}
	}
}

// outsideSockets are those of VerbOutside's reply.
type outsideSockets struct {
	tcp, dnsTCP net.Listener
	udp, dns    *net.UDPConn
}

// close closes what is open of them.
func (s *outsideSockets) close() {
	if s.tcp != nil {
		s.tcp.Close()
	}
	if s.udp != nil {
		s.udp.Close()
	}
	if s.dns != nil {
		s.dns.Close()
	}
	if s.dnsTCP != nil {
		s.dnsTCP.Close()
	}
}

func (b *box) openOutside(ctx context.Context) (_ *outsideSockets, err error) {
	open, closed := b.policy.Routes()
	files, err := b.askSockets(ctx, initproto.VerbOutside, initproto.Outside{Open: texts(open), Closed: texts(closed)}.Append(nil), 4)
	if err != nil {
		return nil, err
	}
	defer closeFiles(files)
	s := &outsideSockets{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.tcp, err = net.FileListener(files[0]); err != nil {
		return nil, err
	}
	if s.udp, err = udpOf(files[1]); err != nil {
		return nil, err
	}
	if s.dns, err = udpOf(files[2]); err != nil {
		return nil, err
	}
	s.dnsTCP, err = net.FileListener(files[3])
	return s, err
}

// askSockets asks the helper for as many sockets as it must give.
func (b *box) askSockets(ctx context.Context, verb initproto.Verb, body []byte, count int) ([]*os.File, error) {
	c, err := b.conn()
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, verb, body, nil, &request{})
	if err == nil && len(a.descriptors) != count {
		err = initproto.ErrMessage
	}
	if err != nil {
		a.close()
		return nil, err
	}
	files := make([]*os.File, count)
	for i, fd := range a.descriptors {
		files[i] = os.NewFile(uintptr(fd), "socket of a sandbox")
	}
	return files, nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func udpOf(f *os.File) (*net.UDPConn, error) {
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// answer opens the inner socket of a UDP flow.
func (b *box) answer(ctx context.Context, local, peer netip.AddrPort) (*net.UDPConn, error) {
	files, err := b.askSockets(ctx, initproto.VerbFlow, initproto.Flow{Local: local.String(), Peer: peer.String()}.Append(nil), 1)
	if err != nil {
		return nil, err
	}
	defer closeFiles(files)
	c, err := net.FileConn(files[0])
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

func texts(list []netip.Prefix) []string {
	all := make([]string, len(list))
	for i, p := range list {
		all[i] = p.Masked().String()
	}
	return all
}

// TryOutside finds out by doing whether sandboxes can have a way out on this machine.
func (d *Driver) TryOutside(ctx context.Context) error { return d.tryWith(ctx, nil, &egress.Policy{}) }

// CloseOutside leaves sandboxes that are made from now on without a way out.
func (d *Driver) CloseOutside() { d.outside.Store(nil) }

func (d *Driver) probeOutside(ctx context.Context) sandbox.Finding {
	f := sandbox.Finding{Name: "network"}
	if d.outside.Load() == nil {
		f.OK, f.Detail = true, "none, as it is set: functions reach nothing but what --reach names"
		return f
	}
	if err := d.TryOutside(ctx); err != nil {
		f.Detail = err.Error()
		f.Degrade = "functions have no network, but for what --reach names"
		if d.try(ctx, nil) == nil { // else no sandbox can be made at all
			f.Fix = "modprobe nft_tproxy"
		}
		return f
	}
	f.OK, f.Detail = true, "a sandbox got a way out: TCP, UDP and names over IPv4, carried by the server"
	return f
}
