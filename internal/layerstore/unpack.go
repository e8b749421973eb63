package layerstore

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

const (
	unpackWorkers = 2
	batchFiles    = 64        // files of one directory that a worker takes at a time
	copyBuffer    = 256 << 10 // most files are written with one call
)

// unpack writes the entries of an archive below an empty directory, reading each content once, and gives the SHA-256 of
// each. What the account has already (files, nil when nothing is shared) is linked and, where the packed bytes are known too,
// not even inflated.
//
// Nothing is written through a link: archive lets nothing lie below one, directories come first and links last, and each
// directory is opened component by component without following links. Modes and times of directories are set at the end,
// the deepest first, so that a directory that shuts its owner out can still be filled.
func unpack(ctx context.Context, a *archive.Archive, root, scratch int, files *files) (*unpacker, error) {
	u := &unpacker{archive: a, entries: a.Entries(), root: root, scratch: scratch, files: files}
	u.sums = make([]digest.Digest, len(u.entries))
	if files != nil {
		u.packed = make([]packedKey, len(u.entries))
		u.linked = make([]linked, len(u.entries))
	}
	for _, step := range []func(context.Context) error{u.makeDirs, u.writeFiles, u.makeLinks, u.closeDirs} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return u, nil
}

type unpacker struct {
	archive *archive.Archive
	entries []archive.Entry
	sums    []digest.Digest
	root    int
	scratch int // a directory beside it

	files  *files
	packed []packedKey // of files that are not empty; nil without files, like the next
	linked []linked    // whether a file was linked

	inflated atomic.Int64 // contents that were inflated
}

