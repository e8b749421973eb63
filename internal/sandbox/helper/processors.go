package helper

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// choose gives those of the processors which this process may use that the sandbox is to see, and how many; nil for all.
func choose(p initproto.Processors) (*unix.CPUSet, int) {
	var may unix.CPUSet
	if p.Count == 0 || unix.SchedGetaffinity(0, &may) != nil || uint64(may.Count()) <= p.Count {
		return nil, 0
	}
	var list []int
	for cpu := 0; len(list) < may.Count(); cpu++ {
		if may.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	var set unix.CPUSet
	for i := range p.Count {
		set.Set(list[(p.First+i)%uint64(len(list))])
	}
	return &set, set.Count()
}

// confine keeps threads to these processors. What they start inherits that.
func confine(set *unix.CPUSet, threads ...int) {
	for _, tid := range threads {
		unix.SchedSetaffinity(tid, set) // one that has ended needs none
	}
}

// threadsBeside lists the threads of all processes but this one.
func threadsBeside() []int {
	var all []int
	for _, pid := range numbers("/proc") {
		if pid != 1 {
			all = append(all, numbers("/proc/"+strconv.Itoa(pid)+"/task")...)
		}
	}
	return all
}

// numbers lists the entries of a folder that are numbers.
func numbers(dir string) []int {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	var list []int
	var names []string
	buf := make([]byte, 4096)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return list
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names[:0])
		for _, name := range names {
			if v, err := strconv.Atoi(name); err == nil {
				list = append(list, v)
			}
		}
	}
}

// showProcessors cuts /proc/cpuinfo to that many, and shows what programs count processors by beside their affinity.
func (b *base) showProcessors(n int) error {
	info, err := readFile(scratchOld + "/proc/cpuinfo")
	if err != nil {
		return err
	}
	cover := b.scratchName()
	if err := writeFile(cover, firstBlocks(info, n)); err != nil {
		return err
	}
	if err := show(cover, "/proc/cpuinfo", unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC); err != nil {
		return err
	}
	span := []byte("0-" + strconv.Itoa(n-1) + "\n")
	if n == 1 {
		span = []byte("0\n")
	}
	const folder = "/sys/devices/system/cpu"
	if err := makeFolder(folder); err != nil {
		return err
	}
	for _, name := range []string{"online", "possible", "present"} {
		if err := writeFile(folder+"/"+name, span); err != nil {
			return err
		}
	}
	return nil
}

// firstBlocks gives the first n blocks, each of which ends with an empty line.
func firstBlocks(data []byte, n int) []byte {
	end := 0
	for range n {
		i := bytes.Index(data[end:], []byte("\n\n"))
		if i < 0 {
			return data
		}
		end += i + 2
	}
	return data[:end]
}

func readFile(path string) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var data []byte
	for buf := make([]byte, 4096); ; {
		n, err := unix.Read(fd, buf)
		if err != nil || n <= 0 {
			return data, err
		}
		data = append(data, buf[:n]...)
	}
}
