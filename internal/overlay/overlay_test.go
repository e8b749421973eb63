package overlay_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/overlay"
)

func TestMountNeedsTwo(t *testing.T) {
	if _, err := overlay.Mount([]string{t.TempDir()}); err == nil {
		t.Error("one folder: no error")
	}
}

func TestMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root here; sandboxtest does it in a user namespace")
	}
	for name, below := range map[string]string{"short": "", "too long for one setting": strings.Repeat("x", 200)} {
		t.Run(name, func(t *testing.T) { testMount(t, below) })
	}
}

// testMount merges folders whose paths have below in them.
func testMount(t *testing.T, below string) {
	var layers []string
	for _, name := range []string{"top", "middle", "bottom"} {
		dir := filepath.Join(t.TempDir(), below)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{"same", name} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		layers = append(layers, dir)
	}
	fd, err := overlay.Mount(layers)
	if err == unix.EINVAL && below != "" {
		t.Skip("NOT RUN: this kernel is older than 6.5")
	}
	if err != nil {
		t.Fatal(err)
	}
	shown := os.NewFile(uintptr(fd), "overlay")
	defer shown.Close()
	for name, want := range map[string]string{"same": "top", "middle": "middle", "bottom": "bottom"} {
		if got := readAt(t, fd, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, err := unix.Openat(fd, "new", unix.O_CREAT|unix.O_WRONLY, 0o644); err != unix.EROFS {
		t.Errorf("writing: %v", err)
	}
	runtime.KeepAlive(shown)
}

func readAt(t *testing.T, dir int, name string) string {
	t.Helper()
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var b [100]byte
	n, err := unix.Read(fd, b[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}
