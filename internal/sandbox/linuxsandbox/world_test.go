package linuxsandbox_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The world of the tests of the way out: one network namespace plays the host, in which the test itself runs, and another
// plays everything else. A wire goes between them, and no packet of the tests leaves the machine.
//
//	host      198.51.100.1   the loopback has a resolver at 127.0.0.53, as systemd's
//	elsewhere 198.51.100.2   the host's default route
//	          203.0.113.10   a server on the internet
//	          10.77.0.5      one in a private network
//	          169.254.169.254  a cloud's metadata service
const (
	hostAddr     = "198.51.100.1"
	routerAddr   = "198.51.100.2"
	publicAddr   = "203.0.113.10"
	privateAddr  = "10.77.0.5"
	metadataAddr = "169.254.169.254"

	wordPort  = "8080" // says where the call arrived, and the line that it got
	bulkPort  = "8081" // sends bulkSize bytes
	mailPort  = "25"   // as wordPort
	emptyPort = "9"    // nobody
	bulkSize  = 5 << 20
)

// worldVariable says in which step of entering the world a test program is.
const worldVariable = "LAMINA_TEST_WORLD"

// inWorld runs a test in the world: as root in one whose host is a new network namespace, and then by an ordinary user in
// the same one. An ordinary user who runs the tests makes the world in a user namespace.
func inWorld(t *testing.T, test func(t *testing.T)) {
	switch os.Getenv(worldVariable) {
	case "":
		enterWorld(t)
	case "built": // by the root of this world, who left it to us
		test(t)
	case "empty":
		buildWorld(t)
		t.Run("root", test)
		if os.Getenv("LAMINA_TEST_ROOT") != "" {
			t.Run("ordinary user", runAsNobody)
		}
	}
}

func again(t *testing.T, path, step string) *exec.Cmd {
	top, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.CommandContext(t.Context(), path, "-test.run", "^"+top+"$", "-test.timeout", "4m", "-test.v")
	cmd.Env = append(os.Environ(), worldVariable+"="+step)
	return cmd
}

func enterWorld(t *testing.T) {
	cmd := again(t, "/proc/self/exe", "empty")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	if os.Geteuid() == 0 {
		cmd.Env = append(cmd.Env, "LAMINA_TEST_ROOT=1")
	} else {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	finish(t, cmd)
}

// runAsNobody runs the test once more, in the same namespaces, by a user without privileges.
func runAsNobody(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "world-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "world.test")
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = os.WriteFile(program, self, 0o755)
	}
	if err == nil {
		err = os.Chown(dir, 65534, 65534)
	}
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := again(t, program, "built")
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	finish(t, cmd)
}

func finish(t *testing.T, cmd *exec.Cmd) {
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Fatalf("in the world: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "--- ") || strings.Contains(line, "ran as") {
			t.Log(strings.TrimSpace(line))
		}
	}
}

// buildWorld makes the other namespace, the wire, and who answers.
func buildWorld(t *testing.T) {
	must(t, setUp("lo"))
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wire"}, PeerName: "far"}))
	elsewhere(t, func() {
		address(t, "far", routerAddr+"/24")
		for _, a := range []string{publicAddr, privateAddr, metadataAddr} {
			address(t, "far", a+"/32")
		}
		must(t, setUp("lo"))
		must(t, setUp("far"))
		answerEverywhere(t, "elsewhere")
	})
	address(t, "wire", hostAddr+"/24")
	must(t, setUp("wire"))
	must(t, netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(routerAddr)}))
	answerEverywhere(t, "host")
	resolve(t)
}

// elsewhere moves the far end of the wire to a new namespace and runs f in it. Sockets that f opens stay there.
func elsewhere(t *testing.T, f func()) {
	done := make(chan struct{})
	enter, entered := make(chan string), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends in its namespace
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			close(enter)
			return
		}
		enter <- fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid())
		<-entered
		f()
	}()
	path, ok := <-enter
	if !ok {
		t.FailNow()
	}
	ns, err := os.Open(path)
	must(t, err)
	defer ns.Close()
	far, err := netlink.LinkByName("far")
	must(t, err)
	must(t, netlink.LinkSetNsFd(far, int(ns.Fd())))
	close(entered)
	<-done
	if t.Failed() {
		t.FailNow()
	}
}

func setUp(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	return netlink.LinkSetUp(l)
}

func address(t *testing.T, device, cidr string) {
	l, err := netlink.LinkByName(device)
	must(t, err)
	a, err := netlink.ParseAddr(cidr)
	must(t, err)
	must(t, netlink.AddrAdd(l, a))
}

// answerEverywhere answers at every address of the namespace, TCP and UDP.
func answerEverywhere(t *testing.T, name string) {
	serve := func(port string, f func(net.Conn)) {
		l, err := net.Listen("tcp4", ":"+port)
		must(t, err)
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() { defer c.Close(); f(c) }()
			}
		}()
	}
	word := func(c net.Conn) {
		line := make([]byte, 100)
		n, _ := c.Read(line)
		fmt.Fprintf(c, "%s %s %s", name, c.LocalAddr(), line[:n])
	}
	serve(wordPort, word)
	serve(mailPort, word)
	serve(bulkPort, func(c net.Conn) { io.CopyN(c, zeros{}, bulkSize) })
	for _, at := range []string{publicAddr, privateAddr, metadataAddr, hostAddr, "127.0.0.1"} {
		u, err := net.ListenPacket("udp4", at+":"+wordPort)
		if err != nil {
			continue // it is not this namespace's
		}
		t.Cleanup(func() { u.Close() })
		go func() {
			b := make([]byte, 2000)
			for {
				n, peer, err := u.ReadFrom(b)
				if err != nil {
					return
				}
				u.WriteTo([]byte(name+" "+at+" "+string(b[:n])), peer)
			}
		}()
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// resolve answers names on the host's loopback, and makes the host's file name that resolver. The address of a name that
// begins with "long" comes over TCP only.
func resolve(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(file, []byte("# a comment\nnameserver 127.0.0.53\noptions edns0\n"), 0o644))
	must(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
	real, err := filepath.EvalSymlinks("/etc/resolv.conf")
	must(t, err)
	must(t, unix.Mount(file, real, "", unix.MS_BIND, ""))
	u, err := net.ListenPacket("udp4", "127.0.0.53:53")
	must(t, err)
	l, err := net.Listen("tcp4", "127.0.0.53:53")
	must(t, err)
	t.Cleanup(func() { u.Close(); l.Close() })
	go func() {
		b := make([]byte, 2000)
		for {
			n, peer, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			u.WriteTo(answerName(b[:n], true), peer)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			var size [2]byte
			io.ReadFull(c, size[:])
			question := make([]byte, binary.BigEndian.Uint16(size[:]))
			io.ReadFull(c, question)
			answer := answerName(question, false)
			c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			c.Close()
		}
	}()
}

// answerName answers a DNS question with publicAddr, or says that the answer does not fit.
func answerName(question []byte, udp bool) []byte {
	end := 12
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the root label, type, class
	if end > len(question) {
		return nil
	}
	long := strings.HasPrefix(string(question[13:]), "long")
	a := append([]byte(nil), question[:end]...)
	a[2], a[3] = 0x81, 0x80 // an answer, recursion available
	copy(a[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0})
	isA := question[end-3] == 1
	switch {
	case udp && long:
		a[2] |= 2 // truncated
	case isA:
		a[7] = 1
		a = append(a, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
		a = append(a, net.ParseIP(publicAddr).To4()...)
	}
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
