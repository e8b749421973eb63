package linuxsandbox

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Host IDs of mapped sandboxes: a range of 65536 for each account, from 100000 on.
const (
	firstID   = 100000
	rangeSize = 65536
	ranges    = 60000 // the last one ends below the IDs that the kernel keeps for itself
)

// identity is who a sandbox is on the host.
type identity struct {
	base int // first host ID; 0: single
}

func (i identity) mapped() bool { return i.base != 0 }

// attributes are the clone settings of the user namespace.
func (i identity) attributes() *syscall.SysProcAttr {
	if i.mapped() {
		all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: i.base, Size: rangeSize}}
		return &syscall.SysProcAttr{
			UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true,
			Credential: &syscall.Credential{},
		}
	}
	return &syscall.SysProcAttr{
		UidMappings: []syscall.SysProcIDMap{{ContainerID: initproto.UID, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: initproto.GID, HostID: os.Getegid(), Size: 1}},
		AmbientCaps: capabilities(),
	}
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

// identities gives accounts their ranges, in the order in which they come. A range means something only while sandboxes
// of its account run, so it need not be kept.
type identities struct {
	mapped bool

	mu       sync.Mutex
	accounts map[string]int
}

func newIdentities() *identities {
	return &identities{mapped: os.Geteuid() == 0 && mayMount() && ownsRanges(), accounts: map[string]int{}}
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
	if !s.mapped {
		return identity{}
	}
	return identity{base: firstID}
}

func (s *identities) of(account string) (identity, error) {
	if !s.mapped {
		return identity{}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.accounts[account]
	if !ok {
		n = len(s.accounts)
		if n == ranges {
			return identity{}, fmt.Errorf("cannot give account %s host IDs: all %d ranges are taken", account, ranges)
		}
		s.accounts[account] = n
	}
	return identity{base: firstID + n*rangeSize}, nil
}
