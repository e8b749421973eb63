package sandboxtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox"
)

// ownerVariable makes a test program the owner of some sandboxes; its value is the state folder.
const ownerVariable = "LAMINA_SANDBOXTEST_OWNER"

// ownerPrefix begins the IDs of these.
const ownerPrefix = "owned-"

// own makes sandboxes, says so, and waits to be killed.
func own(s Suite, dir string) {
	die := func(err error) {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	d, err := s.Open(dir)
	die(err)
	for i := range 3 {
		box, err := d.Create(context.Background(), sandbox.Spec{
			ID: fmt.Sprintf("%s%d-%d", ownerPrefix, os.Getpid(), i), Account: "123456789012", Root: system(), TmpSize: 1 << 20, Memory: 64 << 20, Processes: 20,
		})
		die(err)
		r, w, err := os.Pipe()
		die(err)
		_, err = box.Spawn(context.Background(), sandbox.Command{
			Path: "/bin/sh", Args: []string{"sh", "-c", "trap '' TERM HUP; setsid sleep 1000 & sleep 1000 & echo; wait"}, Dir: "/", Stdout: w,
		})
		die(err)
		_, err = r.Read(make([]byte, 1))
		die(err)
		// What is frozen must end like the rest.
		if i == 0 {
			continue
		}
		if err := box.Freeze(); !errors.Is(err, errors.ErrUnsupported) {
			die(err)
		}
	}
	fmt.Println("ready")
	select {}
}

func testKilledOwner(e *env) {
	state := e.TempDir()
	owner := exec.Command("/proc/self/exe")
	owner.Env = append(os.Environ(), ownerVariable+"="+state)
	owner.Stderr = os.Stderr
	out, err := owner.StdoutPipe()
	if err != nil {
		e.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		e.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	e.equal("the owner", line, "ready\n")
	if err != nil {
		e.Fatal(err)
	}
	var all []int
	for _, pid := range descendants(owner.Process.Pid) {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			e.Fatalf("cannot watch process %d: %v", pid, err)
		}
		defer unix.Close(fd)
		all = append(all, fd)
	}
	if len(all) < 3*3 {
		e.Fatalf("the owner has %d processes below it", len(all))
	}
	owner.Process.Kill()
	owner.Wait()
	for _, fd := range all {
		if !ended(fd) {
			e.Error("a process outlives the one that owned its sandbox")
		}
	}

	// What is left, the next driver of the same state removes.
	next, err := e.suite.Open(state)
	if err != nil {
		e.Fatal(err)
	}
	defer next.Close()
	if err := next.Recover(e.Context()); err != nil {
		e.Errorf("recover: %v", err)
	}
	if left := e.suite.Leftovers(fmt.Sprintf("%s%d-", ownerPrefix, owner.Process.Pid)); len(left) > 0 {
		e.Errorf("left behind: %q", left)
	}
}

// ended waits until the process of a pidfd has ended.
func ended(fd int) bool {
	deadline := time.Now().Add(patience)
	for {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, int(time.Until(deadline).Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		return n == 1
	}
}
