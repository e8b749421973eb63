package sandboxtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// answer serves one connection after the other: it says hello and what it got up to a newline, until the listener
// closes.
func answer(l net.Listener, hello string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var got []byte
		for b := make([]byte, 1); len(got) == 0 || b[0] != '\n'; {
			if _, err := c.Read(b); err != nil {
				break
			}
			got = append(got, b[0])
		}
		fmt.Fprintf(c, "%s %s", hello, got)
		c.Close()
	}
}

// ask is a script that sends a word to an address and prints the answer.
func ask(addr, word string) string {
	host, port, _ := net.SplitHostPort(addr)
	return fmt.Sprintf(`exec 3<>/dev/tcp/%s/%s && echo %s >&3 && cat <&3`, host, port, word)
}

func testListen(e *env) {
	spec := e.spec()
	spec.LocalAddrs = []string{"169.254.100.1"}
	s := e.create(spec)
	for _, addr := range []string{"169.254.100.1:9001", "127.0.0.1:80"} {
		l, err := s.Listen(e.Context(), addr)
		if err != nil {
			e.Fatalf("listen on %s: %v", addr, err)
		}
		e.equal("address", l.Addr().String(), addr)
		go answer(l, "hello")
		e.equal("answer at "+addr, e.output(s, ask(addr, "world")), "hello world")
		if got := outside(addr); strings.HasPrefix(got, "hello") {
			e.Errorf("%s can be reached from outside", addr)
		}
		if _, err := s.Listen(e.Context(), addr); !errors.Is(err, syscall.EADDRINUSE) {
			e.Errorf("a second time: %v", err)
		}
		if err := l.Close(); err != nil {
			e.Errorf("close: %v", err)
		}
	}
	for _, addr := range []string{"10.1.2.3:80", "localhost:80", "[::1]:80", "x"} {
		if _, err := s.Listen(e.Context(), addr); err == nil {
			e.Errorf("listen on %s: no error", addr)
		}
	}
	// This one is left open: Close of the sandbox ends it.
	l, err := s.Listen(e.Context(), "127.0.0.1:81")
	if err != nil {
		e.Fatal(err)
	}
	s.Close()
	if _, err := l.Accept(); err == nil {
		e.Error("a listener outlives its sandbox")
	}
	if err := l.Close(); err != nil {
		e.Errorf("close of a listener that ended with its sandbox: %v", err)
	}
}

// outside asks whoever has the address on the host, if anybody has.
func outside(addr string) string {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintln(c, "word")
	got, _ := io.ReadAll(io.LimitReader(c, 100))
	return string(got)
}

func testConnect(e *env) {
	s := e.create(e.spec())
	l, err := s.Listen(e.Context(), "127.0.0.1:7000")
	if err != nil {
		e.Fatal(err)
	}
	go answer(l, "inner")
	c, err := s.Connect(e.Context(), "127.0.0.1:7000")
	if err != nil {
		e.Fatalf("connect: %v", err)
	}
	defer c.Close()
	fmt.Fprintln(c, "word")
	got, err := io.ReadAll(c)
	if err != nil {
		e.Fatal(err)
	}
	e.equal("answer", string(got), "inner word\n")
	if _, err := s.Connect(e.Context(), "127.0.0.1:7001"); !errors.Is(err, syscall.ECONNREFUSED) {
		e.Errorf("nobody there: %v", err)
	}
	if _, err := s.Connect(e.Context(), "10.1.2.3:80"); !errors.Is(err, syscall.ENETUNREACH) {
		e.Errorf("outside: %v", err)
	}
}

func testReach(e *env) {
	hidden, open := e.hostListener(), e.hostListener()
	go answer(hidden, "hidden")
	go answer(open, "open")
	spec := e.spec()
	spec.Reach = []string{open.Addr().String()}
	s := e.create(spec)
	for range 3 {
		e.equal("answer", e.output(s, ask(open.Addr().String(), "word")), "open word")
	}
	if out, exit := e.run(s, ask(hidden.Addr().String(), "word")); exit.Code == 0 || !strings.Contains(out, "refused") {
		e.Errorf("a port that is not named: %v, %q", exit, out)
	}
	// A connection that is open when the sandbox closes ends with it.
	p, r := e.spawn(s, ask(open.Addr().String(), "")+`; sleep 1000`)
	e.equal("open connection", e.readLine(r), "open ")
	s.Close()
	e.wait(p)

	gone := e.hostListener()
	gone.Close()
	spec = e.spec()
	spec.Reach = []string{gone.Addr().String()}
	e.equal("nobody at the address", e.output(e.create(spec), `exec 2>/dev/null; `+ask(gone.Addr().String(), "word")+`; true`), "")
}

func (e *env) hostListener() net.Listener {
	e.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { l.Close() })
	return l
}

func testNoNetwork(e *env) {
	s := e.create(e.spec())
	e.equal("devices", e.output(s, `tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '`), "lo")
	for _, addr := range []string{"192.0.2.1:80", "169.254.169.254:80", "8.8.8.8:53"} {
		if out, exit := e.run(s, ask(addr, "word")); exit.Code == 0 || !strings.Contains(out, "unreachable") {
			e.Errorf("%s: %v, %q", addr, exit, out)
		}
	}
}
