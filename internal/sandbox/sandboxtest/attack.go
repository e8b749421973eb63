package sandboxtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attackVariable makes a test program, which a case shows inside a sandbox, a hostile one. Its value is what the program
// tries, then words for that, with spaces between.
const attackVariable = "LAMINA_SANDBOXTEST_ATTACK"

// attack tries, prints a line for everything that was not refused as it should be, and "done" at the end.
func attack(what string) {
	words := strings.Fields(what)
	switch words[0] {
	case "calls":
		tryAll(calls)
	case "settings":
		openSettings()
	case "network":
		tryNetwork(words[1:])
	case "helper":
		if slices.Contains(words, atRest) {
			awaitRest()
		}
		harmHelper()
		lookInto("/proc/1")
		threads, _ := filepath.Glob("/proc/1/task/*")
		for _, t := range threads {
			lookInto(t)
		}
	case "helper-forever":
		harmForever()
	case "ipc":
		tryAll([]attempt{{"shared memory of another", otherMemory, []error{unix.ENOENT}}})
	case "ipc-owner":
		makeMemory()
	case "threads":
		countThreads()
	case "take":
		takeAll(strings.Join(words[1:], " "))
	case "take-one":
		takeOne(strings.Join(words[1:], " "))
	case "watch":
		watchAll()
	case "lower":
		lowerHelper()
	case "output":
		for line := strings.Repeat("x", 1<<16); ; {
			os.Stdout.WriteString(line)
		}
	}
	fmt.Println("done")
	os.Exit(0)
}

// attempt is one thing that must be refused with one of the errors.
type attempt struct {
	name    string
	try     func() error
	refused []error
}

func tryAll(list []attempt) {
	for _, a := range list {
		err := a.try()
		if err == nil {
			fmt.Println(a.name + ": worked")
			continue
		}
		if !slices.ContainsFunc(a.refused, func(want error) bool { return errors.Is(err, want) }) {
			fmt.Printf("%s: refused with %v, want %v\n", a.name, err, a.refused)
		}
	}
}

var (
	eperm    = []error{unix.EPERM}
	enosys   = []error{unix.ENOSYS}
	noFamily = []error{unix.EAFNOSUPPORT}
	readOnly = []error{unix.EROFS, unix.EACCES, unix.EPERM}
	absent   = []error{unix.ENOENT, unix.EACCES, unix.EPERM, unix.ENOTDIR}
)

