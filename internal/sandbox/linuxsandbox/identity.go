package linuxsandbox

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Host IDs of mapped sandboxes: a range of 65536 for each account, from 100000 on.
const (
	firstID   = 100000
	rangeSize = 65536
	ranges    = 60000 // the last one ends below the IDs that the kernel keeps for itself
)

// identity is who a sandbox is on the host; the zero value: single.
type identity struct {
	base     int // first host ID of a range
	uid, gid int // subordinate host IDs of the sandbox's user
}

func (i identity) mapped() bool { return i.base != 0 }

// split tells that somebody else has to map the IDs, once the user namespace is there.
func (i identity) split() bool { return i.uid != 0 }

// idMap is the line that maps the IDs of a mapped sandbox, users as well as groups.
func (i identity) idMap() string { return fmt.Sprintf("0 %d %d", i.base, rangeSize) }

// setNamespaces makes a started program PID 1 of namespaces of its own.
func (i identity) setNamespaces(a *syscall.SysProcAttr) {
	a.Cloneflags = helper.Namespaces
	if i.mapped() {
		all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: i.base, Size: rangeSize}}
		a.UidMappings, a.GidMappings, a.GidMappingsEnableSetgroups = all, all, true
		a.Credential = &syscall.Credential{}
		return
	}
	a.AmbientCaps = capabilities()
	if i.split() {
		return
	}
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: initproto.UID, HostID: os.Geteuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: initproto.GID, HostID: os.Getegid(), Size: 1}}
}

// capabilities are all those that the kernel knows: a process that is not user 0 keeps none over exec unless they are
// ambient.
func capabilities() []uintptr {
	var all []uintptr
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err == nil {
			all = append(all, c)
		}
	}
	return all
}

// identities gives accounts their IDs, in the order in which they come. They mean something only while sandboxes of the
// account run, so they need not be kept.
type identities struct {
	mapped bool

	mu          sync.Mutex // guards what follows
	subordinate *subordinate
	why         error // there is no subordinate
	accounts    map[string]int
}

func newIdentities() *identities {
	s := &identities{mapped: os.Geteuid() == 0 && mayMount() && ownsRanges(), accounts: map[string]int{}}
	if !s.mapped && os.Geteuid() != 0 {
		s.subordinate, s.why = findSubordinate()
	}
	return s
}

// giveUp makes sandboxes single from now on, if subordinate IDs were never given out. Where they were, a failure passes, and
// accounts must not be one user because of it.
func (s *identities) giveUp(why error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subordinate != nil && s.subordinate.given.Load() {
		return false
	}
	s.subordinate, s.why = nil, why
	return true
}

// shared gives what gives out subordinate IDs; nil and the reason where nothing does.
func (s *identities) shared() (*subordinate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subordinate, s.why
}

// mayMount says whether this process may make mounts to pass on: in a container, root often may not, and then takes the way
// of everybody else.
func mayMount() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// ownsRanges says whether this process may give the ranges away: in a container, root may have far fewer IDs.
func ownsRanges() bool {
	f, err := os.Open("/proc/self/uid_map")
	if err != nil {
		return false
	}
	defer f.Close()
	for {
		var inside, outside, size int64
		if _, err := fmt.Fscan(f, &inside, &outside, &size); err != nil {
			return false
		}
		if inside <= firstID && inside+size >= firstID+ranges*rangeSize {
			return true
		}
	}
}

// first is the identity of the account that comes first.
func (s *identities) first() identity {
	if s.mapped {
		return identity{base: firstID}
	}
	if shared, _ := s.shared(); shared != nil {
		id, _ := shared.of(0)
		return id
	}
	return identity{}
}

func (s *identities) of(account string) (identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mapped && s.subordinate == nil {
		return identity{}, nil
	}
	n, known := s.accounts[account]
	if !known {
		n = len(s.accounts)
	}
	id, ok := s.number(n)
	if !ok {
		return identity{}, fmt.Errorf("cannot give account %s host IDs: all are taken by %d others", account, n)
	}
	s.accounts[account] = n
	return id, nil
}

func (s *identities) number(n int) (identity, bool) {
	if s.mapped {
		return identity{base: firstID + n*rangeSize}, n < ranges
	}
	return s.subordinate.of(n)
}
