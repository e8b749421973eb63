package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"

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

const (
	endFile   = ".tools/bench/ended" // its time is when a run last removed its files
	freedLong = 5 * time.Minute      // how long ext4 without a journal may keep inodes from being given again
)

// endedLately gives a line for who reads the table, when there was a run lately: the inodes of its files are not given again for
// some minutes where a file system has no journal, and to find others may take longer than all else that unpacking does.
func endedLately() string {
	info, err := os.Stat(endFile)
	if err != nil || time.Since(info.ModTime()) > freedLong {
		return ""
	}
	return fmt.Sprintf("A run ended %d s ago, and its files were removed. On ext4 without a journal everything that makes files is slow now,\n"+
		"unzip too: for times that can be compared, wait until it is %.0f minutes.\n\n", int(time.Since(info.ModTime()).Seconds()), freedLong.Minutes())
}

// noteEnd says that it is now.
func noteEnd() { os.WriteFile(endFile, nil, 0o644) } // who cannot write it is not told: no harm is done
