package initproto

// MountKind says how a part of the root is made.
type MountKind byte

// The kinds of sandbox.Mount.
const (
	MountBind MountKind = 1 + iota
	MountOverlay
	MountFile
	MountLink
	MountEmpty
	MountTmp // /tmp, with one descriptor: of a mount that can be written to
)

// Mount is one part of the root. Its sources are the next Descriptors descriptors of the message, which are detached
// mounts (or for MountFile the file with the bytes), or else Paths, which the helper opens with its own rights.
type Mount struct {
	Kind        MountKind
	Target      string
	Descriptors uint64
	Paths       []string
	Data        []byte // MountFile: the bytes; MountLink: the link's target
	Optional    bool   // a missing path leaves the part out
}

// Mounts is the body of VerbMounts; it gets no reply, failures are told in the reply to Setup.
type Mounts []Mount

// Append adds the body's bytes to b.
func (ms Mounts) Append(b []byte) []byte {
	b = appendUint(b, uint64(len(ms)))
	for _, m := range ms {
		b = append(b, byte(m.Kind))
		b = appendString(b, m.Target)
		b = appendUint(b, m.Descriptors)
		b = appendStrings(b, m.Paths)
		b = appendString(b, string(m.Data))
		b = appendBool(b, m.Optional)
	}
	return b
}

// ParseMounts reads a body. Data alias it.
func ParseMounts(body []byte) (Mounts, error) {
	d := decoder{b: body}
	ms := make(Mounts, 0, d.count())
	for range cap(ms) {
		ms = append(ms, Mount{
			Kind:        MountKind(d.byte()),
			Target:      d.string(),
			Descriptors: d.uint(),
			Paths:       d.strings(),
			Data:        d.bytes(),
			Optional:    d.bool(),
		})
	}
	return ms, d.end()
}

// Setup is the body of VerbSetup. The message's descriptors are cgroup files (version 1: tasks, version 2: cgroup.threads)
// that the thread which starts processes writes itself into, and at the end Freezers files (version 1: freezer.state) that
// the helper thaws by when the server is gone, since nobody else would.
type Setup struct {
	Hostname   string
	TmpSize    uint64   // bytes of /tmp
	Processes  uint64   // processes and threads of the sandbox; 0: no limit
	LocalAddrs []string // IPv4 addresses for the loopback beside 127.0.0.1
	Freezers   uint64
	Folders    []string // empty folders in the root, for what comes later
	Open       bool     // the root stays open, without /tmp, until VerbFinish
	Processors Processors
}

// Append adds the body's bytes to b.
func (s Setup) Append(b []byte) []byte {
	b = appendString(b, s.Hostname)
	b = appendUint(b, s.TmpSize)
	b = appendUint(b, s.Processes)
	b = appendStrings(b, s.LocalAddrs)
	b = appendUint(b, s.Freezers)
	b = appendStrings(b, s.Folders)
	b = appendBool(b, s.Open)
	return s.Processors.append(b)
}

// ParseSetup reads a body.
func ParseSetup(body []byte) (Setup, error) {
	d := decoder{b: body}
	s := Setup{Hostname: d.string(), TmpSize: d.uint(), Processes: d.uint(), LocalAddrs: d.strings()}
	s.Freezers, s.Folders, s.Open, s.Processors = d.uint(), d.strings(), d.bool(), d.processors()
	return s, d.end()
}

// Processors says which of the processors that the helper may use are seen in the sandbox: Count of them from the one in
// place First on, and round to the beginning. All, when there are no more than Count, or Count is 0.
type Processors struct {
	Count, First uint64
}

func (p Processors) append(b []byte) []byte { return appendUint(appendUint(b, p.Count), p.First) }

func (d *decoder) processors() Processors { return Processors{Count: d.uint(), First: d.uint()} }

// Finish is the body of VerbFinish, which closes a root that Setup left open. Mounts messages may come before it.
type Finish struct {
	TmpSize    uint64 // bytes of /tmp
	Processors Processors
}

// Append adds the body's bytes to b.
func (f Finish) Append(b []byte) []byte { return f.Processors.append(appendUint(b, f.TmpSize)) }

// ParseFinish reads a body.
func ParseFinish(body []byte) (Finish, error) {
	d := decoder{b: body}
	f := Finish{TmpSize: d.uint(), Processors: d.processors()}
	return f, d.end()
}

// Address is the body of VerbListen and VerbConnect: an IPv4 address and a port, "169.254.100.1:9001". The reply carries
// the socket.
type Address string

// Append adds the body's bytes to b.
func (a Address) Append(b []byte) []byte { return appendString(b, string(a)) }

// ParseAddress reads a body.
func ParseAddress(body []byte) (Address, error) {
	d := decoder{b: body}
	a := Address(d.string())
	return a, d.end()
}

// Spawn is the body of VerbSpawn. The message's descriptors are those of Stdout and Stderr where these are true (else
// /dev/null stands there), then Extra ones for descriptors 3, 4, …
type Spawn struct {
	Path           string
	Args, Env      []string
	Dir            string
	Stdout, Stderr bool
	Extra          uint64
}

// Append adds the body's bytes to b.
func (s Spawn) Append(b []byte) []byte {
	b = appendString(b, s.Path)
	b = appendStrings(b, s.Args)
	b = appendStrings(b, s.Env)
	b = appendString(b, s.Dir)
	b = appendBool(b, s.Stdout)
	b = appendBool(b, s.Stderr)
	return appendUint(b, s.Extra)
}

// ParseSpawn reads a body.
func ParseSpawn(body []byte) (Spawn, error) {
	d := decoder{b: body}
	s := Spawn{Path: d.string(), Args: d.strings(), Env: d.strings(), Dir: d.string()}
	s.Stdout, s.Stderr, s.Extra = d.bool(), d.bool(), d.uint()
	return s, d.end()
}

// Signal is the body of VerbSignal, for one process that Spawn started. One that has ended is no failure.
type Signal struct {
	PID    uint64
	Signal uint64
}

// Append adds the body's bytes to b.
func (s Signal) Append(b []byte) []byte { return appendUint(appendUint(b, s.PID), s.Signal) }

// ParseSignal reads a body.
func ParseSignal(body []byte) (Signal, error) {
	d := decoder{b: body}
	s := Signal{PID: d.uint(), Signal: d.uint()}
	return s, d.end()
}
