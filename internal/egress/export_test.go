package egress

import "net/netip"

// Check is what an Outlet asks for each call.
func Check(p *Policy, to netip.AddrPort, tcp bool) error { return p.check(to, tcp) }
