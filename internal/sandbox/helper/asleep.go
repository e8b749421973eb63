package helper

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// What is in this file runs where Go has not been started: entry_*.s calls it first thing in the process. It has no heap, no
// other goroutines and no stack but the kernel's, so every function is marked nosplit, allocates nothing, and calls nothing but
// raw system calls.

// entry is where the linker has lamina-init begin (-E): it calls begin, and when that returns, Go's own start.
func entry()

// Neither is called from Go.
var _, _ = entry, begin

// Memory for what the kernel writes.
var (
	asleepInfo   [128]byte // struct signalfd_siginfo
	asleepStatus uint32
	asleepTime   [2]uint64 // struct timespec
	asleepExit   [48]byte  // a VerbExit
	asleepName   = [12]byte{'l', 'a', 'm', 'i', 'n', 'a', '-', 'i', 'n', 'i', 't'}
)

// begin has the arguments as the kernel gives them: their count, their pointers, a zero, the environment's pointers, a zero.
//
//go:nosplit
//go:norace
func begin(stack unsafe.Pointer) {
	if pid, _ := asleepCall(unix.SYS_GETPID, 0, 0, 0); pid != 1 || *(*uintptr)(stack) < 2 {
		return
	}
	state := *(**[4]byte)(unsafe.Add(stack, 16))
	resting := *state == [4]byte{'r', 'e', 's', 't'}
	if !resting && *state != [4]byte{'w', 'a', 'k', 'e'} {
		return
	}
	// A started program lets itself be looked into, and has the name of its descriptor.
	asleepCall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 0, 0)
	asleepCall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&asleepName)), 0)
	if !resting {
		return
	}
	sleep(stack)
	*state = [4]byte{'w', 'a', 'k', 'e'}
	argv := unsafe.Add(stack, 8)
	envp := unsafe.Add(argv, (*(*uintptr)(stack)+1)*8)
	var path byte
	syscall.RawSyscall6(unix.SYS_EXECVEAT, initproto.ProgramFD, uintptr(unsafe.Pointer(&path)), uintptr(argv), uintptr(envp), unix.AT_EMPTY_PATH, 0)
	asleepEnd(stack)
}

// sleep returns when the server asks for something. The ends of children it tells by itself: they may come often.
//
//go:nosplit
//go:norace
func sleep(stack unsafe.Pointer) {
	mask := uint64(1) << (unix.SIGCHLD - 1)
	asleepSys(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8)
	ended, _ := asleepSys(unix.SYS_SIGNALFD4, ^uintptr(0), uintptr(unsafe.Pointer(&mask)), 8, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
	for {
		asleepReap(stack, unix.WNOHANG) // first of all what has ended before there was the signal's descriptor
		files := [2]unix.PollFd{{Fd: initproto.ControlFD, Events: unix.POLLIN}, {Fd: int32(ended), Events: unix.POLLIN}}
		syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&files)), 2, 0, 0, 0, 0)
		if files[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0 {
			asleepEnd(stack)
		}
		if files[0].Revents != 0 {
			break
		}
		asleepCall(unix.SYS_READ, ended, uintptr(unsafe.Pointer(&asleepInfo)), unsafe.Sizeof(asleepInfo))
	}
	var verb [1]byte
	syscall.RawSyscall6(unix.SYS_RECVFROM, initproto.ControlFD, uintptr(unsafe.Pointer(&verb)), 1, unix.MSG_PEEK, 0, 0)
	if verb[0] == byte(initproto.VerbKillAll) {
		// Where processes have taken all the threads that there may be, Go could not start.
		asleepCall(unix.SYS_KILL, ^uintptr(0), uintptr(unix.SIGKILL), 0)
		asleepReap(stack, 0)
	}
	asleepSys(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8)
}

// asleepReap waits for children until there is none, or with WNOHANG none that has ended, and tells the ends of those that Spawn
// started.
//
//go:nosplit
//go:norace
func asleepReap(stack unsafe.Pointer, options uintptr) {
	for {
		pid, errno := asleepSys(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&asleepStatus)), options|unix.WALL, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || pid == 0 {
			return
		}
		if asleepForget(stack, pid) {
			asleepTell(pid)
		}
	}
}

// asleepForget takes a child out of the arguments; false when it is not there.
//
//go:nosplit
//go:norace
func asleepForget(stack unsafe.Pointer, pid uintptr) bool {
	for i := uintptr(2); i < *(*uintptr)(stack); i++ {
		arg := *(*unsafe.Pointer)(unsafe.Add(stack, 8+8*i))
		if *(*byte)(arg) == argChild && asleepNumber(unsafe.Add(arg, 1)) == pid {
			*(*byte)(arg) = '-'
			return true
		}
	}
	return false
}

// asleepNumber reads a C string of digits; others give no number that is used.
//
//go:nosplit
//go:norace
func asleepNumber(digits unsafe.Pointer) uintptr {
	n := uintptr(0)
	for ; *(*byte)(digits) != 0; digits = unsafe.Add(digits, 1) {
		n = n*10 + uintptr(*(*byte)(digits)-'0')
	}
	return n
}

// asleepTell sends a VerbExit, as Exit.Append writes it.
//
//go:nosplit
//go:norace
func asleepTell(pid uintptr) {
	asleepCall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&asleepTime)), 0)
	code, signal := uint64(asleepStatus>>8&0xff), uint64(asleepStatus&0x7f)
	if signal != 0 {
		code = 0
	}
	asleepExit[0], asleepExit[1] = byte(initproto.VerbExit), 0
	at := asleepPut(2, uint64(pid))
	at = asleepPut(at, code)
	at = asleepPut(at, signal)
	at = asleepPut(at, asleepTime[0]*1e9+asleepTime[1])
	syscall.RawSyscall6(unix.SYS_SENDTO, initproto.ControlFD, uintptr(unsafe.Pointer(&asleepExit)), at, unix.MSG_NOSIGNAL, 0, 0)
}

// asleepPut writes a uvarint into asleepExit, which holds the longest four.
//
//go:nosplit
//go:norace
func asleepPut(at uintptr, n uint64) uintptr {
	for ; n >= 0x80; n >>= 7 {
		*(*byte)(unsafe.Add(unsafe.Pointer(&asleepExit), at)) = byte(n) | 0x80
		at++
	}
	*(*byte)(unsafe.Add(unsafe.Pointer(&asleepExit), at)) = byte(n)
	return at + 1
}

// asleepEnd ends the process, as control.end does.
//
//go:nosplit
//go:norace
func asleepEnd(stack unsafe.Pointer) {
	thawed := [6]byte{'T', 'H', 'A', 'W', 'E', 'D'}
	for i := uintptr(2); i < *(*uintptr)(stack); i++ {
		arg := *(*unsafe.Pointer)(unsafe.Add(stack, 8+8*i))
		if *(*byte)(arg) == argFreezer {
			asleepCall(unix.SYS_WRITE, asleepNumber(unsafe.Add(arg, 1)), uintptr(unsafe.Pointer(&thawed)), 6)
		}
	}
	asleepCall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}

//go:nosplit
//go:norace
func asleepCall(trap, a, b, c uintptr) (uintptr, syscall.Errno) { return asleepSys(trap, a, b, c, 0) }

//go:nosplit
//go:norace
func asleepSys(trap, a, b, c, d uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(trap, a, b, c, d, 0, 0)
	return r, errno
}
