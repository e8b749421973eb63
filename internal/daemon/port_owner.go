package daemon

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// PortOwner is the process that listens on an address.
type PortOwner struct {
	PID  int    // 0 when we may not see it
	Name string // its command line, or its name when that is empty
	UID  int    // of the user who opened the socket
}

func (o PortOwner) String() string {
	if o.PID != 0 {
		return fmt.Sprintf("process %d (%s)", o.PID, o.Name)
	}
	name := strconv.Itoa(o.UID)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return "a process of user " + name
}

// FindPortOwner finds who listens where a listener on addr would be in the way of another one, in the kernel's own
// tables below proc ("/proc"). ok is false when nobody does.
func FindPortOwner(proc string, addr netip.AddrPort) (o PortOwner, ok bool) {
	for _, table := range []string{"tcp", "tcp6"} {
		inode, uid, found := findListener(filepath.Join(proc, "net", table), addr)
		if !found {
			continue
		}
		o = PortOwner{UID: uid}
		o.PID, o.Name = findSocket(proc, "socket:["+inode+"]")
		return o, true
	}
	return PortOwner{}, false
}

// findListener looks for a listening socket of the address. The columns are numbered by blanks: 1 is the local address
// in hex, 3 the state, 7 the user, 9 the inode.
func findListener(table string, addr netip.AddrPort) (inode string, uid int, ok bool) {
	f, err := os.Open(table)
	if err != nil {
		return "", 0, false
	}
	defer f.Close()
	const listening = "0A"
	for lines := bufio.NewScanner(f); lines.Scan(); {
		col := strings.Fields(lines.Text())
		if len(col) < 10 || col[3] != listening {
			continue
		}
		local, err := parseHexAddr(col[1])
		if err != nil || !inTheWay(local, addr) {
			continue
		}
		uid, _ = strconv.Atoi(col[7])
		return col[9], uid, true
	}
	return "", 0, false
}

// inTheWay reports whether a listener on one address keeps another one from listening: the same port, and the same
// address or all of them.
func inTheWay(there, wanted netip.AddrPort) bool {
	if there.Port() != wanted.Port() {
		return false
	}
	a, b := there.Addr().Unmap(), wanted.Addr().Unmap()
	return a == b || a.IsUnspecified() && (a.Is6() || b.Is4()) || b.IsUnspecified()
}

// parseHexAddr reads "0100007F:11D6". The kernel prints the address as 32-bit words in its own byte order.
func parseHexAddr(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	if err != nil || len(b)%4 != 0 {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address", s)
	}
	for i := 0; i < len(b); i += 4 {
		binary.NativeEndian.PutUint32(b[i:], binary.BigEndian.Uint32(b[i:]))
	}
	ip, ok := netip.AddrFromSlice(b)
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil || !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address", s)
	}
	return netip.AddrPortFrom(ip, uint16(n)), nil
}

// findSocket looks through the open files of every process that we may see.
func findSocket(proc, link string) (pid int, name string) {
	fds, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "*"))
	for _, fd := range fds {
		if target, err := os.Readlink(fd); err != nil || target != link {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		pid, _ = strconv.Atoi(filepath.Base(dir))
		return pid, commandLine(dir)
	}
	return 0, ""
}

// commandLine is what a person would call the process, cut to one line's worth.
func commandLine(dir string) string {
	b, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	s := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
	if s == "" {
		b, _ = os.ReadFile(filepath.Join(dir, "comm"))
		s = strings.TrimSpace(string(b))
	}
	if r := []rune(s); len(r) > 60 {
		s = string(r[:60]) + "…"
	}
	return s
}
