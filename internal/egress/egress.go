// Package egress is the way out of sandboxes: it takes calls over at sockets inside, looks at the address that was called,
// and makes a call of its own from the host. It forwards TCP and UDP over IPv4, and questions to the host's resolvers.
//
// The server calls, not the sandbox: nothing is set on the host, and nothing is left when the server is killed. What may be
// called is Policy's to say, once for every call. Three differences follow from it: a TCP connection stands before the far
// end has answered (one that the far end refuses is reset), ICMP is not carried, and addresses are IPv4 only.
//
// Everything here is bounded for each sandbox, which may be hostile: connections, flows, questions.
package egress

import (
	"context"
	"net/netip"
	"time"
)

// Bounds of one sandbox.
const (
	maxConnections = 1024 // TCP
	maxFlows       = 256  // UDP, pairs of peer and address
	maxQuestions   = 64   // to resolvers, at once
)

const (
	dialTimeout = 30 * time.Second
	flowIdle    = time.Minute // after which a silent UDP flow is forgotten
)

// Outlet is the way out of one sandbox.
type Outlet struct {
	Policy *Policy
	// Resolvers names the host's; nil reads /etc/resolv.conf.
	Resolvers func() []netip.AddrPort
	// Refused hears of calls that Policy forbids, and of why calls failed; nil: nobody does.
	Refused func(to netip.AddrPort, err error)
}

func (o *Outlet) refused(to netip.AddrPort, err error) {
	if o.Refused != nil {
		o.Refused(to, err)
	}
}

func (o *Outlet) resolvers() []netip.AddrPort {
	if o.Resolvers != nil {
		return o.Resolvers()
	}
	return hostResolvers()
}

// pause waits a little after a failure that will pass, such as too many open files; false when ctx has ended.
func pause(ctx context.Context) bool {
	t := time.NewTimer(10 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
