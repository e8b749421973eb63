package linuxsandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/egress"
	"github.com/laminadev/lamina/internal/sandbox"
)

// Probe implements sandbox.Driver. It makes what a sandbox needs, from the simplest on, and a whole sandbox at the end.
func (d *Driver) Probe(ctx context.Context) []sandbox.Finding {
	list := []sandbox.Finding{
		d.probeNamespaces("user namespace", unix.CLONE_NEWUSER),
		d.probeNamespaces("network namespace", unix.CLONE_NEWUSER|unix.CLONE_NEWNET),
	}
	list = append(list, d.probeSandbox(ctx)...)
	return append(list,
		d.probeIDs(),
		d.probeMemory(),
		d.probeProcesses(),
		d.probeCPU(),
		d.probeFreezer(),
		d.probeTmp(),
		d.probeOutside(ctx),
		d.probeHelper(),
	)
}

// probeNamespaces starts the helper in some namespaces, where it sees that it is not PID 1 and ends.
func (d *Driver) probeNamespaces(name string, flags uintptr) sandbox.Finding {
	f := sandbox.Finding{Name: name}
	attr := &syscall.SysProcAttr{}
	d.ids.first().setNamespaces(attr)
	attr.Cloneflags = flags
	p, err := d.program.run(nil, &os.ProcAttr{Env: environment, Sys: attr})
	if err != nil {
		f.Detail = fmt.Sprintf("starting a process in a new one failed: %v", rootCause(err))
		f.Fix = namespaceFix()
		return f
	}
	p.Wait()
	f.OK, f.Detail = true, "a process started in a new one"
	return f
}

// probeSandbox makes a sandbox of nothing, then one with an overlay.
func (d *Driver) probeSandbox(ctx context.Context) []sandbox.Finding {
	whole := sandbox.Finding{Name: "sandbox", OK: true, Detail: "a root of its own, /proc, /dev, /tmp, no privileges, a system call filter"}
	if err := d.try(ctx, nil); err != nil {
		whole.OK, whole.Detail, whole.Fix = false, err.Error(), sandboxFix(err)
		return []sandbox.Finding{whole}
	}
	layers := sandbox.Finding{Name: "overlay", OK: true, Detail: "two folders were shown merged"}
	if err := d.tryOverlay(ctx); err != nil {
		layers.OK, layers.Detail = false, err.Error()
		layers.Fix = "put the data folder on ext4, xfs or btrfs, with Linux 5.11 or newer"
	}
	return []sandbox.Finding{whole, layers}
}

func (d *Driver) try(ctx context.Context, root []sandbox.Mount) error {
	return d.tryWith(ctx, root, nil)
}

func (d *Driver) tryWith(ctx context.Context, root []sandbox.Mount, outside *egress.Policy) error {
	s, err := d.create(ctx, sandbox.Spec{ID: probeName(), Root: root, TmpSize: 1 << 20}, outside)
	if err != nil {
		return err
	}
	return s.Close()
}

func (d *Driver) tryOverlay(ctx context.Context) error {
	dir, err := os.MkdirTemp(d.state, "probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var layers []string
	for _, name := range []string{"first", "second"} {
		layer := filepath.Join(dir, name)
		if err := os.Mkdir(layer, 0o755); err != nil {
			return err
		}
		layers = append(layers, layer)
	}
	return d.try(ctx, []sandbox.Mount{{Target: "/opt", Overlay: layers}})
}

// probeIDs says whose files a sandbox sees, after the probes before it have made one: as root it shows the state folder,
// which lies beside the trees, with other IDs.
func (d *Driver) probeIDs() sandbox.Finding {
	f := sandbox.Finding{Name: "user IDs"}
	if shared, why := d.ids.shared(); shared != nil {
		f.OK = true
		f.Detail = fmt.Sprintf("your files are root's in sandboxes, and functions have subordinate IDs, from %d down", shared.uids.first+shared.uids.count-1)
		return f
	} else if !d.ids.mapped {
		f.Detail = fmt.Sprintf("user %d has no subordinate IDs to give out: %v", os.Geteuid(), why)
		f.Degrade = "a sandbox has one user, who is you outside: the modes of your own files in layers are not enforced"
		f.Fix = "sudo apt-get install uidmap && sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"
		if os.Geteuid() == 0 {
			f.Detail = "this root may not mount, or has no ranges of user IDs to give away"
			f.Fix = "docker run --cap-add SYS_ADMIN …"
		}
		return f
	}
	if err := d.tryIDMap(); err != nil {
		f.Detail = fmt.Sprintf("the file system of %s: %v", d.state, err)
		f.Degrade = "files in layers belong to nobody, and those that only root may read cannot be read"
		f.Fix = "put the data folder on ext4, xfs or btrfs, with Linux 5.12 or newer"
		return f
	}
	f.OK, f.Detail = true, "root's files are the sandbox's root's"
	return f
}

func (d *Driver) tryIDMap() error {
	s, err := d.start(probeName(), d.ids.first())
	if err != nil {
		return err
	}
	defer s.stop()
	ns, err := s.userNamespace()
	if err != nil {
		return err
	}
	defer unix.Close(ns)
	fd, err := unix.OpenTree(unix.AT_FDCWD, d.state, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns)})
}

