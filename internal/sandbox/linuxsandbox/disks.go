package linuxsandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// disks give sandboxes a /tmp that is a file system of its own: ext4 without a journal, in a file that has no name, on a
// loop device that frees itself. So a killed server leaves neither images nor devices: with the last of its sandboxes'
// processes the kernel lets go of the mount, with that of the device, and with that of the file.
//
// The first disk of a size pays for mkfs; the others are copies of its few blocks (disk_template.go). Where disks are kept
// prepared, a cold start finds one that is mounted already; where they are not, one is made while the helper starts.
type disks struct {
	dir  string // the file system that images lie on
	mkfs string // "": there is none
	size int    // disks of a size that are kept prepared

	mu        sync.Mutex
	templates map[int64]*os.File
	ready     []*disk
	closed    bool
	work      sync.WaitGroup
	end       chan struct{}
}

// disk is a mounted file system which is attached nowhere yet.
type disk struct {
	bytes int64
	mount int // descriptor of the detached mount
	root  int // descriptor of its root folder
	timer *time.Timer

	mu   sync.Mutex // held while the device changes
	loop *os.File   // the device, until it is direct
}

// Disks smaller than this are not worth one, and kept ready is the default size alone until others were asked for.
const (
	leastDisk   = 4 << 20
	defaultDisk = 512 << 20
	mostReady   = 4
)

// untilDirect is how long a disk that was made for somebody who waits goes through the image's page cache. So mounting it does
// not wait for its first blocks to reach the real disk; but what is written to it later should not be in memory twice.
const untilDirect = time.Second

var errNoDisks = errors.New("no disks")

// newDisks looks whether disks can be had at all.
func newDisks(dir string, mapped bool, size int) *disks {
	d := &disks{dir: dir, size: size, templates: map[int64]*os.File{}, end: make(chan struct{})}
	if !mapped {
		return d
	}
	for _, path := range []string{"mkfs.ext4", "/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"} {
		if found, err := exec.LookPath(path); err == nil {
			d.mkfs = found
			break
		}
	}
	return d
}

// order begins to get a disk, for a caller who has something else to do before he takes it.
func (d *disks) order(bytes int64) *order {
	o := &order{done: make(chan struct{})}
	if d.mkfs == "" || bytes < leastDisk {
		o.err = errNoDisks
	} else if o.disk = d.prepared(bytes); o.disk == nil {
		go func() {
			defer close(o.done)
			o.disk, o.err = d.make(bytes)
		}()
		return o
	}
	close(o.done)
	return o
}

// order is a disk that may still be in the making.
type order struct {
	done chan struct{} // closed when the disk, or why there is none, is known
	disk *disk
	err  error
}

// cancel gives the disk up that was not taken.
func (o *order) cancel() {
	<-o.done
	if o.disk != nil {
		o.disk.close()
	}
}

// take gives the disk with IDs of a user namespace; the caller owns it. An error means that there is only memory for /tmp.
func (o *order) take(userns int) (*disk, error) {
	<-o.done
	k, err := o.disk, o.err
	o.disk = nil
	if err != nil {
		return nil, err
	}
	k.timer = time.AfterFunc(untilDirect, k.direct)
	set := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(userns)}
	if err := unix.MountSetattr(k.mount, "", unix.AT_EMPTY_PATH, &set); err != nil {
		k.close()
		return nil, fmt.Errorf("cannot map the IDs of a disk: %w", err)
	}
	return k, nil
}

func (d *disks) prepared(bytes int64) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, k := range d.ready {
		if k.bytes == bytes {
			d.ready = slices.Delete(d.ready, i, i+1)
			return k
		}
	}
	return nil
}

// fill prepares disks of a size in the background. The oldest of other sizes make room.
func (d *disks) fill(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mkfs == "" || d.size == 0 || d.closed || bytes < leastDisk {
		return
	}
	d.work.Go(func() {
		select {
		case <-time.After(settle):
		case <-d.end:
			return
		}
		for d.wanted(bytes) {
			k, err := d.make(bytes)
			if err != nil {
				return // the next sandbox meets the same error and says so
			}
			k.direct()
			d.keep(k)
		}
	})
}

func (d *disks) wanted(bytes int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, k := range d.ready {
		if k.bytes == bytes {
			n++
		}
	}
	return !d.closed && n < d.size
}

func (d *disks) keep(k *disk) {
	d.mu.Lock()
	var old *disk
	if d.closed {
		old = k
	} else if d.ready = append(d.ready, k); len(d.ready) > max(mostReady, d.size) {
		old, d.ready = d.ready[0], d.ready[1:]
	}
	d.mu.Unlock()
	if old != nil {
		old.close()
	}
}

func (d *disks) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.end)
	}
	d.mu.Unlock()
	d.work.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.ready {
		k.close()
	}
	for _, f := range d.templates {
		f.Close()
	}
	d.ready, d.templates = nil, nil
}

