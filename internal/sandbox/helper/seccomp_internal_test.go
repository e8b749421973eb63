package helper

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// mostSteps is how long the kernel may take for one answer: numbers are searched, not tried one after the other.
const mostSteps = 24

// call is what the filter sees of a system call.
type call struct {
	arch, number uint32
	args         [3]uint64
}

// TestFilter compares the filter with the lists, read as plainly as they are written: for every number that a kernel could
// know, and for others.
func TestFilter(t *testing.T) {
	program := filter()
	numbers := []uint32{0x3fffffff, 0x400001ff, 0x7fffffff, 0xbfffffff, 0xffffffff}
	for n := range uint32(1024) {
		numbers = append(numbers, n, n|0x40000000, n|0x80000000)
	}
	arguments := [][3]uint64{{newNamespaces}, {uint64(unix.SIGCHLD)}, {unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD)}, {0xffffffff}}
	for bit := range 64 {
		arguments = append(arguments, [3]uint64{1 << bit})
	}
	for n := range uint64(64) { // families, and limits
		arguments = append(arguments, [3]uint64{n}, [3]uint64{0, n}, [3]uint64{0, n, 1}, [3]uint64{0, n, 1 << 32}, [3]uint64{1, n, 1<<63 - 1})
	}
	for _, arch := range []uint32{auditArch, auditArch ^ 1, unix.AUDIT_ARCH_I386, 0} {
		for _, n := range numbers {
			for _, arg := range arguments {
				c := call{arch, n, arg}
				got, err := evaluate(program, c)
				if err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
				if want := expected(c); got != want {
					t.Fatalf("%+v: the filter answers %#x, want %#x", c, got, want)
				}
			}
		}
	}
}

// expected asks one list after the other.
func expected(c call) uint32 {
	x32 := auditArch == unix.AUDIT_ARCH_X86_64 && c.number&0x40000000 != 0
	allowed := unix.Errno(0xffff)
	errno := allowed
	switch {
	case c.arch != auditArch || x32 || c.number == unix.SYS_CLONE3 || c.number == unix.SYS_IO_SETUP:
		errno = unix.ENOSYS
	case slices.Contains(refused, c.number) || slices.Contains(refusedOnArch, c.number):
		errno = unix.EPERM
	case c.number == unix.SYS_CLONE && c.args[0]&newNamespaces != 0:
		errno = unix.EPERM
	case (c.number == unix.SYS_SOCKET || c.number == unix.SYS_SOCKETPAIR) && !slices.Contains(families, uint32(c.args[0])):
		errno = unix.EAFNOSUPPORT
	case c.number == unix.SYS_SETRLIMIT && uint32(c.args[0]) == unix.RLIMIT_CORE:
		errno = 0
	case c.number == unix.SYS_PRLIMIT64 && uint32(c.args[1]) == unix.RLIMIT_CORE && c.args[2] != 0:
		errno = 0
	}
	if errno == allowed {
		return unix.SECCOMP_RET_ALLOW
	}
	return unix.SECCOMP_RET_ERRNO | uint32(errno)
}

// evaluate runs a filter as the kernel does.
func evaluate(program []unix.SockFilter, c call) (uint32, error) {
	words := [...]uint32{
		dataNumber / 4: c.number, dataArch / 4: c.arch,
		dataArg0 / 4: uint32(c.args[0]), uint32(c.args[0] >> 32),
		dataArg1 / 4: uint32(c.args[1]), uint32(c.args[1] >> 32),
		dataArg2 / 4: uint32(c.args[2]), uint32(c.args[2] >> 32),
	}
	var a uint32
	at := 0
	for range mostSteps {
		if at >= len(program) {
			return 0, fmt.Errorf("it jumps to %d of %d", at, len(program))
		}
		i := program[at]
		at++
		yes := false
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = words[i.K/4]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K, nil
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			yes = a == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			yes = a >= i.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			yes = a&i.K != 0
		default:
			return 0, fmt.Errorf("instruction %d is unknown: %#x", at-1, i.Code)
		}
		if yes {
			at += int(i.Jt)
		} else {
			at += int(i.Jf)
		}
	}
	return 0, fmt.Errorf("no answer after %d steps", mostSteps)
}
