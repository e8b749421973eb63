package linuxsandbox

import (
	"errors"
	"fmt"
	"os"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// sendTmp adds the disk that was ordered as /tmp to the root. Without one the helper makes a tmpfs.
func (b *box) sendTmp(s *started, tmp *order, ns idmap) error {
	if ns == noIDMap {
		return nil
	}
	k, err := tmp.take(int(ns))
	if err != nil {
		if !errors.Is(err, errNoDisks) {
			b.driver.log.Warn("no disk for /tmp; it is memory", "sandbox", b.spec.ID, "error", err)
		}
		return nil
	}
	defer b.driver.disks.fill(k.bytes)
	if err := s.hold(k); err != nil {
		k.close()
		return err
	}
	var root rootPlan
	defer root.close()
	root.add(initproto.Mount{Kind: initproto.MountTmp, Target: "/tmp", Descriptors: 1}, []int{k.give()})
	return s.sendMounts(&root)
}

// hold keeps a disk until the end. A sandbox has one.
func (s *started) hold(k *disk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return errEnded
	}
	if s.tmp != nil {
		return errors.New("it has a /tmp")
	}
	s.tmp = k
	return nil
}

// probeTmp makes a disk.
func (d *Driver) probeTmp() sandbox.Finding {
	f := sandbox.Finding{Name: "disk for /tmp", Degrade: "/tmp is memory of the configured size, and counts where memory is limited by a cgroup"}
	switch {
	case !d.ids.mapped:
		f.Detail = fmt.Sprintf("user %d may not mount one", os.Geteuid())
		f.Fix = "run lamina as root"
		return f
	case d.disks.mkfs == "":
		f.Detail = "there is no mkfs.ext4"
		f.Fix = "apt-get install e2fsprogs"
		return f
	}
	k, err := d.disks.make(leastDisk)
	if err != nil {
		f.Detail = err.Error()
		return f
	}
	k.close()
	return sandbox.Finding{Name: f.Name, OK: true, Detail: "an ext4 file system on a loop device, in " + d.state}
}
