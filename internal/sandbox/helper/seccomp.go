package helper

import (
	"cmp"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The filter refuses what a function never needs and what kernels are broken through: mounts, namespaces, keyrings,
// bpf, modules, the machine's clock and power, io_uring, userfaultfd. It answers EPERM, as AWS does for new namespaces.
// clone3 answers ENOSYS, because a filter cannot look behind its pointer; C libraries then use clone. System calls of
// another architecture (32-bit, x32) do not exist. Nor do families of sockets beside those in families: some of them know
// no network namespaces (vsock leads to the hypervisor), others are paths into little-used parts of the kernel.
var refused = []uint32{
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
	unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE,
	unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_TREE_ATTR,
	unix.SYS_UNSHARE, unix.SYS_SETNS,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
	unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_FANOTIFY_INIT,
	unix.SYS_SYSLOG, unix.SYS_VHANGUP, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_MOVE_PAGES, unix.SYS_MIGRATE_PAGES, unix.SYS_PIDFD_GETFD,
}

const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// families are the address families that programs use.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_PACKET}

// Offsets in struct seccomp_data.
const (
	dataNumber = 0
	dataArch   = 4
	dataArg0   = 16 // the lower half, then the upper one
	dataArg1   = 24
	dataArg2   = 32
)

// installFilter puts the filter on the calling thread, which must have no_new_privs.
func installFilter() error {
	program := filter()
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}

// rule is what the filter does with one system call: an end of the program.
type rule struct {
	number uint32
	end    []unix.SockFilter
}

// filter is the program. It searches, because the kernel runs it for each number there is when it is installed.
func filter() []unix.SockFilter {
	p := make([]unix.SockFilter, 0, 512) // a slice that grows leaves a page or two behind for each of its sizes
	p = append(p, load(dataArch), jump(unix.BPF_JEQ, auditArch, 1, 0), answer(unix.ENOSYS), load(dataNumber))
	p = append(p, extraNumbers()...)
	return search(p, rules())
}

// rules are in the order of their numbers. Other calls are allowed.
func rules() []rule {
	refuse, family := []unix.SockFilter{answer(unix.EPERM)}, checkFamily()
	list := append(make([]rule, 0, 128),
		rule{unix.SYS_CLONE, []unix.SockFilter{load(dataArg0), jump(unix.BPF_JSET, newNamespaces, 0, 1), answer(unix.EPERM)}},
		rule{unix.SYS_CLONE3, []unix.SockFilter{answer(unix.ENOSYS)}},
		rule{unix.SYS_IO_SETUP, []unix.SockFilter{answer(unix.ENOSYS)}},
		rule{unix.SYS_SETRLIMIT, []unix.SockFilter{load(dataArg0), jump(unix.BPF_JEQ, unix.RLIMIT_CORE, 0, 1), answer(0)}},
		rule{unix.SYS_PRLIMIT64, []unix.SockFilter{
			load(dataArg1), jump(unix.BPF_JEQ, unix.RLIMIT_CORE, 0, 5),
			load(dataArg2), jump(unix.BPF_JEQ, 0, 0, 2), load(dataArg2 + 4), jump(unix.BPF_JEQ, 0, 1, 0), // no pointer: nothing is set
			answer(0),
		}},
		rule{unix.SYS_SOCKET, family},
		rule{unix.SYS_SOCKETPAIR, family},
	)
	for _, numbers := range [][]uint32{refused, refusedOnArch} {
		for _, n := range numbers {
			list = append(list, rule{n, refuse})
		}
	}
	slices.SortFunc(list, func(a, b rule) int { return cmp.Compare(a.number, b.number) })
	return list
}

// search adds the way to the rules: a jump to the upper half, then the lower one. An end that does not answer falls through to
// allow.
func search(p []unix.SockFilter, rules []rule) []unix.SockFilter {
	if len(rules) == 1 {
		end := rules[0].end
		p = append(p, jump(unix.BPF_JEQ, rules[0].number, 0, uint8(len(end))))
		return append(append(p, end...), allow)
	}
	half, at := len(rules)/2, len(p)
	p = search(append(p, jump(unix.BPF_JGE, rules[half].number, 0, 0)), rules[:half])
	p[at].Jt = uint8(len(p) - at - 1)
	return search(p, rules[half:])
}

// checkFamily looks at the first argument, of which the kernel uses 32 bits.
func checkFamily() []unix.SockFilter {
	n := uint8(len(families))
	p := append(make([]unix.SockFilter, 0, 8), load(dataArg0))
	for i, f := range families {
		p = append(p, jump(unix.BPF_JEQ, f, n-uint8(i), 0))
	}
	return append(p, answer(unix.EAFNOSUPPORT))
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(test uint16, k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: yes, Jf: no}
}

var allow = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}

func answer(errno unix.Errno) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}
