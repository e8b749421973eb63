package linuxsandbox

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// inlineFile is the largest file that travels inside a message; a larger one goes as a descriptor.
const inlineFile = 32 << 10

// roomInMessage is how much of a message mounts may fill.
const roomInMessage = initproto.MaxRequest - 4<<10

// batch is one Mounts message and the descriptors that go with it.
type batch struct {
	mounts      initproto.Mounts
	descriptors []int
	size        int
}

// rootPlan is the Spec's root as messages. close must be called; the helper has its own copies of the descriptors then.
type rootPlan struct {
	batches []*batch
	idmap   int // descriptor of the user namespace whose mapping trees are shown with; -1: the helper opens paths
}

func (r *rootPlan) close() {
	for _, b := range r.batches {
		for _, fd := range b.descriptors {
			unix.Close(fd)
		}
	}
}

// plan opens what a root needs. With idmap it opens sources as detached, id-mapped mounts; without (-1) it names them.
func plan(root []sandbox.Mount, idmap int) (*rootPlan, error) {
	r := &rootPlan{idmap: idmap}
	for _, m := range root {
		w, descriptors, err := r.wire(m)
		if err != nil {
			closeAll(descriptors)
			r.close()
			return nil, fmt.Errorf("cannot show %s: %w", m.Target, err)
		}
		if w != nil {
			r.add(*w, descriptors)
		}
	}
	return r, nil
}

func (r *rootPlan) add(w initproto.Mount, descriptors []int) {
	size := len(initproto.Mounts{w}.Append(nil))
	var last *batch
	if n := len(r.batches); n > 0 {
		last = r.batches[n-1]
	}
	if last == nil || last.size+size > roomInMessage || len(last.descriptors)+len(descriptors) > initproto.MaxDescriptors {
		last = &batch{}
		r.batches = append(r.batches, last)
	}
	last.mounts = append(last.mounts, w)
	last.descriptors = append(last.descriptors, descriptors...)
	last.size += size
}

// wire translates one part; nil when it is left out.
func (r *rootPlan) wire(m sandbox.Mount) (*initproto.Mount, []int, error) {
	w := &initproto.Mount{Target: m.Target, Optional: m.Optional}
	switch {
	case m.Link != "":
		w.Kind, w.Data = initproto.MountLink, []byte(m.Link)
		return w, nil, nil
	case m.Empty:
		w.Kind = initproto.MountEmpty
		return w, nil, nil
	case m.Bind != "":
		w.Kind = initproto.MountBind
		return r.sources(w, []string{m.Bind}, unix.AT_RECURSIVE)
	case m.Overlay != nil:
		w.Kind = initproto.MountOverlay
		return r.sources(w, m.Overlay, 0)
	case m.File != nil:
		w.Kind = initproto.MountFile
		return file(w, m.File)
	}
	// Neither is set: an overlay of nothing and a mask look alike.
	w.Kind = initproto.MountEmpty
	return w, nil, nil
}

func (r *rootPlan) sources(w *initproto.Mount, paths []string, flags uint) (*initproto.Mount, []int, error) {
	if r.idmap < 0 {
		w.Paths = paths
		return w, nil, nil
	}
	var trees []int
	for _, p := range paths {
		fd, err := openTree(p, r.idmap, flags)
		if w.Optional && (errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)) {
			continue
		}
		if err != nil {
			return nil, trees, &os.PathError{Op: "open", Path: p, Err: err}
		}
		trees = append(trees, fd)
	}
	if len(trees) == 0 && len(paths) > 0 {
		return nil, nil, nil
	}
	w.Descriptors = uint64(len(trees))
	return w, trees, nil
}

// openTree clones a tree of the host as a detached, private, read-only mount; id-mapped where the file system can.
func openTree(path string, idmap int, flags uint) (int, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|flags)
	if err != nil {
		return -1, err
	}
	plain := unix.MountAttr{
		Attr_set:    unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV,
		Propagation: unix.MS_PRIVATE,
	}
	mapped := plain
	mapped.Attr_set |= unix.MOUNT_ATTR_IDMAP
	mapped.Userns_fd = uint64(idmap)
	if err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|flags, &mapped); err != nil {
		// The file system, or one below it, cannot: root's files look like nobody's, and what only root may read is
		// out of reach.
		err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|flags, &plain)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func file(w *initproto.Mount, data []byte) (*initproto.Mount, []int, error) {
	if len(data) <= inlineFile {
		w.Data = data
		return w, nil, nil
	}
	fd, err := unix.MemfdCreate("lamina-file", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, err
	}
	for off := 0; off < len(data); {
		n, err := unix.Pwrite(fd, data[off:], int64(off))
		if err != nil {
			return nil, []int{fd}, err
		}
		off += n
	}
	w.Descriptors = 1
	return w, []int{fd}, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
