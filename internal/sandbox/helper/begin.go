package helper

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// What is in this file, in clone.go and in asleep.go runs where Go has not been started: entry_*.s calls it first thing in the
// process. It has no heap, no other goroutines and no stack but the kernel's, so every function is marked nosplit, allocates
// nothing, and calls nothing but raw system calls.

// entry is where the linker has lamina-init begin (-E): it calls begin, and when that returns, Go's own start.
func entry()

// Neither is called from Go.
var _, _ = entry, begin

// begin has the arguments as the kernel gives them: their count, their pointers, a zero, the environment's pointers, a zero.
//
//go:nosplit
//go:norace
func begin(stack unsafe.Pointer) {
	if *(*uintptr)(stack) < 2 {
		return
	}
	pid, _ := rawCall(unix.SYS_GETPID, 0, 0, 0)
	state := *(**[4]byte)(unsafe.Add(stack, 16))
	switch {
	case *state == [4]byte{'i', 'n', 't', 'o'}:
		cloneInto(unsafe.Add(unsafe.Pointer(state), 4))
	case pid == 1 && *state == [4]byte{'r', 'e', 's', 't'}:
		beSeen(0)
		sleepThenWake(stack, state)
	case pid == 1 && *state == [4]byte{'w', 'a', 'k', 'e'}:
		beSeen(0)
	}
}

// beSeen sets whether processes of the same user may look into this one, and its name, which otherwise is its descriptor's.
//
//go:nosplit
//go:norace
func beSeen(dumpable uintptr) {
	rawCall(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, dumpable, 0)
	rawCall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&rawName)), 0)
}

// Memory for what the kernel reads.
var (
	rawName    = [12]byte{'l', 'a', 'm', 'i', 'n', 'a', '-', 'i', 'n', 'i', 't'}
	rawMessage [48]byte
)

// rawBody is where a body begins.
const rawBody = 2

// rawSend sends the message that rawPut wrote.
//
//go:nosplit
//go:norace
func rawSend(verb initproto.Verb, size uintptr) {
	rawMessage[0], rawMessage[1] = byte(verb), 0
	syscall.RawSyscall6(unix.SYS_SENDTO, initproto.ControlFD, uintptr(unsafe.Pointer(&rawMessage)), size, unix.MSG_NOSIGNAL, 0, 0)
}

// rawPut writes a uvarint into rawMessage, which holds the longest four behind rawBody.
//
//go:nosplit
//go:norace
func rawPut(at uintptr, n uint64) uintptr {
	for ; n >= 0x80; n >>= 7 {
		*(*byte)(unsafe.Add(unsafe.Pointer(&rawMessage), at)) = byte(n) | 0x80
		at++
	}
	*(*byte)(unsafe.Add(unsafe.Pointer(&rawMessage), at)) = byte(n)
	return at + 1
}

// rawNumber reads a C string of digits; others give no number that is used.
//
//go:nosplit
//go:norace
func rawNumber(digits unsafe.Pointer) uintptr {
	n := uintptr(0)
	for ; *(*byte)(digits) != 0; digits = unsafe.Add(digits, 1) {
		n = n*10 + uintptr(*(*byte)(digits)-'0')
	}
	return n
}

//go:nosplit
//go:norace
func rawCall(trap, a, b, c uintptr) (uintptr, syscall.Errno) { return rawSys(trap, a, b, c, 0) }

//go:nosplit
//go:norace
func rawSys(trap, a, b, c, d uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(trap, a, b, c, d, 0, 0)
	return r, errno
}
