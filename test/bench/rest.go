package main

import (
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// mostTouched is how much memory rest touches: more than one measurement of 250 MB needs.
const mostTouched = 1 << 30

// rest makes a measurement independent of the one before it. What that has written is on the disk. And the memory that files
// will lie in was touched before: a virtual machine has to ask for memory that it has never used, some 10 µs for each 4 KB, so
// whoever came first would pay as much for the memory as for the work, and how much depended on what the machine did since it
// was started.
func (b *bench) rest() error {
	if out, err := exec.Command("sync", "-f", b.work).CombinedOutput(); err != nil {
		return fmt.Errorf("sync: %w\n%s", err, out)
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return fmt.Errorf("cannot ask for the machine's memory: %w", err)
	}
	n := min(mostTouched, int(info.Freeram*uint64(info.Unit)/2))
	m, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return fmt.Errorf("cannot touch memory: %w", err)
	}
	return unix.Munmap(m)
}
