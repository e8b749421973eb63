package linuxsandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// cgroupMeter reads a cgroup of either version through descriptors that stay open.
type cgroupMeter struct {
	usage, events, stat *os.File
	fields              [2]string // lines of memory.stat that are anonymous and shared memory
}

// newCgroupMeter opens a folder's files. A file that is missing reads as nothing.
func newCgroupMeter(folder, usage, events, anon, shared string) *cgroupMeter {
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return nil
		}
		return f
	}
	return &cgroupMeter{usage: open(usage), events: open(events), stat: open("memory.stat"), fields: [2]string{anon, shared}}
}

func (m *cgroupMeter) enforced() bool { return true }

func (m *cgroupMeter) charge() (int64, error) {
	data, err := again(m.usage)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(bytes.TrimSpace(data)), 10, 64)
}

func (m *cgroupMeter) held() (int64, error) {
	data, err := again(m.stat)
	if err != nil {
		return 0, err
	}
	return field(data, m.fields[0]) + field(data, m.fields[1]), nil
}

func (m *cgroupMeter) kills() int64 {
	data, err := again(m.events)
	if err != nil {
		return 0
	}
	return field(data, "oom_kill")
}

func (m *cgroupMeter) close() {
	for _, f := range []*os.File{m.usage, m.events, m.stat} {
		if f != nil {
			f.Close()
		}
	}
}

// again reads a control file from its start.
func again(f *os.File) ([]byte, error) {
	if f == nil {
		return nil, os.ErrNotExist
	}
	buf := make([]byte, 8<<10)
	n, err := unix.Pread(int(f.Fd()), buf, 0)
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
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
