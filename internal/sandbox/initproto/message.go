package initproto

// ControlFD is the helper's end of the control socket.
const ControlFD = 3

// ProgramFD is the helper's own program, by which the kernel starts it, and it itself when it rests and wakes.
const ProgramFD = 4

// AwaitIDs is the helper's argument when its user namespace gets its IDs from somebody else: it does nothing before VerbIDs,
// which is then the first message, without an answer, and finds itself to be user 0.
const AwaitIDs = "await-ids"

// SharesLimit is the helper's argument when the limit of processes in the sandbox's cgroup is its own too.
const SharesLimit = "shares-limit"

// RestsAtOnce is the helper's argument when it is to rest whenever it is asked nothing, so that tests see it do so.
const RestsAtOnce = "rests-at-once"

// The identity of sandboxed processes, inside: AWS's.
const (
	UID = 993
	GID = 990
)

// Limits of one packet. What is larger goes as a descriptor of a memory file, or as a further Mounts message.
const (
	MaxRequest     = 128 << 10 // bytes, server to helper
	MaxReply       = 4 << 10   // bytes, helper to server
	MaxDescriptors = 128
)

// Verb says what a message is.
type Verb byte

// The verbs, in the order of the package comment.
const (
	VerbHello Verb = 1 + iota
	VerbMounts
	VerbSetup
	VerbReply
	VerbListen
	VerbConnect
	VerbSpawn
	VerbSignal
	VerbKillAll
	VerbStatus
	VerbExit
	VerbFinish
	VerbIDs
	VerbCloned
)

// Message is one packet without its descriptors. Body aliases the packet's bytes.
type Message struct {
	Verb Verb
	Seq  uint64
	Body []byte
}

// Append adds the packet's bytes to b.
func (m Message) Append(b []byte) []byte {
	b = append(b, byte(m.Verb))
	b = appendUint(b, m.Seq)
	return append(b, m.Body...)
}

// ParseMessage splits a packet.
func ParseMessage(packet []byte) (Message, error) {
	d := decoder{b: packet}
	m := Message{Verb: Verb(d.byte()), Seq: d.uint()}
	m.Body = d.b
	return m, d.err
}

// Failure is an error that crosses the socket: what was done, to what, and the kernel's answer. The zero value is
// success.
type Failure struct {
	Op    string // "mount", "fork/exec"
	Path  string
	Errno uint64
	Text  string // instead of Errno, for failures that the kernel does not know
}

// Failed tells a failure from success.
func (f Failure) Failed() bool { return f.Op != "" }

// Reply answers a request; Hello has the same body.
type Reply struct {
	Failure Failure
	PID     uint64 // of Spawn
	Count   uint64 // of Status: processes started by Spawn that are alive
}

// Append adds the body's bytes to b.
func (r Reply) Append(b []byte) []byte {
	b = appendString(b, r.Failure.Op)
	b = appendString(b, r.Failure.Path)
	b = appendUint(b, r.Failure.Errno)
	b = appendString(b, r.Failure.Text)
	b = appendUint(b, r.PID)
	return appendUint(b, r.Count)
}

// ParseReply reads a body.
func ParseReply(body []byte) (Reply, error) {
	d := decoder{b: body}
	r := Reply{Failure: Failure{Op: d.string(), Path: d.string(), Errno: d.uint(), Text: d.string()}}
	r.PID, r.Count = d.uint(), d.uint()
	return r, d.end()
}

// Exit reports the end of a process that Spawn started.
type Exit struct {
	PID    uint64
	Code   uint64
	Signal uint64
	Nanos  uint64 // since 1970
}

// Append adds the body's bytes to b.
func (e Exit) Append(b []byte) []byte {
	for _, v := range []uint64{e.PID, e.Code, e.Signal, e.Nanos} {
		b = appendUint(b, v)
	}
	return b
}

// ParseExit reads a body.
func ParseExit(body []byte) (Exit, error) {
	d := decoder{b: body}
	e := Exit{PID: d.uint(), Code: d.uint(), Signal: d.uint(), Nanos: d.uint()}
	return e, d.end()
}

// Cloned tells that a helper cloned itself into its namespaces, or why it did not.
type Cloned struct {
	PID   uint64 // of the clone, as the server sees it; 0: there is none
	Errno uint64 // 0: it has its IDs
}

// Append adds the body's bytes to b.
func (c Cloned) Append(b []byte) []byte {
	return appendUint(appendUint(b, c.PID), c.Errno)
}

// ParseCloned reads a body.
func ParseCloned(body []byte) (Cloned, error) {
	d := decoder{b: body}
	c := Cloned{PID: d.uint(), Errno: d.uint()}
	return c, d.end()
}