// make copies the template, and mounts it.
func (d *disks) make(bytes int64) (*disk, error) {
	template, err := d.template(bytes)
	if err != nil {
		return nil, err
	}
	image, err := d.image(bytes)
	if err != nil {
		return nil, err
	}
	defer image.Close()
	if err := copySparse(image, template); err != nil {
		return nil, fmt.Errorf("cannot copy the image of a disk: %w", err)
	}
	k, err := mountImage(image, bytes)
	if err != nil {
		d.forget(bytes)
	}
	return k, err
}

// image makes a file without a name.
func (d *disks) image(bytes int64) (*os.File, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder of disks: %w", err)
	}
	fd, err := unix.Open(d.dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot make the image of a disk: %w", &os.PathError{Op: "open", Path: d.dir, Err: err})
	}
	f := os.NewFile(uintptr(fd), "disk image")
	if err := f.Truncate(bytes); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot make the image of a disk: %w", err)
	}
	return f, nil
}

// copySparse shares the blocks where the file system can, and else copies those that are not holes.
func copySparse(to, from *os.File) error {
	if unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) == nil {
		return nil
	}
	buf := make([]byte, 64<<10)
	for end := int64(0); ; {
		start, err := unix.Seek(int(from.Fd()), end, unix.SEEK_DATA)
		if err == unix.ENXIO {
			return nil
		}
		if err != nil {
			return err
		}
		if end, err = unix.Seek(int(from.Fd()), start, unix.SEEK_HOLE); err != nil {
			return err
		}
		for at := start; at < end; {
			n, err := from.ReadAt(buf[:min(int64(len(buf)), end-at)], at)
			if n == 0 {
				return err
			}
			if _, err := to.WriteAt(buf[:n], at); err != nil {
				return err
			}
			at += int64(n)
		}
	}
}

// mountImage mounts an image, attached nowhere.
func mountImage(image *os.File, bytes int64) (*disk, error) {
	loop, err := attachLoop(image)
	if err != nil {
		return nil, fmt.Errorf("cannot attach a loop device: %w", err)
	}
	k := &disk{bytes: bytes, root: -1, loop: loop}
	if k.mount, err = mountExt4(loop.Name()); err != nil {
		loop.Close()
		return nil, fmt.Errorf("cannot mount %s: %w", loop.Name(), err)
	}
	if k.root, err = unix.Openat(k.mount, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err != nil {
		k.close()
		return nil, fmt.Errorf("cannot open a disk: %w", err)
	}
	return k, nil
}

// attachLoop finds a free loop device. Others may take it first.
func attachLoop(image *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	for range 100 {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, err
		}
		loop, err := os.OpenFile(fmt.Sprintf("/dev/loop%d", n), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
		config := unix.LoopConfig{Fd: uint32(image.Fd()), Size: 4096}
		config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
		err = unix.IoctlLoopConfigure(int(loop.Fd()), &config)
		if err == nil {
			return loop, nil
		}
		loop.Close()
		if !errors.Is(err, unix.EBUSY) {
			return nil, err
		}
	}
	return nil, unix.EBUSY
}

func mountExt4(device string) (int, error) {
	fs, err := unix.Fsopen("ext4", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetString(fs, "source", device); err != nil {
		return -1, err
	}
	// The inode tables of a sparse image need not be written.
	if err := unix.FsconfigSetFlag(fs, "noinit_itable"); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

// give hands the mount over: the caller closes the descriptor.
func (k *disk) give() int {
	fd := k.mount
	k.mount = -1
	return fd
}

// direct has the device write past the image's page cache, where its file system can, and lets go of the device.
func (k *disk) direct() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.loop != nil {
		unix.IoctlSetInt(int(k.loop.Fd()), unix.LOOP_SET_DIRECT_IO, 1)
		k.release()
	}
}

// release lets go of the device: it is free when the file system is unmounted.
func (k *disk) release() {
	if k.loop != nil {
		k.loop.Close()
		k.loop = nil
	}
}

// FS_IOC_SHUTDOWN and its way that writes nothing any more.
const (
	shutdownFS      = 0x8004587d
	shutdownNoFlush = 2
)

// abandon drops what was written to the disk and is still in memory, which unmounting would write first. Whoever still uses
// it gets errors.
func (k *disk) abandon() {
	if k.timer != nil {
		k.timer.Stop()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.release()
	if k.root >= 0 {
		unix.IoctlSetPointerInt(k.root, shutdownFS, shutdownNoFlush)
		unix.Close(k.root)
		k.root = -1
	}
}

// close gives the disk up.
func (k *disk) close() {
	k.abandon()
	if k.mount >= 0 {
		unix.Close(k.mount)
	}
}
