package egress

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// questionTimeout is how long one resolver gets; the sandbox's own resolver asks again by itself.
const questionTimeout = 4 * time.Second

// maxMessage is the longest DNS message over UDP.
const maxMessage = 65535

// ServeDNS passes questions that come to a UDP socket inside to the host's resolvers, which may lie on its loopback, until
// the socket closes or ctx ends.
func (o *Outlet) ServeDNS(ctx context.Context, c *net.UDPConn) {
	var open sync.WaitGroup
	defer open.Wait()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	room := make(chan struct{}, maxQuestions)
	b := make([]byte, maxMessage)
	for {
		n, peer, err := c.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) || err != nil && !pause(ctx) {
			return
		}
		if err != nil {
			continue
		}
		select {
		case room <- struct{}{}:
		default:
			continue // too many at once: this one is lost
		}
		question := append([]byte(nil), b[:n]...)
		open.Go(func() {
			defer func() { <-room }()
			if answer := o.ask(ctx, question); answer != nil {
				c.WriteToUDPAddrPort(answer, peer)
			}
		})
	}
}

// ask asks the resolvers in turn, until one answers.
func (o *Outlet) ask(ctx context.Context, question []byte) []byte {
	for _, r := range o.resolvers() {
		if answer, err := askOne(ctx, r, question); err == nil {
			return answer
		} else if o.refused(r, err); ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

func askOne(ctx context.Context, resolver netip.AddrPort, question []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, questionTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "udp", resolver.String())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })()
	if _, err := c.Write(question); err != nil {
		return nil, err
	}
	b := make([]byte, maxMessage)
	for {
		n, err := c.Read(b)
		if err != nil {
			return nil, err
		}
		if n >= 2 && len(question) >= 2 && [2]byte(b) == [2]byte(question) { // the same ID
			return b[:n], nil
		}
	}
}

// ServeDNSOverTCP carries connections to the first of the host's resolvers that takes one, for answers that are too long for UDP.
func (o *Outlet) ServeDNSOverTCP(ctx context.Context, l net.Listener) {
	accept(ctx, l, func(c *net.TCPConn) {
		for _, r := range o.resolvers() {
			outside, err := dial(ctx, r.String())
			if err == nil {
				join(ctx, c, outside)
				return
			}
			o.refused(r, err)
		}
		reset(c)
	})
}

// hostResolvers reads the host's file each time: it may change while the server runs.
func hostResolvers() []netip.AddrPort {
	f, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return defaultResolvers
	}
	defer f.Close()
	var list []netip.AddrPort
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(fields[1]); err == nil {
			list = append(list, netip.AddrPortFrom(a, 53))
		}
	}
	if list == nil {
		return defaultResolvers
	}
	return list
}

// defaultResolvers is what the C library asks when the file names none.
var defaultResolvers = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}
