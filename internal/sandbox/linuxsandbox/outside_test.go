package linuxsandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// outsider makes sandboxes with a way out.
type outsider struct {
	*testing.T
	driver *linuxsandbox.Driver
	count  atomic.Int64
}

func newOutsider(t *testing.T, policy *egress.Policy) *outsider {
	t.Helper()
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir(), Outside: policy})
	must(t, err)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &outsider{T: t, driver: d}
}

func (o *outsider) create() sandbox.Sandbox {
	o.Helper()
	s, err := o.driver.Create(o.Context(), sandbox.Spec{
		ID:      fmt.Sprintf("out-%d-%s-%d", os.Getpid(), strings.ReplaceAll(o.Name(), "/", "-"), o.count.Add(1)),
		Account: "123456789012", TmpSize: 1 << 20, Processes: 64, LocalAddrs: []string{"169.254.100.1"},
		Root: []sandbox.Mount{
			{Target: "/usr", Bind: "/usr"}, {Target: "/bin", Link: "usr/bin"}, {Target: "/lib", Link: "usr/lib"}, {Target: "/lib64", Link: "usr/lib64"},
			{Target: "/etc/nsswitch.conf", File: []byte("hosts: files dns\n")},
			{Target: "/etc/resolv.conf", File: []byte("nameserver 169.254.100.5\n")},
		},
	})
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { s.Close() })
	return s
}

// run gives what a script printed, on both streams.
func (o *outsider) run(s sandbox.Sandbox, script string) string {
	o.Helper()
	r, w, err := os.Pipe()
	must(o.T, err)
	defer r.Close()
	p, err := s.Spawn(o.Context(), sandbox.Command{Path: "/bin/bash", Args: []string{"bash", "-c", script}, Dir: "/",
		Env: []string{"PATH=/usr/bin", "LC_ALL=C"}, Stdout: w, Stderr: w})
	w.Close()
	must(o.T, err)
	r.SetReadDeadline(time.Now().Add(time.Minute))
	var b bytes.Buffer
	if _, err := io.Copy(&b, r); err != nil {
		o.Fatalf("%q: %v after %q", script, err, &b)
	}
	_, err = p.Wait(o.Context())
	must(o.T, err)
	return strings.TrimSpace(b.String())
}

// ask sends a word over TCP and prints the answer.
func ask(addr, port string) string {
	return fmt.Sprintf(`exec 3<>/dev/tcp/%s/%s && echo word >&3 && cat <&3`, addr, port)
}

// askUDP sends words in one flow and prints the answers.
func askUDP(addr string, words ...string) string {
	script := fmt.Sprintf(`exec 3<>/dev/udp/%s/%s`, addr, wordPort)
	for _, w := range words {
		script += fmt.Sprintf(` && echo %s >&3 && timeout 10 dd bs=2000 count=1 status=none <&3`, w)
	}
	return script
}

func TestOutside(t *testing.T) {
	inWorld(t, func(t *testing.T) {
		t.Run("calls", testCalls)
		t.Run("names", testNames)
		t.Run("never", testNever)
		t.Run("settings", testSettings)
		t.Run("refused by the far end", testFarEnd)
		t.Run("other sandboxes", testOtherSandboxes)
		t.Run("hostile", testHostileNetwork)
		t.Run("end", testOutsideEnds)
		t.Run("none", testNoOutside)
	})
}

func testCalls(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	s := o.create()
	o.want(s, ask(publicAddr, wordPort), "elsewhere 203.0.113.10:8080 word")
	o.want(s, `cat </dev/tcp/`+publicAddr+`/`+bulkPort+` | wc -c`, strconv.Itoa(bulkSize))
	o.want(s, askUDP(publicAddr, "one", "two", "three"), "elsewhere 203.0.113.10 one\nelsewhere 203.0.113.10 two\nelsewhere 203.0.113.10 three")
	// Many at once, from one process and from several.
	o.want(s, `for i in $(seq 20); do (`+ask(publicAddr, wordPort)+`) & done | sort | uniq -c | tr -s ' '; wait`, "20 elsewhere 203.0.113.10:8080 word")
	o.want(s, `for i in $(seq 12); do (`+askUDP(publicAddr, "w")+`) & done | sort | uniq -c | tr -s ' '; wait`, "12 elsewhere 203.0.113.10 w")
	// What lies inside is not carried out.
	l, err := s.Listen(t.Context(), "169.254.100.1:9001")
	must(t, err)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "inner ", c.RemoteAddr().(*net.TCPAddr).IP)
			c.Close()
		}
	}()
	o.want(s, `cat </dev/tcp/169.254.100.1/9001`, "inner 169.254.100.1")
}

