package linuxsandbox

import (
	"bytes"
	"io"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// processMeter adds up the memory of a sandbox's processes, read from the sandbox's own /proc: a descriptor that the
// helper opened and handed out. It is the kernel's file system of that PID namespace, so it lists exactly the sandbox's
// processes, and nothing in it is the sandbox's to choose.
//
// What is only in /tmp, in no process, is not counted.
type processMeter struct {
	proc *os.File
}

func (p *processMeter) enforced() bool { return false }
func (p *processMeter) kills() int64   { return 0 }
func (p *processMeter) close()         { p.proc.Close() }

// charge counts memory that processes share once for each of them.
func (p *processMeter) charge() (int64, error) { return p.sum("status", "RssAnon:", "RssShmem:") }

// held divides shared memory among those who share it, which is dearer to read.
func (p *processMeter) held() (int64, error) {
	n, err := p.sum("smaps_rollup", "Pss_Anon:", "Pss_Shmem:")
	if err != nil || n == 0 { // an older kernel, or one that does not let us look
		return p.charge()
	}
	return n, nil
}

// sum adds the named lines of a file over all processes but the helper.
func (p *processMeter) sum(file string, lines ...string) (int64, error) {
	if _, err := p.proc.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	names, err := p.proc.Readdirnames(-1)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err != nil || pid == 1 {
			continue
		}
		data, err := p.read(name + "/" + file)
		if err != nil {
			continue // it has ended
		}
		total += kilobytes(data, lines)
	}
	return total, nil
}

func (p *processMeter) read(name string) ([]byte, error) {
	fd, err := unix.Openat(int(p.proc.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var buf [4096]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return nil, err
	}
	return buf[:n], nil
}

// kilobytes adds lines like "RssAnon:	     120 kB", in bytes.
func kilobytes(data []byte, names []string) int64 {
	var total int64
	for line := range bytes.Lines(data) {
		for _, name := range names {
			rest, ok := bytes.CutPrefix(line, []byte(name))
			if !ok {
				continue
			}
			n, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
			if err == nil {
				total += n << 10
			}
		}
	}
	return total
}
