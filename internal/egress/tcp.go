package egress

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
)

// ServeTCP carries the connections that a listener inside accepts to where they were meant for, which is their local
// address, until the listener closes or ctx ends. It returns when all are closed.
func (o *Outlet) ServeTCP(ctx context.Context, l net.Listener) {
	accept(ctx, l, func(c *net.TCPConn) {
		to := addrPort(c.LocalAddr())
		if err := o.Policy.check(to, true); err != nil {
			o.refused(to, err)
			reset(c)
			return
		}
		o.carry(ctx, c, to)
	})
}

// Forward carries the connections that a listener inside accepts to one address that no policy is asked about, until the listener
// closes or ctx ends. It returns when all are closed. Whoever cannot be carried sees a connection that is reset; failed hears why.
func Forward(ctx context.Context, l net.Listener, to string, failed func(error)) {
	accept(ctx, l, func(inside *net.TCPConn) {
		outside, err := dial(ctx, to)
		if err != nil {
			failed(err)
			reset(inside)
			return
		}
		join(ctx, inside, outside)
	})
}

// accept serves connections beside each other, as many as a sandbox may have.
func accept(ctx context.Context, l net.Listener, serve func(*net.TCPConn)) {
	defer context.AfterFunc(ctx, func() { l.Close() })()
	var open sync.WaitGroup
	defer open.Wait()
	room := make(chan struct{}, maxConnections)
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) || err != nil && !pause(ctx) {
			return
		}
		if err != nil {
			<-room
			continue
		}
		open.Go(func() {
			defer func() { <-room }()
			defer c.Close()
			serve(c.(*net.TCPConn))
		})
	}
}

// carry dials an address that may be called. A connection that fails on one side is reset on the other, so that nobody takes
// half of an answer for the whole.
func (o *Outlet) carry(ctx context.Context, inside *net.TCPConn, to netip.AddrPort) {
	outside, err := dial(ctx, to.String())
	// The kernel calls itself from the address that was called: a last look, should routes have changed since the check.
	if err == nil && addrPort(outside.LocalAddr()).Addr() == to.Addr() {
		outside.Close()
		err = errOwn
	}
	if err != nil {
		o.refused(to, err)
		reset(inside)
		return
	}
	join(ctx, inside, outside)
}

func dial(ctx context.Context, to string) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	c, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// join copies both ways until both have ended.
func join(ctx context.Context, inside, outside *net.TCPConn) {
	defer outside.Close()
	defer context.AfterFunc(ctx, func() { inside.Close(); outside.Close() })()
	var both sync.WaitGroup
	both.Go(func() { pipe(outside, inside) })
	both.Go(func() { pipe(inside, outside) })
	both.Wait()
}

// pipe copies one way and passes the end on, so that half-closed connections work.
func pipe(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		reset(to)
		reset(from)
		return
	}
	to.CloseWrite()
}

func reset(c *net.TCPConn) {
	c.SetLinger(0)
	c.Close()
}

func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