// calls are what breaks sandboxes: mounts, namespaces, the kernel's less trodden ways, and devices.
var calls = []attempt{
	{"mount a tmpfs", func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }, eperm},
	{"bind", func() error { return unix.Mount("/tmp", "/opt", "", unix.MS_BIND, "") }, eperm},
	{"remount /opt", func() error { return unix.Mount("", "/opt", "", unix.MS_REMOUNT|unix.MS_BIND, "") }, eperm},
	{"remount /", func() error { return unix.Mount("", "/", "", unix.MS_REMOUNT, "") }, eperm},
	{"unmount /opt", func() error { return unix.Unmount("/opt", unix.MNT_DETACH) }, eperm},
	{"unmount /proc", func() error { return unix.Unmount("/proc", 0) }, eperm},
	{"clone a tree", func() error { _, err := unix.OpenTree(unix.AT_FDCWD, "/", unix.OPEN_TREE_CLONE); return err }, eperm},
	{"open a file system", func() error { _, err := unix.Fsopen("tmpfs", 0); return err }, eperm},
	{"change a mount", func() error {
		return unix.MountSetattr(unix.AT_FDCWD, "/opt", 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY})
	}, eperm},
	{"move a mount", func() error { return unix.MoveMount(unix.AT_FDCWD, "/opt", unix.AT_FDCWD, "/tmp", 0) }, eperm},
	{"pivot", func() error { return unix.PivotRoot("/tmp", "/tmp") }, eperm},
	{"chroot", func() error { return unix.Chroot("/tmp") }, eperm},

	{"unshare user", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, eperm},
	{"unshare mounts", func() error { return unix.Unshare(unix.CLONE_NEWNS) }, eperm},
	{"unshare network", func() error { return unix.Unshare(unix.CLONE_NEWNET) }, eperm},
	{"clone into a user namespace", func() error {
		return (&exec.Cmd{Path: "/bin/true", SysProcAttr: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}}).Run()
	}, eperm},
	{"unshare in a new thread", func() error { return inNewThread(func() error { return unix.Unshare(unix.CLONE_NEWUSER) }) }, eperm},
	{"clone3", func() error { return call(unix.SYS_CLONE3, 0, 0, 0) }, enosys},
	{"enter a namespace", func() error {
		f, err := os.Open("/proc/self/ns/net")
		if err != nil {
			return err
		}
		return unix.Setns(int(f.Fd()), 0)
	}, eperm},

	{"add a key", func() error {
		_, err := unix.AddKey("user", "x", []byte("x"), unix.KEY_SPEC_SESSION_KEYRING)
		return err
	}, eperm},
	{"join a keyring", func() error { _, err := unix.KeyctlJoinSessionKeyring("x"); return err }, eperm},
	{"bpf", func() error { return call(unix.SYS_BPF, 0, 0, 0) }, eperm},
	{"perf events", func() error { return call(unix.SYS_PERF_EVENT_OPEN, 0, 0, 0) }, eperm},
	{"user faults", func() error { return call(unix.SYS_USERFAULTFD, 0, 0, 0) }, eperm},
	{"io_uring", func() error { return call(unix.SYS_IO_URING_SETUP, 1, 0, 0) }, eperm},
	{"load a module", func() error { return call(unix.SYS_INIT_MODULE, 0, 0, 0) }, eperm},
	{"load a kernel", func() error { return call(unix.SYS_KEXEC_LOAD, 0, 0, 0) }, eperm},
	{"reboot", func() error { return unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_ON) }, eperm},
	{"swap", func() error { return call(unix.SYS_SWAPOFF, 0, 0, 0) }, eperm},
	{"set the clock", func() error { return unix.Settimeofday(&unix.Timeval{Sec: 1}) }, eperm},
	{"set the host name", func() error { return unix.Sethostname([]byte("x")) }, eperm},
	{"open by handle", func() error { return call(unix.SYS_OPEN_BY_HANDLE_AT, 0, 0, 0) }, eperm},
	{"watch a file system", func() error { return call(unix.SYS_FANOTIFY_INIT, 0, 0, 0) }, eperm},
	{"kernel log", func() error { return call(unix.SYS_SYSLOG, 3, 0, 0) }, eperm},

	{"become root", func() error { return unix.Setresuid(0, 0, 0) }, []error{unix.EPERM, unix.EINVAL}},
	{"become another", func() error { return unix.Setresuid(1, 1, 1) }, []error{unix.EPERM, unix.EINVAL}},
	{"other groups", func() error { return unix.Setgroups([]int{0}) }, []error{unix.EPERM, unix.EINVAL}},
	{"a device", func() error { return unix.Mknod("/tmp/disk", unix.S_IFBLK|0o666, 0x800) }, eperm},
	{"a device of memory", func() error { return unix.Mknod("/tmp/mem", unix.S_IFCHR|0o666, 0x101) }, eperm},
	{"give a file away", func() error { return touchAnd("/tmp/given", func(p string) error { return os.Chown(p, 0, 0) }) },
		[]error{unix.EPERM, unix.EINVAL}},
	{"an attribute of trust", func() error {
		return touchAnd("/tmp/trusted", func(p string) error { return unix.Setxattr(p, "trusted.overlay.opaque", []byte("y"), 0) })
	}, eperm},
	{"a capability on a file", func() error {
		return touchAnd("/tmp/capable", func(p string) error { return unix.Setxattr(p, "security.capability", make([]byte, 20), 0) })
	}, []error{unix.EPERM, unix.EINVAL}},
	{"more open files", func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4096, Max: 4096}) }, eperm},
	{"more processes", func() error { return unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}) }, eperm},
	{"real time", func() error {
		p := [1]int32{1}
		return call(unix.SYS_SCHED_SETSCHEDULER, 0, 1, uintptr(unsafe.Pointer(&p)))
	}, eperm},

	{"deadlines", func() error {
		return unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_DEADLINE, Runtime: 1e6, Deadline: 1e7, Period: 1e7}, 0)
	}, eperm},
	{"more of the processor", func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -1) }, []error{unix.EACCES, unix.EPERM}},
	{"the disk first", func() error { return call(unix.SYS_IOPRIO_SET, 1, 0, 1<<13) }, eperm},
	{"lock memory", func() error { return unix.Mlock(make([]byte, 1<<20)) }, []error{unix.ENOMEM, unix.EPERM}},
	{"secret memory", secretMemory, []error{unix.ENOSYS, unix.EAGAIN, unix.EPERM}},
	{"out of the way of the OOM killer", func() error { return put("/proc/self/oom_score_adj", "-1000") }, []error{unix.EACCES, unix.EPERM}},
	{"more pending signals", moreOf(unix.RLIMIT_SIGPENDING), eperm}, {"more message queues", moreOf(unix.RLIMIT_MSGQUEUE), eperm},
	{"a priority of real time", moreOf(unix.RLIMIT_RTPRIO), eperm}, {"a better priority", moreOf(unix.RLIMIT_NICE), eperm},
	{"the machine's asynchronous I/O", func() error {
		var context uintptr
		return call(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&context)), 0)
	}, enosys},
	{"a terminal", func() error { _, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); return err }, []error{unix.ENXIO, unix.ENOENT}},
	{"type into a terminal", func() error {
		return anyDescriptor(func(fd int) error { return unix.IoctlSetPointerInt(fd, unix.TIOCSTI, 'x') })
	},
		[]error{unix.ENOTTY}},

	write("/opt/new", readOnly), write("/opt/a", readOnly), write("/var/task/new", readOnly), write("/usr/new", readOnly),
	write("/dev/new", readOnly), write("/new", readOnly),
	write("/proc/sys/kernel/core_pattern", readOnly), write("/proc/sys/kernel/hostname", readOnly),
	write("/proc/sysrq-trigger", append(absent, unix.EROFS)), write("/proc/sys/vm/drop_caches", readOnly),
	write("/proc/sys/user/max_user_namespaces", readOnly), write("/proc/self/uid_map", readOnly),
	read("/dev/shm"), read("/dev/pts"), read("/dev/mem"), read("/sys"), read("/sys/fs/cgroup"), read("/.lamina"), read("/root"), read("/home"),
	read("/etc/shadow"), read("/run"), read("/var/lib"), read("/proc/kmsg"), read("/proc/1/root/etc"), read("/proc/1/environ"),
	read("/proc/1/cwd/"), read("/proc/1/fd"), read("/proc/1/mem"), read("/proc/1/map_files"),
	read("/proc/kcore"), read("/proc/keys"), read("/proc/key-users"), read("/proc/timer_list"), read("/proc/sched_debug"),
	read("/proc/latency_stats"), read("/proc/timer_stats"), read("/proc/interrupts"), read("/proc/kallsyms"), read("/proc/modules"),
	read("/proc/diskstats"), read("/proc/locks"), read("/proc/cmdline"),
	read("/proc/vmallocinfo"), read("/proc/kpagecount"), read("/proc/kpageflags"), read("/proc/slabinfo"), read("/proc/acpi"),
	read("/proc/scsi"), read("/proc/bus"), read("/proc/irq"), read("/proc/driver"), read("/proc/asound"), read("/proc/fs"), read("/proc/pressure"),
	read("/sys/firmware"), read("/sys/kernel"), read("/sys/devices/virtual/powercap"), read("/proc/sys/kernel/cap_last_cap/"),

	{"raw socket", func() error { return closing(unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)) }, eperm},
	{"packet socket", func() error { return closing(unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)) }, eperm},
	{"socket to the hypervisor", func() error { return closing(unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)) }, noFamily},
	{"socket to the kernel's ciphers", func() error { return closing(unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0)) }, noFamily},
	{"switch the loopback off", func() error {
		return askNetlink(unix.NETLINK_ROUTE, unix.RTM_NEWLINK, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, unix.IFF_UP, 0, 0, 0)
	}, eperm},
	{"clear the packet filter", func() error {
		return askNetlink(unix.NETLINK_NETFILTER, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_DELTABLE, unix.NFPROTO_IPV4, 0, 0, 0)
	}, []error{unix.EPERM, unix.EPROTONOSUPPORT}},
	{"listen to the kernel's audit", func() error { return askNetlink(unix.NETLINK_AUDIT, unix.AUDIT_GET) },
		[]error{unix.EPERM, unix.ECONNREFUSED, unix.EPROTONOSUPPORT}},
	{"bluetooth", func() error { return closing(unix.Socket(unix.AF_BLUETOOTH, unix.SOCK_RAW, 1)) }, noFamily},
	{"a number with high bits", func() error { return call(unix.SYS_SOCKET, 1<<32|unix.AF_VSOCK, unix.SOCK_STREAM, 0) }, noFamily},
}

