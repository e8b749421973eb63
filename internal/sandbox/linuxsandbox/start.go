package linuxsandbox

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// environment keeps the helper's Go runtime small: one thread for Go code, and no collection of garbage before there is a
// megabyte, which most helpers never have. What the first one needs for itself is more than it would find.
var environment = []string{"GOMAXPROCS=1", "GOGC=25"}

// started is a running helper: a sandbox without a name yet.
type started struct {
	identity identity
	group    *group
	tmp      *disk // nil: /tmp is memory
	process  *os.Process
	conn     *conn
	gone     chan struct{} // closed when the helper is reaped: then the kernel has killed all that it held

	mu    sync.Mutex
	over  bool
	ended func() // called once, before gone is closed
}

// start clones a helper, with its cgroup. It does not wait for its Hello. Where subordinate IDs cannot be given out after
// all, sandboxes do without from then on.
func (d *Driver) start(name string, id identity) (*started, error) {
	s, err := d.startAs(name, id)
	if !errors.Is(err, errSubordinate) || !d.ids.giveUp(err) {
		return s, err
	}
	d.log.Warn("sandboxes have one user ID only", "error", err)
	return d.startAs(name, identity{})
}

func (d *Driver) startAs(name string, id identity) (*started, error) {
	g, err := d.cgroups.create(name)
	if err != nil {
		return nil, err
	}
	s, err := d.startIn(g, id)
	if err != nil {
		g.remove()
	}
	return s, err
}

func (d *Driver) startIn(g *group, id identity) (*started, error) {
	ours, theirs, err := controlSocket()
	if err != nil {
		return nil, err
	}
	defer ours.Close()
	defer theirs.Close()
	null, err := openNull()
	if err != nil {
		return nil, err
	}
	defer null.Close()
	home, err := g.home()
	if err != nil {
		return nil, fmt.Errorf("cannot open a cgroup: %w", err)
	}
	attr := &syscall.SysProcAttr{Setsid: true}
	if home >= 0 {
		defer unix.Close(home)
		attr.UseCgroupFD, attr.CgroupFD = true, home
	}
	p, err := d.program.start(id, d.cgroups.pids.v2, ours, &os.ProcAttr{
		Env: environment,
		// What the helper has to say beside its socket is a crash of its own.
		Files: []*os.File{null, null, os.Stderr, theirs},
		Sys:   attr,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot start the sandbox helper in new namespaces: %w", rootCause(err))
	}
	c, err := d.attend(p, id, g, ours)
	if err != nil {
		p.Kill()
		p.Wait()
		return nil, err
	}
	s := &started{identity: id, group: g, process: p, conn: c, gone: make(chan struct{})}
	go s.run(d.log)
	return s, nil
}

// openNull goes around os.OpenFile, which would ask the poller about it.
func openNull() (*os.File, error) {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	return os.NewFile(uintptr(fd), os.DevNull), nil
}

// attend does what a helper that is on its way will need, beside its start: making cgroups would hold up its clone, since
// the kernel does one of these at a time.
func (d *Driver) attend(p *os.Process, id identity, g *group, ours *os.File) (*conn, error) {
	c, err := newConn(ours)
	if err != nil {
		return nil, err
	}
	if err = d.mapIDs(p.Pid, id, c); err == nil {
		err = g.finish()
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// mapIDs gives a helper its IDs, if it waits for them.
func (d *Driver) mapIDs(pid int, id identity, c *conn) error {
	if !id.split() {
		return nil
	}
	shared, why := d.ids.shared()
	if shared == nil {
		return why // another start has found out
	}
	if err := shared.mapIDs(pid, id); err != nil {
		return err
	}
	return c.send(initproto.VerbIDs, 0, nil, nil)
}

// rootCause leaves out the path, which names a descriptor.
func rootCause(err error) error {
	if errno, ok := err.(*os.PathError); ok {
		return errno.Err
	}
	return err
}

// run lives as long as the helper.
func (s *started) run(log *slog.Logger) {
	defer close(s.gone)
	s.conn.read()
	if err := s.group.thaw(); err != nil {
		log.Error("cannot thaw a sandbox that ends", "error", err)
	}
	s.process.Kill()
	s.mu.Lock()
	tmp := s.tmp
	s.mu.Unlock()
	var beside sync.WaitGroup
	if tmp != nil {
		beside.Go(tmp.abandon)
	}
	// It returns when the PID namespace is empty. Nobody else waits for this child: without this call the kernel would
	// keep the zombie and the namespace.
	s.process.Wait()
	beside.Wait()
	if tmp != nil {
		tmp.close()
	}
	if err := s.group.remove(); err != nil {
		log.Error("cannot remove the cgroup of a sandbox", "error", err)
	}
	s.mu.Lock()
	ended := s.ended
	s.over = true
	s.mu.Unlock()
	if ended != nil {
		ended()
	}
}

// whenEnded sets what happens at the end; false when that has passed.
func (s *started) whenEnded(f func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return false
	}
	s.ended = f
	return true
}

// userNamespace opens the helper's user namespace.
func (s *started) userNamespace() (int, error) {
	return unix.Open(fmt.Sprintf("/proc/%d/ns/user", s.process.Pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

// idmap is a descriptor of a user namespace with whose IDs trees are shown.
type idmap int

const noIDMap idmap = -1

// idmap opens the namespace whose IDs the sandbox sees, if those are not the host's.
func (s *started) idmap() (idmap, error) {
	if !s.identity.mapped() {
		return noIDMap, nil
	}
	fd, err := s.userNamespace()
	if err != nil {
		return noIDMap, fmt.Errorf("cannot open the user namespace: %w", err)
	}
	return idmap(fd), nil
}

func (m idmap) close() {
	if m != noIDMap {
		unix.Close(int(m))
	}
}

// stop ends a helper and waits.
func (s *started) stop() {
	s.conn.close()
	<-s.gone
}
