package linuxsandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// needDisks makes disks, or ends a test where they cannot be had.
func needDisks(t *testing.T, size int) *disks {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("NOT RUN: user %d may not mount file systems", os.Geteuid())
	}
	d := newDisks(t.TempDir(), true, size)
	t.Cleanup(d.close)
	if d.mkfs == "" {
		t.Skip("NOT RUN: there is no mkfs.ext4")
	}
	k, err := d.make(leastDisk)
	if err != nil {
		t.Skipf("NOT RUN: no loop devices here: %v", err)
	}
	k.close()
	return d
}

// loops lists the loop devices whose images lie in a folder.
func loops(dir string) []string {
	var list []string
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && strings.HasPrefix(string(data), dir) {
			list = append(list, f)
		}
	}
	return list
}

func write(t *testing.T, k *disk, name string, n int) {
	t.Helper()
	fd, err := unix.Openat(k.root, name, unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

// TestDisksMakeTheirFolder: with an installed helper nothing else is kept in it.
func TestDisksMakeTheirFolder(t *testing.T) {
	needDisks(t, 0)
	d := newDisks(filepath.Join(t.TempDir(), "not", "there"), true, 0)
	t.Cleanup(d.close)
	k, err := d.make(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	k.close()
}

func TestDisksAreEmptyAndApart(t *testing.T) {
	d := needDisks(t, 0)
	for i := range 3 {
		k, err := d.make(16 << 20)
		if err != nil {
			t.Fatal(err)
		}
		defer k.close()
		fd, err := unix.Openat(k.root, ".", unix.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f := os.NewFile(uintptr(fd), "root")
		names, err := f.Readdirnames(-1)
		f.Close()
		if err != nil || len(names) > 0 {
			t.Errorf("disk %d holds %q, %v", i, names, err)
		}
		var st unix.Statfs_t
		if err := unix.Fstatfs(k.root, &st); err != nil {
			t.Fatal(err)
		}
		if size := int64(st.Blocks) * st.Bsize; size > 16<<20 || size < 15<<20 || int64(st.Bavail)*st.Bsize < 15<<20 {
			t.Errorf("disk %d: %d bytes, %d blocks for everybody", i, size, st.Bavail)
		}
		write(t, k, fmt.Sprint("of-", i), 1<<20)
	}
	if n := len(loops(d.dir)); n != 3 {
		t.Errorf("%d loop devices for 3 disks", n)
	}
}

// TestDisksLeaveNothing also closes disks that hold what has not been written yet.
func TestDisksLeaveNothing(t *testing.T) {
	d := needDisks(t, 2)
	for range 5 {
		k, err := d.make(64 << 20)
		if err != nil {
			t.Fatal(err)
		}
		write(t, k, "large", 32<<20)
		k.close()
	}
	if left := loops(d.dir); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	d.fill(8 << 20)
	d.fill(16 << 20)
	d.close()
	d.fill(8 << 20)
	if left := loops(d.dir); len(left) > 0 {
		t.Errorf("left of prepared ones: %q", left)
	}
	if _, err := d.make(8 << 20); err == nil {
		t.Error("a disk after the end")
	}
	files, err := os.ReadDir(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".1.ext4") {
			t.Errorf("left: %s", f.Name())
		}
	}
}

// TestTemplatesStay has the next server make disks with what the last one left, and nothing else.
func TestTemplatesStay(t *testing.T) {
	d := needDisks(t, 0)
	k, err := d.make(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	write(t, k, "not in the next one", 4096)
	k.close()
	d.close()
	next := newDisks(d.dir, true, 0)
	t.Cleanup(next.close)
	next.mkfs = "/no/mkfs"
	if k, err = next.make(16 << 20); err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if err := unix.Faccessat(k.root, "not in the next one", unix.F_OK, 0); err != unix.ENOENT {
		t.Errorf("a file of another disk: %v", err)
	}
	if _, err := next.make(20 << 20); err == nil {
		t.Error("a disk of a size that was not there, without mkfs")
	}
}

func TestBrokenTemplate(t *testing.T) {
	d := needDisks(t, 0)
	for name, size := range map[string]int64{"short": 4096, "no file system": 16 << 20} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d := &disks{dir: dir, mkfs: d.mkfs, templates: map[int64]*os.File{}, end: make(chan struct{})}
			t.Cleanup(d.close)
			if err := os.WriteFile(d.templateFile(16<<20), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(d.templateFile(16<<20), size); err != nil {
				t.Fatal(err)
			}
			k, err := d.make(16 << 20)
			if err == nil {
				k.close()
			}
			if seen := size < 16<<20; seen != (err == nil) {
				t.Errorf("the first disk: %v", err)
			}
			if k, err = d.make(16 << 20); err != nil { // whatever was wrong is not there any more
				t.Fatal(err)
			}
			k.close()
		})
	}
}

// TestDirectDisks: what goes on through a disk when its device changes is not lost.
func TestDirectDisks(t *testing.T) {
	d := needDisks(t, 0)
	k, err := d.make(16 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	write(t, k, "before", 1<<20)
	k.direct()
	write(t, k, "after", 1<<20)
	k.direct()
	if err := unix.Syncfs(k.root); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"before", "after"} {
		var st unix.Stat_t
		if err := unix.Fstatat(k.root, name, &st, 0); err != nil || st.Size != 1<<20 {
			t.Errorf("%s: %d bytes, %v", name, st.Size, err)
		}
	}
	if n := len(loops(d.dir)); n != 1 {
		t.Errorf("%d loop devices for a disk", n)
	}
}

func TestDisksArePrepared(t *testing.T) {
	d := needDisks(t, 2)
	for _, mb := range []int64{24, 8, 16, 24} {
		d.fill(mb << 20)
		d.work.Wait()
	}
	if n := len(d.ready); n > mostReady || d.prepared(24<<20) == nil || d.prepared(24<<20) == nil || d.prepared(24<<20) != nil {
		t.Errorf("%d are ready", n)
	}
}

func TestNoDisks(t *testing.T) {
	for name, d := range map[string]*disks{
		"not mapped": newDisks(t.TempDir(), false, 1),
		"no mkfs":    {dir: t.TempDir()},
	} {
		d.fill(defaultDisk)
		if _, err := d.order(defaultDisk).take(-1); err != errNoDisks {
			t.Errorf("%s: %v", name, err)
		}
	}
	if os.Geteuid() != 0 {
		return
	}
	d := newDisks("/proc", true, 0)
	if _, err := d.order(defaultDisk).take(-1); err == nil {
		t.Error("a disk in /proc")
	}
}
