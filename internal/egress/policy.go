package egress

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Policy says which addresses sandboxes may call. The zero value lets them call what the internet has, and nothing of
// private networks.
//
// Never, whatever is set: the host's own addresses and all of loopback, link-local addresses (with the metadata service of
// clouds), multicast, and what is reserved. TCP port 25 is closed as on AWS, but for addresses in Allow.
type Policy struct {
	Allow []netip.Prefix // private networks that may be called
	Deny  []netip.Prefix // networks that may not be; stronger than Allow
}

var (
	never   = prefixes("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
	private = prefixes("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15")
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

var (
	errNever   = errors.New("such addresses are never open to functions")
	errOwn     = errors.New("it is an address of this machine")
	errDenied  = errors.New("it is denied by the settings")
	errPrivate = errors.New("it is a private network's, and not allowed by the settings")
	errMail    = errors.New("TCP port 25 is closed, as on AWS")
	errIPv6    = errors.New("the way out is IPv4 only")
)

const mailPort = 25

// check says why an address may not be called; nil when it may be.
func (p *Policy) check(to netip.AddrPort, tcp bool) error {
	a := to.Addr().Unmap()
	allowed := contains(p.Allow, a)
	switch {
	case !a.Is4():
		return errIPv6
	case contains(never, a):
		return errNever
	case contains(p.Deny, a):
		return errDenied
	case !allowed && contains(private, a):
		return errPrivate
	case tcp && !allowed && to.Port() == mailPort:
		return errMail
	}
	// Last, since it asks the kernel: it alone knows which addresses are its own at this moment.
	unicast, err := isUnicast(a)
	if err != nil {
		return fmt.Errorf("cannot find the way to it: %w", err)
	}
	if !unicast {
		return errOwn
	}
	return nil
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Routes gives the same as a table: the longest prefix that fits decides. Inside a sandbox it makes calls that would be
// refused fail at once and by name; it is a courtesy, and check has the last word.
func (p *Policy) Routes() (open, closed []netip.Prefix) {
	closed = append(closed, never...)
	closed = append(closed, p.Deny...)
	for _, net := range private {
		if !covered(p.Allow, net) {
			closed = append(closed, net)
		}
	}
	open = append(open, netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	for _, net := range p.Allow {
		if !covered(p.Deny, net) && !covered(never, net) {
			open = append(open, net)
		}
	}
	return open, slices.DeleteFunc(closed, func(net netip.Prefix) bool {
		return net.Bits() == 0 || loopback.Overlaps(net) && net.Bits() >= loopback.Bits() // the loopback has its own routes
	})
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// covered reports whether one of the prefixes holds all of net.
func covered(list []netip.Prefix, net netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() <= net.Bits() && p.Contains(net.Addr()) })
}
