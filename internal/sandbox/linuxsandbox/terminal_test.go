package linuxsandbox_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// onTerminal makes the test below the process that has the terminal.
const onTerminal = "LAMINA_TEST_ON_TERMINAL"

// TestServerOnATerminal has the server started in a terminal, which processes in its sandboxes have not.
func TestServerOnATerminal(t *testing.T) {
	if os.Getenv(onTerminal) != "" {
		fmt.Printf("<%s>\n", terminalsOf(t))
		return
	}
	outer, terminal, err := openTerminal()
	if err != nil {
		t.Skipf("NOT RUN: no terminals here: %v", err)
	}
	defer outer.Close()
	defer terminal.Close()
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestServerOnATerminal$", "-test.v")
	cmd.Env = append(os.Environ(), onTerminal+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	if want := "<server true, sandbox 0>"; !strings.Contains(out.String(), want) {
		t.Errorf("got\n%s\nwant %s", out.Bytes(), want)
	}
}

// terminalsOf says whether this process has a terminal, and the number of the one that a process of its sandbox has.
func terminalsOf(t *testing.T) string {
	f, err := os.Open("/dev/tty")
	if err == nil {
		f.Close()
	}
	d, derr := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if derr != nil {
		t.Fatal(derr)
	}
	defer d.Close()
	s, derr := d.Create(t.Context(), sandbox.Spec{ID: "terminal", Account: "000000000000", Root: runtimes.DefaultRoot(), TmpSize: 1 << 20})
	if derr != nil {
		t.Fatal(derr)
	}
	defer s.Close()
	r, w, derr := os.Pipe()
	if derr != nil {
		t.Fatal(derr)
	}
	defer r.Close()
	p, derr := s.Spawn(t.Context(), sandbox.Command{
		Path: "/bin/sh", Args: []string{"sh", "-c", "read -r _ _ _ _ _ _ terminal _ </proc/self/stat; echo $terminal"}, Dir: "/", Stdout: w,
	})
	w.Close()
	if derr != nil {
		t.Fatal(derr)
	}
	var number bytes.Buffer
	if _, derr := number.ReadFrom(r); derr != nil {
		t.Fatal(derr)
	}
	if _, derr := p.Wait(t.Context()); derr != nil {
		t.Fatal(derr)
	}
	return fmt.Sprintf("server %v, sandbox %s", err == nil, strings.TrimSpace(number.String()))
}

// openTerminal makes a terminal of two ends.
func openTerminal() (outer, inner *os.File, err error) {
	if outer, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(int(outer.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(outer.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		inner, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		outer.Close()
	}
	return outer, inner, err
}
