package cli

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long nothing may change before a change is looked at: editors and compilers write in several steps.
const settle = 80 * time.Millisecond

// watch runs the function now and after every change, until it is interrupted. What fails is printed, and waits for the
// next change.
func (r *localRun) watch(ctx context.Context) error {
	for {
		watcher, err := newWatcher()
		if err != nil {
			return err
		}
		watcher.add(r.dir)
		f, err := r.look()
		if err == nil {
			for _, path := range append(f.Layers, f.Code) {
				watcher.add(path)
			}
		}
		for _, file := range []string{r.opts.EnvFile, r.opts.Event} {
			if file != "" {
				watcher.add(file)
			}
		}
		if err == nil {
			if err = r.reread(); err == nil {
				err = r.once(ctx, f)
			}
		}
		if ctx.Err() != nil {
			watcher.close()
			return ctx.Err()
		}
		explain(r.out.Err, "lamina run", err, exitCode(err))
		if n := watcher.missed; n > 0 {
			fmt.Fprintf(r.out.Err, "lamina: %d folders cannot be watched (the limit is fs.inotify.max_user_watches)\n", n)
		}
		changed, err := watcher.wait(ctx)
		watcher.close()
		if err != nil {
			return err
		}
		fmt.Fprintf(r.out.Err, "lamina: %s changed\n", changed)
	}
}

// reread reads the event again when it is a file.
func (r *localRun) reread() error {
	if r.opts.Event == "" || r.opts.Event == "-" {
		return nil
	}
	var err error
	r.event, err = readEvent(r.opts.Event, nil)
	return err
}

// watcher tells of changes below folders, and of files, with the kernel's inotify.
type watcher struct {
	file   *os.File
	fd     int
	dirs   map[int32]string
	only   map[string][]string // of a folder that is watched for some files alone: their names
	missed int
}

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	return &watcher{file: os.NewFile(uintptr(fd), "inotify"), fd: fd, dirs: map[int32]string{}, only: map[string][]string{}}, nil
}

func (w *watcher) close() { w.file.Close() }

// unwatched folders change by themselves, or without meaning.
var unwatched = []string{".git", "__pycache__", ".venv", ".mypy_cache", ".pytest_cache", ".idea", ".vscode"}

// add watches a folder with all below it, or a file. What is not there is not watched.
func (w *watcher) add(path string) {
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if !info.IsDir() {
		dir := filepath.Dir(path)
		if !slices.Contains(w.watched(), dir) {
			w.only[dir] = append(w.only[dir], filepath.Base(path))
			w.watch(dir)
		}
		return
	}
	filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		if slices.Contains(unwatched, d.Name()) && p != path {
			return fs.SkipDir
		}
		delete(w.only, p)
		w.watch(p)
		return nil
	})
}

// watched are the folders of which every file counts.
func (w *watcher) watched() []string {
	var all []string
	for _, dir := range w.dirs {
		if w.only[dir] == nil {
			all = append(all, dir)
		}
	}
	return all
}

func (w *watcher) watch(dir string) {
	const events = unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB | unix.IN_ONLYDIR
	wd, err := unix.InotifyAddWatch(w.fd, dir, events)
	if err != nil {
		w.missed++
		return
	}
	w.dirs[int32(wd)] = dir
}

// wait returns when something has changed and then nothing more for a moment; it gives the first file that did,
// of those that are still there when one is: some editors write a new file and put it in the place of the old one.
func (w *watcher) wait(ctx context.Context) (string, error) {
	stop := context.AfterFunc(ctx, func() { w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var all []string
	for {
		changed, err := w.read()
		switch {
		case ctx.Err() != nil:
			return "", ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return firstThere(all), nil
		case err != nil:
			return "", fmt.Errorf("cannot watch files: %w", err)
		}
		for _, path := range changed {
			if !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
		if len(all) > 0 {
			w.file.SetReadDeadline(time.Now().Add(settle))
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
}

func firstThere(paths []string) string {
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			return p
		}
	}
	return paths[0]
}

// read gives the files of a batch of events that count.
func (w *watcher) read() ([]string, error) {
	buf := make([]byte, 64<<10)
	n, err := w.file.Read(buf)
	if err != nil {
		return nil, err
	}
	var all []string
	for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
		wd := int32(binary.NativeEndian.Uint32(b))
		size := int(binary.NativeEndian.Uint32(b[12:]))
		name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size]), "\x00")
		b = b[unix.SizeofInotifyEvent+size:]
		dir, known := w.dirs[wd]
		only := w.only[dir]
		if !known || slices.Contains(unwatched, name) || only != nil && !slices.Contains(only, name) {
			continue
		}
		all = append(all, filepath.Join(dir, name))
	}
	return all, nil
}
