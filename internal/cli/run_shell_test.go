package cli_test

import (
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/cli"
)

// person sits at the outer end of a terminal.
type person struct {
	t      *testing.T
	at     *os.File
	shown  chan string
	seen   string          // and not looked at yet
	leaves context.Context // ends when a session hangs
}

func sit(ctx context.Context, t *testing.T, at *os.File) *person {
	p := &person{t: t, at: at, shown: make(chan string), leaves: ctx}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := at.Read(b)
			if err != nil {
				return
			}
			select {
			case p.shown <- string(b[:n]):
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

func (p *person) types(s string) {
	p.t.Helper()
	if _, err := p.at.WriteString(s); err != nil {
		p.t.Fatal(err)
	}
}

// sees waits for a text, which is not what was typed itself.
func (p *person) sees(want string) {
	p.t.Helper()
	for !strings.Contains(p.seen, want) {
		select {
		case more := <-p.shown:
			p.seen += more
		case <-p.leaves.Done():
			p.t.Fatalf("waiting for %q: %v, after %q", want, p.leaves.Err(), p.seen)
		}
	}
	_, p.seen, _ = strings.Cut(p.seen, want)
}

// TestRunShellOnATerminal is a person's session: prompt, size, Control-C, exit.
func TestRunShellOnATerminal(t *testing.T) {
	bare(t)
	dir := folder(t, map[string]string{"app.py": "handler = None\n", "layer/bin/tool": "x"})
	outer, inner, err := cli.OpenTerminal()
	if err != nil {
		t.Fatal(err)
	}
	defer outer.Close()
	defer inner.Close()
	fd := int(inner.Fd())
	size := func(rows, columns uint16) {
		if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns}); err != nil {
			t.Fatal(err)
		}
	}
	size(33, 77)
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // of a session that hangs
	defer cancel()
	code := make(chan int, 1)
	go func() {
		code <- cli.Main(ctx, cli.Streams{In: inner, Out: inner, Err: &strings.Builder{}},
			[]string{"run", dir, "--runtime", "provided.al2023", "--shell", "-q"})
	}()
	p := sit(ctx, t, outer)
	p.sees("sandbox:/var/task$ ")
	p.types("echo $((1+1)):$(ls /opt/bin):$(stty size):$(id -u)\n")
	p.sees("2:tool:33 77:993")
	p.sees("sandbox:/var/task$ ") // before that, readline reads the size and writes it back, whatever it has become meanwhile
	size(40, 100)
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil { // the kernel would tell only a controlling terminal's programs
		t.Fatal(err)
	}
	p.types("until [ \"$(stty size)\" = '40 100' ]; do :; done; echo re''sized\n")
	p.sees("resized")
	p.types("tail -f app.py\n") // a shell would miss a signal between what it prints and what it starts then
	p.sees("handler = None")
	p.types("\x03")
	p.sees("sandbox:/var/task$ ")
	p.types("exit 7\n")
	if got := <-code; got != 7 {
		t.Errorf("exit code %d, want the shell's: 7", got)
	}
	after, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, before); diff != "" {
		t.Errorf("the person's terminal is another (got- want+)\n%s", diff)
	}
}
