package daemon_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/daemon"
)

func TestFindPortOwnerFindsUs(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", "0.0.0.0:0", "[::]:0"} {
		t.Run(addr, func(t *testing.T) {
			ln, err := net.Listen("tcp", addr)
			if err != nil {
				t.Skipf("this machine has no such address: %v", err)
			}
			defer ln.Close()
			port := ln.Addr().(*net.TCPAddr).AddrPort().Port()
			asked := netip.AddrPortFrom(ln.Addr().(*net.TCPAddr).AddrPort().Addr(), port)
			o, ok := daemon.FindPortOwner("/proc", asked)
			if !ok || o.PID != os.Getpid() || o.UID != os.Getuid() || !strings.Contains(o.Name, filepath.Base(os.Args[0])) {
				t.Errorf("got %+v, %v, want process %d", o, ok, os.Getpid())
			}
			ln.Close()
			if o, ok := daemon.FindPortOwner("/proc", asked); ok {
				t.Errorf("after the listener is closed: got %+v", o)
			}
		})
	}
}

// table is a machine's /proc with one listener: 127.0.0.1:4566 of user 33, socket 777, as a little-endian kernel prints it.
const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:11D6 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 777 1 0000000000000000 100 0 0 10 0
   1: 0100007F:11D7 0100007F:11D6 01 00000000:00000000 00:00000000 00000000    33        0 778 1 0000000000000000 100 0 0 10 0
`

func fakeProc(t *testing.T, tcp, tcp6 string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"net/tcp": tcp, "net/tcp6": tcp6, "42/cmdline": "web\x00--port\x004566\x00", "42/comm": "web\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindPortOwner(t *testing.T) {
	open := fakeProc(t, table, "")
	if err := os.Mkdir(filepath.Join(open, "42", "fd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("socket:[777]", filepath.Join(open, "42", "fd", "5")); err != nil {
		t.Fatal(err)
	}
	closed := fakeProc(t, table, "") // a process whose files we may not see
	any6 := fakeProc(t, "", strings.ReplaceAll(table, "0100007F:11D6", "00000000000000000000000000000000:11D6"))
	for name, tt := range map[string]struct {
		proc, addr string
		want       string // "" is nobody
	}{
		"its process":                  {open, "127.0.0.1:4566", "process 42 (web --port 4566)"},
		"all addresses want it too":    {open, "0.0.0.0:4566", "process 42 (web --port 4566)"},
		"mapped into IPv6":             {open, "[::ffff:127.0.0.1]:4566", "process 42 (web --port 4566)"},
		"only its user":                {closed, "127.0.0.1:4566", "a process of user "},
		"who has all has this one":     {any6, "127.0.0.1:4566", "a process of user "},
		"another address":              {open, "127.0.0.2:4566", ""},
		"another port":                 {open, "127.0.0.1:80", ""},
		"connected, but not listening": {open, "127.0.0.1:4567", ""},
		"no tables":                    {t.TempDir(), "127.0.0.1:4566", ""},
	} {
		t.Run(name, func(t *testing.T) {
			o, ok := daemon.FindPortOwner(tt.proc, netip.MustParseAddrPort(tt.addr))
			if ok != (tt.want != "") || ok && !strings.HasPrefix(o.String(), tt.want) {
				t.Errorf("got %q, %v, want %q", o, ok, tt.want)
			}
		})
	}
}
