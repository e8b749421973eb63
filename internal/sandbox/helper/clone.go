package helper

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// Cloning. A server with many pages would have them copied if it cloned a process into a new user namespace itself. So it starts
// the helper as any program, which clones itself before Go is started: what there is to copy is next to nothing then, and the
// clone needs no exec. The one that was started gives the clone its IDs, tells the server, whose child the clone is, and ends.

// Namespaces are those that a sandbox has of its own.
const Namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// ArgClone and the line of an ID map are the argument of a helper that is to clone itself; it tells VerbCloned.
const ArgClone = "into"

// Memory for what the kernel reads and writes.
var (
	clonePipe [2]int32
	clonePath = [32]byte{'/', 'p', 'r', 'o', 'c', '/'}
	cloneFile = [9]byte{'/', 'u', 'i', 'd', '_', 'm', 'a', 'p'}
	cloneByte byte
)

// cloneInto has the IDs as the kernel wants them: a C string. It returns in the clone, as PID 1 and user 0 of its namespaces.
//
//go:nosplit
//go:norace
func cloneInto(ids unsafe.Pointer) {
	_, errno := rawCall(unix.SYS_PIPE2, uintptr(unsafe.Pointer(&clonePipe)), unix.O_CLOEXEC, 0)
	pid := uintptr(0)
	if errno == 0 {
		pid, errno = rawSys(unix.SYS_CLONE, Namespaces|unix.CLONE_PARENT|uintptr(unix.SIGCHLD), 0, 0, 0)
		if errno == 0 && pid == 0 {
			cloned()
			return
		}
	}
	if errno == 0 {
		errno = cloneMap(pid, ids, 'u')
	}
	if errno == 0 {
		errno = cloneMap(pid, ids, 'g')
	}
	rawSend(initproto.VerbCloned, rawPut(rawPut(rawBody, uint64(pid)), uint64(errno)))
	if errno == 0 {
		rawCall(unix.SYS_WRITE, uintptr(clonePipe[1]), uintptr(unsafe.Pointer(&cloneByte)), 1)
	}
	rawCall(unix.SYS_EXIT_GROUP, 0, 0, 0)
}

// cloned is what the clone does: it waits for its IDs, and becomes the user that it is to be.
//
//go:nosplit
//go:norace
func cloned() {
	rawCall(unix.SYS_CLOSE, uintptr(clonePipe[1]), 0, 0)
	n, _ := rawCall(unix.SYS_READ, uintptr(clonePipe[0]), uintptr(unsafe.Pointer(&cloneByte)), 1)
	rawCall(unix.SYS_CLOSE, uintptr(clonePipe[0]), 0, 0)
	_, groups := rawCall(unix.SYS_SETGROUPS, 0, 0, 0)
	_, group := rawCall(unix.SYS_SETRESGID, 0, 0, 0)
	_, user := rawCall(unix.SYS_SETRESUID, 0, 0, 0)
	_, session := rawCall(unix.SYS_SETSID, 0, 0, 0)
	if n != 1 || groups|group|user|session != 0 {
		rawCall(unix.SYS_EXIT_GROUP, 1, 0, 0)
	}
	beSeen(1)
}

// cloneMap writes a map of IDs: of users or of groups.
//
//go:nosplit
//go:norace
func cloneMap(pid uintptr, ids unsafe.Pointer, which byte) unix.Errno {
	at := cloneDigits(6, pid)
	cloneFile[1] = which
	for i := range cloneFile {
		*(*byte)(unsafe.Add(unsafe.Pointer(&clonePath), at+uintptr(i))) = *(*byte)(unsafe.Add(unsafe.Pointer(&cloneFile), i))
	}
	size := uintptr(0)
	for *(*byte)(unsafe.Add(ids, size)) != 0 {
		size++
	}
	fd, errno := rawSys(unix.SYS_OPENAT, 0, uintptr(unsafe.Pointer(&clonePath)), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if errno == 0 {
		_, errno = rawCall(unix.SYS_WRITE, fd, uintptr(ids), size)
		rawCall(unix.SYS_CLOSE, fd, 0, 0)
	}
	return errno
}

// cloneDigits writes a number into clonePath, and gives where it ends.
//
//go:nosplit
//go:norace
func cloneDigits(at, n uintptr) uintptr {
	end := at + 1
	for rest := n / 10; rest > 0; rest /= 10 {
		end++
	}
	for i := end; i > at; n /= 10 {
		i--
		*(*byte)(unsafe.Add(unsafe.Pointer(&clonePath), i)) = byte('0' + n%10)
	}
	return end
}
