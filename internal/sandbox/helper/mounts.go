package helper

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/overlay"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// addMounts puts the parts of one message into the root.
func (b *base) addMounts(p *packet) initproto.Failure {
	mounts, err := initproto.ParseMounts(p.msg.Body)
	if err != nil {
		return fail("parse", "mounts", err)
	}
	for _, m := range mounts {
		if err := b.add(m, p); err != nil {
			return fail("show", m.Target, err)
		}
	}
	return initproto.Failure{}
}

func (b *base) add(m initproto.Mount, p *packet) error {
	switch m.Kind {
	case initproto.MountLink:
		return b.addLink(m)
	case initproto.MountEmpty:
		return b.addEmpty(m)
	case initproto.MountFile:
		return b.addFile(m, p)
	case initproto.MountOverlay:
		return b.addOverlay(m, p)
	case initproto.MountBind:
		return b.addBind(m, p)
	case initproto.MountTmp:
		return b.addTmp(m, p)
	}
	return initproto.ErrMessage
}

func (b *base) addLink(m initproto.Mount) error {
	if err := makeParents(m.Target); err != nil {
		return err
	}
	return unix.Symlink(string(m.Data), m.Target)
}

func (b *base) addEmpty(m initproto.Mount) error {
	if err := makeFolder(m.Target); err != nil {
		return err
	}
	return show(scratchEmpty, m.Target, unix.MOUNT_ATTR_NODEV)
}

func (b *base) addBind(m initproto.Mount, p *packet) error {
	trees, err := b.trees(m, p, unix.AT_RECURSIVE)
	if err != nil || len(trees) == 0 {
		return err
	}
	defer closeAll(trees)
	if err := makeTarget(m.Target, trees[0]); err != nil {
		return err
	}
	return attach(trees[0], m.Target)
}

// addTmp shows a file system that the server prepared.
func (b *base) addTmp(m initproto.Mount, p *packet) error {
	fd := p.take()
	if fd < 0 {
		return initproto.ErrMessage
	}
	defer unix.Close(fd)
	if err := makeFolder(m.Target); err != nil {
		return err
	}
	b.hasTmp = true
	return attach(fd, m.Target)
}

// addOverlay attaches the trees to scratch folders, because older kernels take only layers of the caller's own mount
// namespace, and because their names there need no quoting. The overlay keeps its own copies of these mounts.
func (b *base) addOverlay(m initproto.Mount, p *packet) error {
	trees, err := b.trees(m, p, 0)
	if err != nil {
		return err
	}
	defer closeAll(trees)
	if len(trees) == 0 && m.Optional && len(m.Paths) > 0 {
		return nil
	}
	if len(trees) == 0 {
		return b.addEmpty(m)
	}
	var folders []string
	for _, t := range trees {
		folder := b.scratchName()
		if err := unix.Mkdir(folder, 0o755); err != nil {
			return err
		}
		if err := attach(t, folder); err != nil {
			return err
		}
		folders = append(folders, folder)
	}
	for len(folders) < overlay.MinLayers {
		folders = append(folders, scratchEmpty)
	}
	if err := makeFolder(m.Target); err != nil {
		return err
	}
	fd, err := overlay.Mount(folders)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return attach(fd, m.Target)
}

// addFile writes the file into the root where it can be written; elsewhere it must exist, and is covered.
func (b *base) addFile(m initproto.Mount, p *packet) error {
	data, err := fileData(m, p)
	if err != nil {
		return err
	}
	if err := makeParents(m.Target); err != nil && err != unix.EROFS {
		return err
	}
	err = writeFile(m.Target, data)
	if err != unix.EROFS {
		return err
	}
	cover := b.scratchName()
	if err := writeFile(cover, data); err != nil {
		return err
	}
	return show(cover, m.Target, unix.MOUNT_ATTR_NODEV)
}

// trees gives the detached mounts of a part: those that came along, or clones of paths opened with our own rights.
func (b *base) trees(m initproto.Mount, p *packet, flags uint) ([]int, error) {
	var trees []int
	for range m.Descriptors {
		fd := p.take()
		if fd < 0 {
			return trees, initproto.ErrMessage
		}
		trees = append(trees, fd)
	}
	for _, path := range m.Paths {
		fd, err := b.openTree(path, flags)
		if err == unix.ENOENT && m.Optional {
			continue
		}
		if err != nil {
			closeAll(trees)
			return nil, err
		}
		trees = append(trees, fd)
	}
	return trees, nil
}

// openTree clones a folder or file of the host, named as the host sees it: links in the path are followed below the old
// root.
func (b *base) openTree(path string, flags uint) (int, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	at, err := unix.Openat2(b.old, path, &how)
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	fd, err := unix.OpenTree(at, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|flags)
	if err != nil {
		return -1, err
	}
	set := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | safe, Propagation: unix.MS_PRIVATE}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|flags, &set); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (b *base) scratchName() string {
	b.layers++
	return scratch + "/" + strconv.Itoa(b.layers)
}

func fileData(m initproto.Mount, p *packet) ([]byte, error) {
	if m.Descriptors == 0 {
		return m.Data, nil
	}
	fd := p.take()
	if fd < 0 {
		return nil, initproto.ErrMessage
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	data := make([]byte, st.Size)
	for done := 0; done < len(data); {
		n, err := unix.Pread(fd, data[done:], int64(done))
		if err != nil || n == 0 {
			return nil, err
		}
		done += n
	}
	return data, nil
}

func writeFile(path string, data []byte) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// makeTarget makes what the tree is shown on: a folder for a folder, a file for anything else.
func makeTarget(target string, tree int) error {
	var st unix.Stat_t
	if err := unix.Fstat(tree, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return makeFolder(target)
	}
	if err := makeParents(target); err != nil {
		return err
	}
	if err := touch(target, 0o644); err != unix.EROFS {
		return err
	}
	return nil
}

func makeParents(path string) error {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return nil
	}
	return makeFolder(path[:i])
}

// makeFolder makes a folder and those above it. One that exists is fine, wherever it is.
func makeFolder(path string) error {
	if path == "" || path == "/" {
		return nil
	}
	err := unix.Mkdir(path, 0o755)
	if err == unix.ENOENT {
		if err := makeParents(path); err != nil {
			return err
		}
		err = unix.Mkdir(path, 0o755)
	}
	if err == nil || !exists(path) {
		return err
	}
	return nil
}

func exists(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
