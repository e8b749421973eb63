package linuxsandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// cgroupMeter reads a cgroup of either version through descriptors that stay open.
type cgroupMeter struct {
	usage, events, stat *control
	fields              [2]string // lines of memory.stat that are anonymous and shared memory
}

// newCgroupMeter opens a folder's files. A file that is missing reads as nothing.
func newCgroupMeter(folder, usage, events, anon, shared string) *cgroupMeter {
	open := func(name string) *control { return openControl(filepath.Join(folder, name)) }
	return &cgroupMeter{usage: open(usage), events: open(events), stat: open("memory.stat"), fields: [2]string{anon, shared}}
}

func (m *cgroupMeter) enforced() bool { return true }

func (m *cgroupMeter) charge() (int64, error) {
	var n int64
	err := m.usage.again(func(data []byte) (err error) {
		n, err = strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
		return err
	})
	return n, err
}

func (m *cgroupMeter) held() (int64, error) {
	var n int64
	err := m.stat.again(func(data []byte) error {
		n = field(data, m.fields[0]) + field(data, m.fields[1])
		return nil
	})
	return n, err
}

func (m *cgroupMeter) kills() int64 {
	var n int64
	if m.events.again(func(data []byte) error {
		n = field(data, "oom_kill")
		return nil
	}) != nil {
		return 0
	}
	return n
}

func (m *cgroupMeter) close() {
	for _, c := range []*control{m.usage, m.events, m.stat} {
		c.close()
	}
}

// control is a control file that stays open; nil is one that is missing.
type control struct {
	f  *os.File
	fd int // its descriptor: to ask the file each time would be a system call
}

func openControl(path string) *control {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	return &control{f, int(f.Fd())}
}

func (c *control) close() {
	if c != nil {
		c.f.Close()
	}
}

// controlBuffers are what control files are read into: every invocation reads some.
var controlBuffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// again reads a control file from its start and has what it says looked at.
func (c *control) again(look func(data []byte) error) error {
	if c == nil {
		return os.ErrNotExist
	}
	buf := controlBuffers.Get().(*[8 << 10]byte)
	defer controlBuffers.Put(buf)
	n, err := unix.Pread(c.fd, buf[:], 0)
	runtime.KeepAlive(c.f)
	if err != nil {
		return err
	}
	return look(buf[:n])
}

// field is the number of a line "name 123".
func field(data []byte, name string) int64 {
	for line := range bytes.Lines(data) {
		key, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if ok && string(key) == name {
			n, _ := strconv.ParseInt(string(value), 10, 64)
			return n
		}
	}
	return 0
}