func (o *outsider) want(s sandbox.Sandbox, script, want string) {
	o.Helper()
	if got := o.run(s, script); got != want {
		o.Errorf("%s:\n got %q\nwant %q", script, got, want)
	}
}

// wantNot runs a call that must not arrive, and must say why.
func (o *outsider) wantNot(s sandbox.Sandbox, script string, why ...string) {
	o.Helper()
	got := o.run(s, script)
	if strings.Contains(got, "host") && strings.Contains(got, ":80") && strings.Contains(got, " word") || strings.Contains(got, "elsewhere") {
		o.Errorf("%s arrived: %q", script, got)
	}
	for _, w := range why {
		if strings.Contains(got, w) {
			return
		}
	}
	o.Errorf("%s: got %q, want one of %q", script, got, why)
}

func testNames(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	s := o.create()
	o.want(s, `getent ahostsv4 service.test | head -1 | tr -s ' '`, publicAddr+" STREAM service.test")
	o.want(s, `getent ahostsv4 long.test | head -1 | tr -s ' '`, publicAddr+" STREAM long.test")
	o.want(s, ask("service.test", wordPort), "elsewhere 203.0.113.10:8080 word")
}

func testNever(t *testing.T) {
	o := newOutsider(t, &egress.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}})
	s := o.create()
	for _, addr := range []string{metadataAddr, "169.254.1.1"} {
		o.wantNot(s, ask(addr, wordPort), "No route to host")
		o.wantNot(s, askUDP(addr, "word"), "No route to host")
	}
	o.wantNot(s, ask("127.0.0.1", wordPort), "Connection refused")
	o.wantNot(s, ask("127.0.0.53", "53"), "Connection refused")
	o.wantNot(s, ask("127.0.0.1", "1023"), "Connection reset") // the socket of the way out itself
	o.wantNot(s, ask(hostAddr, wordPort), "Connection reset")
	o.wantNot(s, ask("0.0.0.0", wordPort), "Connection refused")
	o.wantNot(s, `exec 3<>/dev/udp/`+hostAddr+`/8080 && echo word >&3 && timeout 1 dd bs=2000 count=1 status=none <&3; echo $?`, "124")
	o.wantNot(s, ask("224.0.0.1", wordPort), "No route to host", "unreachable")
	o.wantNot(s, ask("255.255.255.255", wordPort), "No route to host", "unreachable")
	o.wantNot(s, `exec 3<>/dev/tcp/198.51.100.255/8080 && cat <&3`, "Connection reset") // the wire's broadcast
	o.wantNot(s, ask("fd00::1", wordPort), "unreachable", "Cannot assign")
}

func testSettings(t *testing.T) {
	net := func(s string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(s)} }
	plain := newOutsider(t, &egress.Policy{})
	s := plain.create()
	plain.wantNot(s, ask(privateAddr, wordPort), "No route to host")
	plain.wantNot(s, askUDP(privateAddr, "word"), "No route to host")
	plain.wantNot(s, ask(publicAddr, mailPort), "Connection reset")

	allowing := newOutsider(t, &egress.Policy{Allow: net("10.77.0.0/16")})
	s = allowing.create()
	allowing.want(s, ask(privateAddr, wordPort), "elsewhere 10.77.0.5:8080 word")
	allowing.want(s, ask(privateAddr, mailPort), "elsewhere 10.77.0.5:25 word")
	allowing.want(s, askUDP(privateAddr, "word"), "elsewhere 10.77.0.5 word")
	allowing.wantNot(s, ask("10.78.0.5", wordPort), "No route to host")

	denying := newOutsider(t, &egress.Policy{Allow: net("10.77.0.0/16"), Deny: append(net("203.0.113.0/24"), net("10.0.0.0/8")...)})
	s = denying.create()
	denying.wantNot(s, ask(publicAddr, wordPort), "No route to host")
	denying.wantNot(s, ask(privateAddr, wordPort), "No route to host")
	denying.want(s, ask(routerAddr, wordPort), "elsewhere 198.51.100.2:8080 word")
}