// probeName names a sandbox or cgroup that a probe makes.
func probeName() string { return fmt.Sprintf("probe-%d", os.Getpid()) }

func (d *Driver) probeMemory() sandbox.Finding {
	f := sandbox.Finding{Name: "memory limit"}
	if d.cgroups.memory.folder != "" {
		f.OK, f.Detail = true, d.cgroups.memory.describe()
		return f
	}
	f.Detail = d.cgroups.reason()
	f.Degrade = fmt.Sprintf("memory is looked at every %v, and a sandbox with too much is killed", sampleEvery)
	f.Fix = cgroupFix()
	return f
}

func (d *Driver) probeProcesses() sandbox.Finding {
	f := sandbox.Finding{Name: "process limit"}
	if d.cgroups.pids.folder != "" {
		f.OK, f.Detail = true, d.cgroups.pids.describe()
		return f
	}
	f.Detail = d.cgroups.reason()
	f.Degrade = "processes are limited by RLIMIT_NPROC alone, which counts one sandbox at a time from Linux 5.14 on"
	f.Fix = cgroupFix()
	return f
}

func (d *Driver) probeFreezer() sandbox.Finding {
	f := sandbox.Finding{Name: "freezer"}
	if !d.Freezes() {
		f.Detail = "no cgroup of either version can be frozen by this user"
		f.Degrade = "what a function does in the background goes on between its invocations"
		f.Fix = cgroupFix()
		return f
	}
	version := "1"
	if d.cgroups.freezer.v2 {
		version = "2"
	}
	f.OK, f.Detail = true, "cgroup version "+version+", "+d.cgroups.freezer.parent
	return f
}

func (d *Driver) probeHelper() sandbox.Finding {
	f := sandbox.Finding{Name: "helper", OK: true, Detail: d.program.source}
	if d.program.small {
		return f
	}
	f.OK = false
	f.Degrade = "sandboxes start some milliseconds later, and each takes some megabytes more"
	f.Fix = "make build"
	return f
}

// cgroupFix says how to get cgroups to divide.
func cgroupFix() string {
	_, err := os.Stat("/run/systemd/system")
	return cgroupFixWhere(err == nil, os.Geteuid() == 0)
}

// cgroupFixWhere: systemd gives cgroups away, where it runs.
func cgroupFixWhere(systemd, root bool) string {
	switch {
	case systemd && root:
		return "systemd-run --scope -p Delegate=yes lamina serve"
	case systemd:
		return "systemd-run --user --scope -p Delegate=yes lamina serve"
	case root:
		return "mount -o remount,rw /sys/fs/cgroup"
	}
	return "run lamina as root"
}

func (p place) describe() string {
	if p.v2 {
		return "cgroup version 2, " + p.folder
	}
	return "cgroup version 1, " + p.folder
}

func (c *cgroups) reason() string {
	if c.why == nil {
		return "no cgroup controller"
	}
	return strings.ReplaceAll(c.why.Error(), "\n", "; ")
}

// namespaceFix reads the settings that forbid user namespaces.
func namespaceFix() string {
	for _, s := range []struct{ name, forbids, allows string }{
		{"kernel/unprivileged_userns_clone", "0", "1"},
		{"kernel/apparmor_restrict_unprivileged_userns", "1", "0"},
		{"user/max_user_namespaces", "0", "15000"},
		{"user/max_net_namespaces", "0", "15000"},
	} {
		data, err := os.ReadFile("/proc/sys/" + s.name)
		if err == nil && strings.TrimSpace(string(data)) == s.forbids {
			return fmt.Sprintf("sudo sysctl -w %s=%s", strings.ReplaceAll(s.name, "/", "."), s.allows)
		}
	}
	if inContainer() {
		return containerFix
	}
	return ""
}

const containerFix = "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …"

// sandboxFix tells what usually keeps mounts from being made in a new user namespace: a container that hides parts of
// /proc, or AppArmor, which allows the namespace and then nothing in it.
func sandboxFix(err error) string {
	if inContainer() {
		return containerFix
	}
	if errors.Is(err, fs.ErrPermission) {
		return namespaceFix()
	}
	return ""
}

func inContainer() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}