// call is a raw system call.
func call(number, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall6(number, a, b, c, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func closing(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func touchAnd(path string, f func(string) error) error {
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return err
	}
	return f(path)
}

func write(path string, refused []error) attempt {
	return attempt{"write " + path, func() error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = f.WriteString("1")
		return err
	}, refused}
}

// read tries to see something of a file or folder.
func read(path string) attempt {
	return attempt{"read " + path, func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if list, err := f.Readdirnames(1); err == nil && len(list) > 0 {
			return nil
		}
		_, err = f.Read(make([]byte, 1))
		return err
	}, append(absent, unix.EIO, unix.EISDIR, io.EOF)}
}

// openSettings opens for writing whatever lies in /proc beside the processes, which are theirs, and writes to /proc/1, of
// which some files can be opened by everybody.
func openSettings() {
	for _, top := range append(topOf("/proc"), "/proc/1") {
		filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return nil
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return nil
			}
			defer f.Close()
			if top == "/proc/1" {
				if _, err := f.WriteString("0"); err != nil {
					return nil
				}
			}
			fmt.Println("can be written:", path)
			return nil
		})
	}
}

// topOf lists what is not a process.
func topOf(proc string) []string {
	var list []string
	entries, _ := os.ReadDir(proc)
	for _, e := range entries {
		_, err := strconv.Atoi(e.Name())
		if err != nil && e.Name() != "self" && e.Name() != "thread-self" {
			list = append(list, filepath.Join(proc, e.Name()))
		}
	}
	return list
}

