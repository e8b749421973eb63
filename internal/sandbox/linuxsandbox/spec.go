package linuxsandbox

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"strings"

	"github.com/laminadev/lamina/internal/sandbox"
)

// reserved are the parts of the root that every sandbox has.
var reserved = []string{"/proc", "/dev", "/tmp", "/.lamina"}

// check finds mistakes of the caller before anything is started.
func check(s sandbox.Spec) error {
	if s.ID == "" || strings.ContainsAny(s.ID, "/\n") || strings.HasPrefix(s.ID, ".") {
		return fmt.Errorf("cannot create sandbox: bad ID %q", s.ID)
	}
	if s.TmpSize <= 0 && len(s.Awaiting) == 0 || s.Memory < 0 || s.Processes < 0 || s.Processors < 0 {
		return fmt.Errorf("cannot create sandbox %s: bad size", s.ID)
	}
	for _, f := range s.Awaiting {
		if err := checkMount(sandbox.Mount{Target: f}); err != nil {
			return fmt.Errorf("cannot create sandbox %s: %w", s.ID, err)
		}
	}
	for _, m := range s.Root {
		if err := checkMount(m); err != nil {
			return fmt.Errorf("cannot create sandbox %s: %w", s.ID, err)
		}
	}
	for _, a := range s.LocalAddrs {
		if addr, err := netip.ParseAddr(a); err != nil || !addr.Is4() {
			return fmt.Errorf("cannot create sandbox %s: %q is not an IPv4 address", s.ID, a)
		}
	}
	for _, r := range s.Reach {
		if _, _, err := net.SplitHostPort(r); err != nil {
			return fmt.Errorf("cannot create sandbox %s: %w", s.ID, err)
		}
	}
	return nil
}

func checkMount(m sandbox.Mount) error {
	if !path.IsAbs(m.Target) || path.Clean(m.Target) != m.Target || m.Target == "/" {
		return fmt.Errorf("mount target %q is not a clean absolute path below /", m.Target)
	}
	for _, r := range reserved {
		if m.Target == r || strings.HasPrefix(m.Target, r+"/") {
			return fmt.Errorf("mount target %q lies in %s, which every sandbox has", m.Target, r)
		}
	}
	sources := 0
	for _, set := range []bool{m.Bind != "", m.Overlay != nil, m.File != nil, m.Link != "", m.Empty} {
		if set {
			sources++
		}
	}
	// An empty Overlay or File may also be nil.
	if sources > 1 {
		return fmt.Errorf("mount target %q has %d sources", m.Target, sources)
	}
	return nil
}
