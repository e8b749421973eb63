package initproto

// The verbs of a sandbox's way out. They are asked after Setup.
const (
	// VerbOutside lets the sandbox's processes call any IPv4 address, and hands these calls over. The reply carries four
	// sockets: a TCP listener that accepts connections to every address (a connection's local address is the one that was
	// called), a UDP socket that gets datagrams to every address (with IP_ORIGDSTADDR), and for names a UDP socket and a TCP
	// listener at port 53 of ResolverAddr.
	VerbOutside Verb = 64 + iota
	// VerbFlow asks for a UDP socket whose peer is the process that sent a datagram, and whose own address is the one that
	// the datagram was for.
	VerbFlow
)

// ResolverAddr is the sandbox's own address on the way out, and where it finds the resolver.
const ResolverAddr = "169.254.100.5"

// Outside is the body of VerbOutside. Prefixes are in CIDR notation; the longest that fits an address decides.
type Outside struct {
	Open   []string // addresses that can be called
	Closed []string // addresses for which processes get "no route to host" at once
}

// Append adds the body's bytes to b.
func (o Outside) Append(b []byte) []byte { return appendStrings(appendStrings(b, o.Open), o.Closed) }

// ParseOutside reads a body.
func ParseOutside(body []byte) (Outside, error) {
	d := decoder{b: body}
	o := Outside{Open: d.strings(), Closed: d.strings()}
	return o, d.end()
}

// Flow is the body of VerbFlow: two IPv4 addresses with ports.
type Flow struct {
	Local string // what was called
	Peer  string // who called
}

// Append adds the body's bytes to b.
func (f Flow) Append(b []byte) []byte { return appendString(appendString(b, f.Local), f.Peer) }

// ParseFlow reads a body.
func ParseFlow(body []byte) (Flow, error) {
	d := decoder{b: body}
	f := Flow{Local: d.string(), Peer: d.string()}
	return f, d.end()
}