// tryNetwork dials addresses, and the names of abstract Unix sockets.
func tryNetwork(addrs []string) {
	var list []attempt
	for _, addr := range addrs {
		kind := "tcp"
		if strings.HasPrefix(addr, "@") {
			kind = "unix"
		}
		list = append(list, attempt{"dial " + addr, func() error {
			c, err := net.DialTimeout(kind, addr, 2*time.Second)
			if err == nil {
				c.Close()
			}
			return err
		}, []error{unix.ECONNREFUSED, unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EACCES}})
	}
	tryAll(list)
}

// A segment of System V shared memory, by a key that both sandboxes know.
const memoryKey = 0x6c616d69

func makeMemory() {
	if _, err := unix.SysvShmGet(memoryKey, 4096, unix.IPC_CREAT|0o666); err != nil {
		fmt.Println("shared memory:", err)
	}
}

func otherMemory() error {
	_, err := unix.SysvShmGet(memoryKey, 4096, 0)
	return err
}

// countThreads starts as many threads as it can, each a process of its own to the kernel's count.
func countThreads() {
	n := 0
	for ; n < 4096; n++ {
		cmd := exec.Command("/bin/sleep", "1000")
		if err := cmd.Start(); err != nil {
			if !errors.Is(err, unix.EAGAIN) {
				fmt.Println("threads:", err)
			}
			break
		}
	}
	fmt.Println("started", n)
}
