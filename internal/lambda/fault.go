package lambda

import (
	"errors"
	"slices"
	"syscall"
)

// faults are what this machine can lack, and what helps.
var faults = []struct {
	errnos []syscall.Errno
	text   string
}{
	{[]syscall.Errno{syscall.ENOSPC, syscall.EDQUOT}, "The disk that holds lamina's data is full. " +
		"Free some space on it (lamina gc removes what nothing needs any more), then try again."},
	{[]syscall.Errno{syscall.EROFS}, "The disk that holds lamina's data is read-only. " +
		"Make it writable again (the kernel's log says why it is not), then try again."},
	{[]syscall.Errno{syscall.EMFILE, syscall.ENFILE}, "lamina has as many files open as it may. " +
		"Try again with less at once, or raise the limit (ulimit -n, or LimitNOFILE= of a systemd unit) and start lamina again."},
	{[]syscall.Errno{syscall.EFBIG}, "A file of lamina's data cannot become larger. " +
		"Raise the limit (ulimit -f, or LimitFSIZE= of a systemd unit) and start lamina again."},
	{[]syscall.Errno{syscall.EIO}, "The disk that holds lamina's data does not work. " +
		"The kernel's log says more, and lamina check says what is damaged; try again when it works."},
}

// FaultText says what this machine lacks when that is err's cause, and what helps; "" when it is something else. Such a failure
// ends when the machine has what it lacked: what failed can be tried again. An error that is one by its nature, such as that of a
// store elsewhere that does not answer, says so with a method Fault.
func FaultText(err error) string {
	var fault interface{ Fault() string }
	if errors.As(err, &fault) && fault.Fault() != "" {
		return fault.Fault()
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return ""
	}
	for _, f := range faults {
		if slices.ContainsFunc(f.errnos, func(e syscall.Errno) bool { return errors.Is(err, e) }) {
			return f.text
		}
	}
	return ""
}