// makeDirs makes directories, level by level: those of one level together, since to find an inode for a directory is much of what
// a small tree costs.
func (u *unpacker) makeDirs(ctx context.Context) error {
	levels := map[int][]batch{}
	for _, b := range u.batches(archive.Dir) {
		depth := 0
		if b.dir != "" {
			depth = 1 + strings.Count(b.dir, "/")
		}
		levels[depth] = append(levels[depth], b)
	}
	for _, depth := range slices.Sorted(maps.Keys(levels)) {
		if err := together(ctx, levels[depth], func() func(context.Context, batch) error { return u.makeSome }); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) makeSome(_ context.Context, b batch) error {
	return u.in(b.dir, func(dir int) error {
		for _, i := range b.entries {
			_, name := split(u.entries[i].Path)
			if err := failpoint.Mkdirat("layerstore.make-dir", dir, name, 0o700); err != nil {
				return failed("make directory", u.entries[i], err)
			}
		}
		return nil
	})
}

// together lets workers take batches until none is left. Each has what newWorker gives it for itself.
func together(ctx context.Context, batches []batch, newWorker func() func(context.Context, batch) error) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range min(unpackWorkers, len(batches)) {
		g.Go(func() error {
			work := newWorker()
			for {
				n := int(next.Add(1)) - 1
				if n >= len(batches) {
					return nil
				}
				if err := work(ctx, batches[n]); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// batch is entries of one directory.
type batch struct {
	dir     string
	entries []int
}

// batches groups the entries of a type by directory.
func (u *unpacker) batches(t archive.Type) []batch {
	var all []batch
	current := make(map[string]int) // directory -> its batch that has room
	for i, e := range u.entries {
		if e.Type != t {
			continue
		}
		dir, _ := split(e.Path)
		n, ok := current[dir]
		if !ok || len(all[n].entries) == batchFiles {
			n = len(all)
			current[dir] = n
			all = append(all, batch{dir: dir})
		}
		all[n].entries = append(all[n].entries, i)
	}
	return all
}

// in runs f with the directory of a batch open.
func (u *unpacker) in(dir string, f func(dir int) error) error {
	fd, err := openDir(u.root, dir)
	if err != nil {
		return fmt.Errorf("cannot open directory %q: %w", dir, err)
	}
	defer unix.Close(fd)
	return f(fd)
}

func (u *unpacker) writeFiles(ctx context.Context) error {
	return together(ctx, u.batches(archive.File), func() func(context.Context, batch) error {
		w := &writer{unpacker: u, hash: sha256.New(), buf: make([]byte, copyBuffer)}
		return w.write
	})
}

// writer is one worker.
type writer struct {
	*unpacker
	hash hash.Hash
	buf  []byte
}

func (w *writer) write(ctx context.Context, b batch) error {
	return w.in(b.dir, func(dir int) error {
		for _, i := range b.entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := w.writeFile(dir, i); err != nil {
				return failed("write", w.entries[i], err)
			}
		}
		return nil
	})
}

func (w *writer) writeFile(dir, i int) error {
	e := w.entries[i]
	_, name := split(e.Path)
	if w.files == nil || e.Size == 0 {
		return w.writeNew(dir, i, name)
	}
	if done, err := w.recall(dir, i, name); done || err != nil {
		return err
	}
	if e.Size < copyBuffer {
		return w.writeSmall(dir, i, name)
	}
	if err := w.writeNew(dir, i, name); err != nil {
		return err
	}
	return w.exchange(dir, i, name)
}

// recall links a file whose packed bytes are known, without inflating them.
func (w *writer) recall(dir, i int, name string) (done bool, err error) {
	p, r, err := w.archive.OpenPacked(w.entries[i])
	if err != nil {
		return false, err
	}
	if w.packed[i], err = keyOfPacked(w.hash, w.buf, p, r); err != nil {
		return false, err
	}
	sum, ok := w.files.packed.get(w.packed[i], w.buf)
	if !ok {
		return false, nil
	}
	w.sums[i] = sum
	if !w.link(dir, i, name) {
		return false, nil
	}
	w.linked[i] = recalled
	return true, nil
}

// link links a file whose content is known to be sums[i].
func (w *writer) link(dir, i int, name string) bool {
	w.linked[i] = w.files.link(keyOfFile(w.entries[i], w.sums[i]), dir, name)
	return w.linked[i] == shared
}

// writeSmall looks at the content before a file is made for it.
func (w *writer) writeSmall(dir, i int, name string) error {
	e := w.entries[i]
	var content []byte
	// The content is shorter than the buffer: it comes in one piece, and when it was checked to its end.
	if err := w.read(e, func(p []byte) error { content = p; return nil }); err != nil {
		return err
	}
	w.sums[i] = digest.Of(content)
	if w.linked[i] != full && w.link(dir, i, name) {
		return nil
	}
	return w.create(dir, name, e, func(fd int) error { return failpoint.WriteFd("layerstore.write-small", fd, content) })
}

// exchange replaces a file that was written by the one that the account has already. It comes in outside of the tree, where
// no entry of the zip can have its name.
func (w *writer) exchange(dir, i int, name string) error {
	if w.linked[i] == full {
		return nil
	}
	beside := strconv.Itoa(i)
	w.linked[i] = w.files.link(keyOfFile(w.entries[i], w.sums[i]), w.scratch, beside)
	if w.linked[i] != shared {
		return nil
	}
	return failpoint.Renameat("layerstore.exchange", w.scratch, beside, dir, name)
}

func (w *writer) writeNew(dir, i int, name string) error {
	return w.create(dir, name, w.entries[i], func(fd int) error { return w.copy(fd, i) })
}

// create makes a file with the mode and the time of an entry.
func (w *writer) create(dir int, name string, e archive.Entry, write func(fd int) error) error {
	fd, err := failpoint.Openat("layerstore.create", dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	err = write(fd)
	if err == nil {
		err = failpoint.Fchmod("layerstore.mode", fd, uint32(e.Mode.Perm()))
	}
	if err := errors.Join(err, unix.Close(fd)); err != nil {
		return err
	}
	return setTime(dir, name, e)
}

// copy moves the content of an entry to a file and sums it.
func (w *writer) copy(fd, i int) error {
	w.hash.Reset()
	err := w.read(w.entries[i], func(p []byte) error {
		w.hash.Write(p)
		return failpoint.WriteFd("layerstore.write", fd, p)
	})
	w.hash.Sum(w.sums[i][:0])
	return err
}

// read gives the content of an entry to f, in pieces as large as the buffer.
func (w *writer) read(e archive.Entry, f func([]byte) error) error {
	w.inflated.Add(1)
	r, err := w.archive.Open(e)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		n, err := io.ReadFull(r, w.buf)
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return err
		}
		if n > 0 {
			if err := f(w.buf[:n]); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

func (u *unpacker) makeLinks(ctx context.Context) error {
	for _, b := range u.batches(archive.Symlink) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := u.in(b.dir, func(dir int) error {
			for _, i := range b.entries {
				if err := u.makeLink(dir, i); err != nil {
					return failed("make link", u.entries[i], err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacker) makeLink(dir, i int) error {
	e := u.entries[i]
	r, err := u.archive.Open(e)
	if err != nil {
		return err
	}
	defer r.Close()
	target, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	u.sums[i] = digest.Of(target)
	_, name := split(e.Path)
	if err := failpoint.Symlinkat("layerstore.make-link", string(target), dir, name); err != nil {
		return err
	}
	return setTime(dir, name, e)
}

// closeDirs sets modes and times of directories, those of the root last.
func (u *unpacker) closeDirs(context.Context) error {
	batches := u.batches(archive.Dir)
	// A parent sorts before its children, so from the end the deepest come first.
	slices.SortFunc(batches, func(a, b batch) int { return strings.Compare(b.dir, a.dir) })
	for _, b := range batches {
		err := u.in(b.dir, func(dir int) error {
			for _, i := range b.entries {
				e := u.entries[i]
				_, name := split(e.Path)
				if err := failpoint.Fchmodat("layerstore.dir-mode", dir, name, uint32(e.Mode.Perm())); err != nil {
					return failed("set the mode of", e, err)
				}
				if err := setTime(dir, name, e); err != nil {
					return failed("set the time of", e, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := failpoint.Fchmod("layerstore.root-mode", u.root, 0o755); err != nil {
		return err
	}
	return setTime(u.root, ".", archive.Entry{})
}

func failed(what string, e archive.Entry, err error) error {
	return fmt.Errorf("cannot %s %q: %w", what, e.Path, err)
}