func testFarEnd(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	s := o.create()
	o.wantNot(s, ask(publicAddr, emptyPort), "Connection reset")
}

// testOtherSandboxes shows that an address that one sandbox has is nobody's in another.
func testOtherSandboxes(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	one, other := o.create(), o.create()
	for _, addr := range []string{"169.254.100.1", "169.254.100.5", "127.0.0.1"} {
		l, err := one.Listen(t.Context(), addr+":7000")
		must(t, err)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, "elsewhere: another sandbox")
				c.Close()
			}
		}()
		o.wantNot(other, ask(addr, "7000"), "Connection refused")
	}
}

func testHostileNetwork(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	s := o.create()
	for _, socket := range []string{"2, 3, 1", "2, 3, 255", "17, 3, 768", "16, 3, 12"} { // raw ICMP, raw IP, packets, netfilter
		got := o.run(s, fmt.Sprintf(`perl -e 'socket(my $s, %s) or die "refused: $!\n"; print "opened\n"'`, socket))
		if socket != "16, 3, 12" && !strings.Contains(got, "refused: ") {
			o.Errorf("socket(%s): %q", socket, got)
		}
	}
	// A socket that takes other addresses' calls, the ports of the way out, and its addresses.
	o.wantNot(s, `perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 6); setsockopt($s, 0, 19, pack("i", 1)) or die "refused: $!\n"'`, "refused: ")
	for _, port := range []string{"53", "1023"} {
		o.wantNot(s, `perl -MSocket -e 'socket(my $s, PF_INET, SOCK_DGRAM, 17); bind($s, sockaddr_in(`+port+`, INADDR_ANY)) or die "refused: $!\n"'`, "refused: ")
	}
	// More calls than one sandbox may have, then the others still go through.
	flood := `perl -MSocket -e 'for (1..900) { socket(my $s, PF_INET, SOCK_DGRAM, 17); push @s, $s; send($s, "x", 0, sockaddr_in(8080, inet_aton("` + publicAddr + `"))) } print scalar @s'`
	o.want(s, flood, "900")
	o.want(o.create(), askUDP(publicAddr, "word"), "elsewhere 203.0.113.10 word")
	o.want(s, ask(publicAddr, wordPort), "elsewhere 203.0.113.10:8080 word")
}

// testOutsideEnds shows that calls end with their sandbox.
func testOutsideEnds(t *testing.T) {
	o := newOutsider(t, &egress.Policy{})
	ended := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := o.create()
	l, err := s.Listen(ctx, "127.0.0.1:7000") // hears that the calls stand
	must(t, err)
	p, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/bash", Dir: "/", Env: []string{"PATH=/usr/bin"}, Args: []string{"bash", "-c",
		`exec 3<>/dev/tcp/` + publicAddr + `/` + wordPort + ` 4<>/dev/udp/` + publicAddr + `/` + wordPort + `; echo x >&4; timeout 10 dd bs=2000 count=1 status=none <&4; echo x >/dev/tcp/127.0.0.1/7000; sleep 1000`}})
	must(t, err)
	c, err := l.Accept()
	must(t, err)
	c.Close()
	go func() {
		_, err := p.Wait(ctx)
		ended <- err
	}()
	must(t, s.Close()) // returns when all that was carried has ended
	must(t, <-ended)
}

func testNoOutside(t *testing.T) {
	o := newOutsider(t, nil)
	s := o.create()
	for _, addr := range []string{publicAddr, privateAddr, metadataAddr, hostAddr, "169.254.100.5"} {
		o.wantNot(s, ask(addr, wordPort), "Network is unreachable")
	}
	o.wantNot(s, `getent ahostsv4 service.test; echo $?`, "2")
}
