package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// freezer says where processes are stopped. What a sandbox starts lies in a cgroup that its helper is not in (but for the
// thread that starts processes), so that a frozen sandbox still hears when its server is gone:
//
//	version 2: …/lamina/<state>/<sandbox>/run, a threaded cgroup below the helper's; what is frozen there can be killed
//	version 1: …/freezer/lamina/<state>/<sandbox>; what is frozen there dies when it is thawed, so the helper thaws first
//
// The zero value freezes nothing.
type freezer struct {
	parent string // folder in which sandboxes have theirs
	v2     bool
}

// running is the name of the threaded cgroup.
const running = "run"

// findFreezer takes version 2 before 1.
func findFreezer(h *hierarchies, c *cgroups, state string) freezer {
	for _, p := range c.parents() {
		if p.v2 {
			return tryFreezer(freezer{parent: p.folder, v2: true})
		}
	}
	if folder, err := freezerFolder(h, state); err == nil {
		if f := tryFreezer(freezer{parent: folder, v2: true}); f.parent != "" {
			return f
		}
	}
	if folder, err := useV1(h, "freezer", state); err == nil {
		return tryFreezer(freezer{parent: folder})
	}
	return freezer{}
}

// freezerFolder makes a folder of version 2 where that has no controllers for us.
func freezerFolder(h *hierarchies, state string) (string, error) {
	if h.v2 == "" {
		return "", errors.New("no cgroup version 2 is mounted")
	}
	var all error
	for _, base := range h.bases() {
		parent := filepath.Join(base, "lamina")
		folder := filepath.Join(parent, state)
		err := makeFolders(parent, folder)
		if err == nil {
			return folder, nil
		}
		all = errors.Join(all, err)
	}
	return "", all
}

// tryFreezer gives the freezer back when it works.
func tryFreezer(f freezer) freezer {
	folder := filepath.Join(f.parent, fmt.Sprintf("freezer-%d", os.Getpid()))
	if err := unix.Mkdir(folder, 0o755); err != nil {
		return freezer{}
	}
	defer removeFolder(folder)
	frozen, err := f.make(folder)
	if err != nil {
		return freezer{}
	}
	if setFrozen(frozen, true) != nil || setFrozen(frozen, false) != nil {
		return freezer{}
	}
	return f
}

// make makes what a sandbox freezes by, in its own folder, and gives the folder of that.
func (f freezer) make(folder string) (string, error) {
	if !f.v2 {
		return folder, nil
	}
	inner := filepath.Join(folder, running)
	if err := unix.Mkdir(inner, 0o755); err != nil {
		return "", &fs.PathError{Op: "mkdir", Path: inner, Err: err}
	}
	return inner, writeControl(filepath.Join(inner, "cgroup.type"), "threaded")
}

// entry is the file by which a thread goes in.
func (f freezer) entry(frozen string) string {
	if f.v2 {
		return filepath.Join(frozen, "cgroup.threads")
	}
	return filepath.Join(frozen, "tasks")
}

// control is the file by which a cgroup is frozen and thawed, of either version.
func (f freezer) control(frozen string) string {
	if f.v2 {
		return filepath.Join(frozen, "cgroup.freeze")
	}
	return filepath.Join(frozen, "freezer.state")
}

// word is what the file takes. It does not wait until all have stopped.
func (f freezer) word(on bool) []byte {
	switch {
	case f.v2 && on:
		return []byte("1")
	case f.v2:
		return []byte("0")
	case on:
		return []byte("FROZEN")
	}
	return []byte("THAWED")
}

// setFrozen freezes or thaws a cgroup of either version, whose freezer is not known.
func setFrozen(folder string, on bool) error {
	f := freezer{v2: true}
	err := writeControl(f.control(folder), string(f.word(on)))
	if errors.Is(err, fs.ErrNotExist) {
		f.v2 = false
		err = writeControl(f.control(folder), string(f.word(on)))
	}
	return err
}

// thawer is the open file by which a frozen cgroup is thawed: that must be possible when the process may open no more.
type thawer struct {
	mu   sync.Mutex
	fd   int
	open bool
}

// freeze stops what runs in the sandbox.
func (g *group) freeze() error {
	if g.frozen == "" {
		return errors.ErrUnsupported
	}
	t := &g.thawer
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.open {
		fd, err := unix.Open(g.cgroups.freezer.control(g.frozen), unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("cannot freeze a sandbox: %w", &fs.PathError{Op: "open", Path: g.frozen, Err: err})
		}
		t.fd, t.open = fd, true
	}
	if _, err := unix.Write(t.fd, g.cgroups.freezer.word(true)); err != nil {
		return fmt.Errorf("cannot freeze a sandbox: %w", err)
	}
	return nil
}

// thaw lets it go on, and lets go of the file.
func (g *group) thaw() error {
	t := &g.thawer
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.open {
		return nil // it never froze
	}
	_, err := unix.Write(t.fd, g.cgroups.freezer.word(false))
	if err != nil && err != unix.ENODEV { // ENODEV: the cgroup is gone
		return fmt.Errorf("cannot thaw a sandbox: %w", err)
	}
	t.close()
	return nil
}

// close lets go of the file. The caller holds mu.
func (t *thawer) close() {
	if t.open {
		unix.Close(t.fd)
		t.open = false
	}
}

// thawers opens the files by which the helper thaws a cgroup of version 1.
func (g *group) thawers() ([]int, error) {
	if g.frozen == "" || g.cgroups.freezer.v2 {
		return nil, nil
	}
	fd, err := unix.Open(filepath.Join(g.frozen, "freezer.state"), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot open a freezer: %w", err)
	}
	return []int{fd}, nil
}

// Freezes reports whether sandboxes can be frozen here.
func (d *Driver) Freezes() bool { return d.cgroups.freezer.parent != "" }

// Freeze implements sandbox.Sandbox.
func (b *box) Freeze() error {
	s, err := b.helper()
	if err != nil {
		return err
	}
	b.frozen.Store(true)
	if b.spawned.Swap(false) {
		b.settle(s)
	}
	return s.group.freeze()
}

// settleTime is how long a helper may take to say that it waits.
const settleTime = time.Second

// settle waits until the helper's thread that starts processes, which a freeze stops too, has nothing to do: what it holds, the
// others need in order to hear that the server is gone. It answers Spawn before it waits, and others answer this.
func (b *box) settle(s *started) {
	ctx, cancel := context.WithTimeout(b.alive, settleTime)
	defer cancel()
	a, _ := s.conn.call(ctx, initproto.VerbStatus, nil, nil, &request{})
	a.close()
}

// Thaw implements sandbox.Sandbox.
func (b *box) Thaw() error {
	if !b.frozen.CompareAndSwap(true, false) {
		return nil
	}
	s, err := b.helper()
	if err != nil {
		return err
	}
	return s.group.thaw()
}

// helper gives the helper of a sandbox that stands.
func (b *box) helper() (*started, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || b.started == nil {
		return nil, errEnded
	}
	return b.started, nil
}
