package layerstore

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/layer"
)

// setTime gives what dir holds by name the time of an entry.
func setTime(dir int, name string, e archive.Entry) error {
	t := unix.Timespec{Sec: layer.ModTime(e).Unix()}
	return failpoint.UtimesNanoAt("layerstore.time", dir, name, []unix.Timespec{t, t})
}

// openDir opens a directory below root, one component after the other, following no link.
func openDir(root int, path string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(root, ".", flags, 0)
	if err != nil || path == "" {
		return fd, err
	}
	for part := range strings.SplitSeq(path, "/") {
		next, err := unix.Openat(fd, part, flags, 0)
		unix.Close(fd)
		if err != nil {
			return -1, err
		}
		fd = next
	}
	return fd, nil
}

func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(0, i)], path[i+1:]
}
