package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain makes this test program the real one when it is asked to.
func TestMain(m *testing.M) {
	if os.Getenv("LAMINA_TEST_AS_PROGRAM") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program starts `lamina serve` on a data folder and gives it with the address where it answers.
func program(t *testing.T, data string) (*exec.Cmd, string) {
	t.Helper()
	c := exec.Command("/proc/self/exe", "serve", "--listen", "127.0.0.1:0", "--data", data, "--drain-timeout", "10m")
	c.Env = append(os.Environ(), "LAMINA_TEST_AS_PROGRAM=1", "HOME="+t.TempDir())
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return c, strings.TrimSpace(strings.TrimPrefix(line, "lamina is ready at http://"))
}

func TestSignalsStopTheServer(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		stop(t, t.TempDir()+"/data", sig)
	}
}

// stop starts a server and ends it with a signal.
func stop(t *testing.T, data string, sig syscall.Signal) {
	t.Helper()
	c, _ := program(t, data)
	if err := c.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v: %v", sig, err)
	}
}

// TestASecondSignalEndsAtOnce holds the drain up with a call that is half sent.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	data := t.TempDir() + "/data"
	c, addr := program(t, data)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /2018-10-31/layers/l/versions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	// The server asks for the body when a handler reads it: from then on the call is running.
	if answer, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(answer, "100 Continue") {
		t.Fatalf("got %q, %v", answer, err)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntilClosed(t, addr)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if status := c.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", c.ProcessState)
	}
	stop(t, data, syscall.SIGTERM) // the next server removes what that one left
}

// waitUntilClosed waits until nobody listens any more: the first signal has been taken.
func waitUntilClosed(t *testing.T, addr string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		conn.Close()
	}
}
