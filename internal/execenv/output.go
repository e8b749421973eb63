package execenv

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// output reads one pipe of the runtime's processes and cuts what comes into events.
//
// A goroutine sleeps until there is something; flush reads in the caller's goroutine what was written until now. So
// everything that a function printed before it answered is published before END, without waking anybody when it printed
// nothing.
type output struct {
	r    *os.File
	done chan struct{}

	mu  sync.Mutex // held while bytes are read and cut, so that they stay in order
	cut cutter
}

// cutter cuts a stream of bytes into events. Flush gives what is left of an unfinished one.
type cutter interface {
	Write(p []byte)
	Flush()
}

var readBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// openOutput makes a pipe. The caller closes the write end once the process has it. The write end blocks, as programs
// expect of their output; only ours does not.
func openOutput(cut cutter) (o *output, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	w = os.NewFile(uintptr(fds[1]), "output")
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		w.Close()
		return nil, nil, fmt.Errorf("cannot make a pipe: %w", err)
	}
	o = &output{r: os.NewFile(uintptr(fds[0]), "output"), done: make(chan struct{}), cut: cut}
	go o.run()
	return o, w, nil
}

// run reads until every process has closed the pipe, or close.
func (o *output) run() {
	defer close(o.done)
	c, err := o.r.SyscallConn()
	if err != nil {
		return
	}
	// The poller tells of news once, so each round reads until nothing is left.
	_ = c.Read(func(fd uintptr) bool {
		for {
			n, err := o.read(int(fd), -1)
			switch {
			case errors.Is(err, unix.EAGAIN):
				return false
			case err != nil, n == 0:
				return true
			}
		}
	})
}

// read reads once, up to limit bytes when limit is not negative.
func (o *output) read(fd, limit int) (int, error) {
	buf := readBuffers.Get().(*[64 << 10]byte)
	defer readBuffers.Put(buf)
	p := buf[:]
	if limit >= 0 && limit < len(p) {
		p = p[:limit]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		n, err := unix.Read(fd, p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n > 0 {
			o.cut.Write(p[:n])
		}
		return n, err
	}
}

// flush publishes what has been written until now. partial also publishes a last line that has no end.
func (o *output) flush(partial bool) {
	if c, err := o.r.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) {
			// A process that never stops to write must not keep us here: only what is in the pipe now counts.
			left, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
			for err == nil && left > 0 {
				var n int
				n, err = o.read(int(fd), left)
				left -= max(n, 1)
			}
		})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if partial {
		o.cut.Flush()
	}
}

// close flushes and ends the reading. Every process that wrote is dead.
func (o *output) close() {
	o.flush(true)
	o.r.Close()
	<-o.done
}
