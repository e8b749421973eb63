package helper

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct for rt_sigaction, all zero: the default action, no flags, an empty mask.
type sigaction struct{ _ [4]uint64 }

// resetSignals gives every signal its default action. For PID 1 that means: the kernel drops it, whoever in the sandbox
// sends it (a rootless sandbox's processes have the helper's own user ID). Go's handlers would end the helper on SIGTERM
// or SIGSEGV. SIGURG keeps its handler: the Go runtime uses it, and it harms nobody. Children start with default
// actions too.
func resetSignals() {
	var dfl sigaction
	for sig := 1; sig <= 64; sig++ {
		if sig == int(unix.SIGURG) {
			continue
		}
		// SIGKILL and SIGSTOP cannot be set, and need not be.
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&dfl)), 0, 8, 0, 0)
	}
}
