package helper

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// What is in this file runs where Go has not been started (begin.go).

// Memory for what the kernel writes.
var (
	asleepInfo   [128]byte // struct signalfd_siginfo
	asleepStatus uint32
	asleepTime   [2]uint64 // struct timespec
)

// sleepThenWake is the life of a helper that rests. It never returns.
//
//go:nosplit
//go:norace
func sleepThenWake(stack unsafe.Pointer, state *[4]byte) {
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
	rawSys(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8)
	ended, _ := rawSys(unix.SYS_SIGNALFD4, ^uintptr(0), uintptr(unsafe.Pointer(&mask)), 8, unix.SFD_CLOEXEC|unix.SFD_NONBLOCK)
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
		rawCall(unix.SYS_READ, ended, uintptr(unsafe.Pointer(&asleepInfo)), unsafe.Sizeof(asleepInfo))
	}
	var verb [1]byte
	syscall.RawSyscall6(unix.SYS_RECVFROM, initproto.ControlFD, uintptr(unsafe.Pointer(&verb)), 1, unix.MSG_PEEK, 0, 0)
	if verb[0] == byte(initproto.VerbKillAll) {
		// Where processes have taken all the threads that there may be, Go could not start.
		rawCall(unix.SYS_KILL, ^uintptr(0), uintptr(unix.SIGKILL), 0)
		asleepReap(stack, 0)
	}
	rawSys(unix.SYS_RT_SIGPROCMASK, unix.SIG_UNBLOCK, uintptr(unsafe.Pointer(&mask)), 0, 8)
}

// asleepReap waits for children until there is none, or with WNOHANG none that has ended, and tells the ends of those that Spawn
// started.
//
//go:nosplit
//go:norace
func asleepReap(stack unsafe.Pointer, options uintptr) {
	for {
		pid, errno := rawSys(unix.SYS_WAIT4, ^uintptr(0), uintptr(unsafe.Pointer(&asleepStatus)), options|unix.WALL, 0)
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
		if *(*byte)(arg) == argChild && rawNumber(unsafe.Add(arg, 1)) == pid {
			*(*byte)(arg) = '-'
			return true
		}
	}
	return false
}

// asleepTell sends a VerbExit, as Exit.Append writes it.
//
//go:nosplit
//go:norace
func asleepTell(pid uintptr) {
	rawCall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&asleepTime)), 0)
	code, signal := uint64(asleepStatus>>8&0xff), uint64(asleepStatus&0x7f)
	if signal != 0 {
		code = 0
	}
	at := rawPut(rawBody, uint64(pid))
	at = rawPut(at, code)
	at = rawPut(at, signal)
	at = rawPut(at, asleepTime[0]*1e9+asleepTime[1])
	rawSend(initproto.VerbExit, at)
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
			rawCall(unix.SYS_WRITE, rawNumber(unsafe.Add(arg, 1)), uintptr(unsafe.Pointer(&thawed)), 6)
		}
	}
	rawCall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}
