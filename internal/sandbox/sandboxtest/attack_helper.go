package sandboxtest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// atRest is a word for the attack on PID 1: that it begins when PID 1 has gone to rest.
const atRest = "at-rest"

// awaitRest waits until PID 1 rests.
func awaitRest() {
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		line, _ := os.ReadFile("/proc/1/cmdline")
		if words := bytes.Split(line, []byte{0}); len(words) > 1 && string(words[1]) == "rest" {
			return
		}
	}
	fmt.Println("PID 1 does not rest")
}

// harmHelper does to PID 1 what a process might that has its user ID, or that of one of its threads.
func harmHelper() {
	threads, _ := os.ReadDir("/proc/1/task")
	for _, t := range threads {
		tid, _ := strconv.Atoi(t.Name())
		signalAll(tid)
		tryAll([]attempt{
			{"trace a thread of PID 1", func() error { return unix.PtraceAttach(tid) }, eperm},
			{"seize a thread of PID 1", func() error { return unix.PtraceSeize(tid) }, eperm},
		})
	}
	one, err := unix.PidfdOpen(1, 0)
	if err == nil {
		for fd := range 16 {
			if _, err := unix.PidfdGetfd(one, fd, 0); err != unix.EPERM {
				fmt.Printf("descriptor %d of PID 1: %v\n", fd, err)
			}
		}
		unix.PidfdSendSignal(one, unix.SIGKILL, nil, 0)
		unix.PidfdSendSignal(one, unix.SIGSTOP, nil, 0)
	}
	var data [8]byte
	local := []unix.Iovec{{Base: &data[0], Len: 8}}
	tryAll([]attempt{
		{"memory of PID 1", func() error {
			_, err := unix.ProcessVMReadv(1, local, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
			return err
		}, eperm},
		{"write into PID 1", func() error {
			_, err := unix.ProcessVMWritev(1, local, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}, 0)
			return err
		}, eperm},
		{"compare with PID 1", func() error { return call(unix.SYS_KCMP, 1, uintptr(os.Getpid()), 0) }, append(eperm, unix.ENOSYS)},
		{"program of PID 1", func() error { _, err := os.Readlink("/proc/1/exe"); return err }, absent},
		{"session of PID 1", func() error { return unix.Setpgid(1, 0) }, []error{unix.EPERM, unix.ESRCH, unix.EACCES}},
	})
	// Our own descriptors lead nowhere but to what we were given.
	for fd := 3; fd < 1024; fd++ {
		if kind, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.HasPrefix(kind, "anon_inode:") {
			fmt.Printf("descriptor %d is %s\n", fd, kind)
		}
	}
}

// signalAll sends each signal to a thread of PID 1, which takes none.
func signalAll(tid int) {
	for sig := 1; sig <= 64; sig++ {
		call(unix.SYS_TGKILL, 1, uintptr(tid), uintptr(sig))
	}
}

// harmForever does the same to PID 1 again and again, while it does something itself, and says what it could do.
func harmForever() {
	fmt.Println("begun")
	var data [8]byte
	local, remote := []unix.Iovec{{Base: &data[0], Len: 8}}, []unix.RemoteIovec{{Base: 0x400000, Len: 8}}
	for {
		lookInto("/proc/1")
		threads, _ := os.ReadDir("/proc/1/task")
		for _, t := range threads {
			tid, _ := strconv.Atoi(t.Name())
			signalAll(tid)
			if unix.PtraceSeize(tid) == nil {
				fmt.Println("a thread can be traced")
			}
			if _, err := unix.ProcessVMReadv(tid, local, remote, 0); err == nil {
				fmt.Println("memory can be read")
			}
			lookInto("/proc/1/task/" + t.Name())
		}
	}
}

// lookInto tries to read and to change what /proc has of PID 1 or of one of its threads, which have several users.
func lookInto(dir string) {
	for _, name := range []string{"environ", "auxv", "maps", "smaps", "smaps_rollup", "mem", "pagemap", "numa_maps", "stack", "syscall",
		"personality", "io", "timers", "mountstats", "map_files", "fd", "fdinfo", "ns"} {
		if n, err := look(dir + "/" + name); err == nil {
			fmt.Printf("%s/%s can be read: %d bytes or names\n", dir, name, n)
		}
	}
	for _, name := range []string{"exe", "cwd", "root", "ns/mnt", "ns/user", "ns/pid", "ns/net", "fd/0", "fd/3", "fd/5"} {
		if to, err := os.Readlink(dir + "/" + name); err == nil {
			fmt.Printf("%s/%s leads to %s\n", dir, name, to)
		}
		if _, err := os.Stat(dir + "/" + name); err == nil {
			fmt.Printf("%s/%s can be followed\n", dir, name)
		}
	}
	// Where they may be opened, writing is refused, or would be to the sandbox's own harm.
	for name, text := range map[string]string{"mem": "x", "clear_refs": "1", "oom_score_adj": "0", "coredump_filter": "0", "uid_map": "0 0 1",
		"gid_map": "0 0 1", "setgroups": "allow", "comm": "x", "attr/current": "x", "root/tmp/x": "x", "cwd/tmp/x": "x"} {
		if err := put(dir+"/"+name, text); err == nil {
			fmt.Printf("%s/%s can be written\n", dir, name)
		}
	}
}

// look reads a file, or the names in a folder, and gives how much came.
func look(path string) (int, error) {
	if names, err := os.ReadDir(path); err == nil {
		return len(names), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.Read(make([]byte, 64))
}

func put(path, text string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	_, err = unix.Write(fd, []byte(text))
	return err
}
