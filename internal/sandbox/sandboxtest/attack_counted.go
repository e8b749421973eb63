package sandboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// counted are things of which the kernel lets a user have so many, in all of his sandboxes together. Each takes one, and keeps it.
var counted = map[string]func(n int) error{
	"timers": func(int) error {
		var id int32
		return call(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, uintptr(unsafe.Pointer(&id)))
	},
	"message queues": func(n int) error {
		name, err := unix.BytePtrFromString(fmt.Sprint("queue-", n))
		if err != nil {
			return err
		}
		_, _, errno := unix.Syscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(name)), unix.O_CREAT|unix.O_RDWR, 0o600, 0, 0, 0)
		return errnoOf(errno)
	},
	"inotify instances": func(int) error { _, err := unix.InotifyInit1(0); return err },
	underWay: func(int) error {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		return unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(slices.Repeat([]int{0}, 250)...), nil, 0)
	},
}

// underWay are descriptors that were sent and are not received yet.
const underWay = "descriptors under way"

// mostCounted is more than a sandbox may have of any of these.
const mostCounted = 20000

func errnoOf(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// takeAll takes as much of one thing as it is given, says so, and keeps it until its input ends.
func takeAll(what string) {
	n := 0
	for ; n < mostCounted; n++ {
		if counted[what](n) != nil {
			break
		}
	}
	if n == mostCounted {
		fmt.Println("there was no end of", what)
	}
	fmt.Println("taken")
	select {}
}

// takeOne takes what every process may have, where the kernel has it at all.
func takeOne(what string) {
	if err := counted[what](0); err != nil && !errors.Is(err, unix.ENOSYS) {
		fmt.Println(what+":", err)
	}
}

// watchAll watches files until it may watch no more. Other sandboxes' files would do: watches are counted by user.
func watchAll() {
	const most = 5000
	watcher, err := unix.InotifyInit1(0)
	if err != nil {
		fmt.Println(err)
	}
	n := 0
	err = filepath.WalkDir("/usr", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || n == most {
			return nil
		}
		_, err = unix.InotifyAddWatch(watcher, path, unix.IN_ATTRIB|unix.IN_DONT_FOLLOW)
		if errors.Is(err, unix.ENOSPC) {
			return err
		}
		if err == nil {
			n++
		}
		return nil
	})
	if !errors.Is(err, unix.ENOSPC) {
		fmt.Printf("%d files can be watched, then: %v\n", n, err)
	}
}

// lowerHelper takes every resource limit from PID 1, one of whose threads has the function's own user.
func lowerHelper() {
	threads, _ := os.ReadDir("/proc/1/task")
	for _, t := range threads {
		tid := 0
		fmt.Sscan(t.Name(), &tid)
		for which := range unix.RLIMIT_RTTIME + 1 {
			if which != unix.RLIMIT_CPU { // that one kills
				unix.Prlimit(tid, which, &unix.Rlimit{}, nil)
			}
		}
	}
}
