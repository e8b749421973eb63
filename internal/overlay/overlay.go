// Package overlay makes one read-only overlayfs mount from ordered folders.
//
// It needs CAP_SYS_ADMIN in the user namespace that owns the current mount namespace. Extended attributes of the
// folders are not believed: inside a user namespace the kernel does not read trusted.overlay.*, and user.overlay.* is
// not asked for, so nothing in a layer can hide or redirect what lies below it. Device 0:0 files, which hide too, cannot
// come out of a zip.
package overlay

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// MinLayers is what overlayfs wants without an upper folder: add an empty folder at the end of the list.
const MinLayers = 2

// Mount gives a detached mount (a descriptor for move_mount; closing it unmounts) that shows the folders merged, the
// first one on top. It is read-only, without set-user-ID programs and devices. The folders must lie in the caller's
// mount namespace, and their paths must hold neither a colon nor a backslash.
func Mount(folders []string) (int, error) {
	if len(folders) < MinLayers {
		return -1, errors.New("an overlay needs two folders")
	}
	fs, err := unix.Fsopen("overlay", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	// The mount's source is what /proc/mounts shows; a fixed word tells nothing about the host.
	if err := unix.FsconfigSetString(fs, "source", "layers"); err != nil {
		return -1, err
	}
	if err := setLayers(fs, folders); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV)
}

// longestValue is how many bytes the kernel takes for one setting.
const longestValue = 255

// setLayers names the folders in one string, which every kernel takes, or one by one where that is too long. Kernels before
// 6.5 do not know the latter, and say so only when the mount is made.
func setLayers(fs int, folders []string) error {
	if all := strings.Join(folders, ":"); len(all) <= longestValue {
		return unix.FsconfigSetString(fs, "lowerdir", all)
	}
	for _, f := range folders {
		if err := unix.FsconfigSetString(fs, "lowerdir+", f); err != nil {
			return err
		}
	}
	return nil
}
