package runtimes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/laminadev/lamina/internal/sandbox"
)

// DefaultRoot gives the root file system of every sandbox: the programs and libraries of the host's /usr, and an /etc of
// our own. Nothing of the host's /usr/local, /home, /root, /var or /opt is shown, nor the python packages that its package
// manager installed. A runtime's Mounts, the function's code, the layers, /tmp, /proc and /dev are not part of it.
func DefaultRoot() []sandbox.Mount { return slices.Clone(defaultRoot()) }

// defaultRoot looks at the host once: mounts name folders, so what changes in them is seen.
var defaultRoot = sync.OnceValue(func() []sandbox.Mount { return Root("/") })

// Root is DefaultRoot for a host whose files are below dir.
func Root(dir string) []sandbox.Mount {
	h := host(dir)
	var mounts []sandbox.Mount
	mounts = append(mounts, h.usr()...)
	mounts = append(mounts, h.topLinks()...)
	mounts = append(mounts, h.masks()...)
	return append(mounts, h.etc()...)
}

// host is the folder that holds the host's files, "/".
type host string

func (h host) path(p string) string { return filepath.Join(string(h), p) }

func (h host) exists(p string) bool {
	_, err := os.Stat(h.path(p))
	return err == nil
}

// link gives where a symbolic link leads, "" when p is none.
func (h host) link(p string) string {
	to, err := os.Readlink(h.path(p))
	if err != nil {
		return ""
	}
	return to
}

func (h host) bind(target string) sandbox.Mount {
	return sandbox.Mount{Target: target, Bind: h.path(target), Optional: true}
}

// multiarch is Debian's folder of libraries for this machine's architecture, "" on systems without one.
func (h host) multiarch() string {
	for _, name := range []string{"x86_64-linux-gnu", "aarch64-linux-gnu"} {
		if h.exists("/usr/lib/" + name + "/libc.so.6") {
			return "/usr/lib/" + name
		}
	}
	return ""
}

// usr shows the parts of /usr. AWS's library path names /lib64 and /usr/lib64; on Debian the libraries are in a folder of
// their own, which is shown as /usr/lib64 too, or a layer's /opt/lib would win over the system.
func (h host) usr() []sandbox.Mount {
	mounts := []sandbox.Mount{h.bind("/usr/bin"), h.bind("/usr/lib")}
	for _, p := range []string{"/usr/libexec", "/usr/share", "/usr/sbin"} {
		if to := h.link(p); to != "" {
			mounts = append(mounts, sandbox.Mount{Target: p, Link: to})
		} else if h.exists(p) {
			mounts = append(mounts, h.bind(p))
		}
	}
	if arch := h.multiarch(); arch != "" {
		return append(mounts, h.lib64(arch))
	}
	if to := h.link("/usr/lib64"); to != "" {
		return append(mounts, sandbox.Mount{Target: "/usr/lib64", Link: to})
	}
	if h.exists("/usr/lib64") {
		return append(mounts, h.bind("/usr/lib64"))
	}
	return mounts
}

// lib64 shows a multiarch folder as /usr/lib64. Programs name their loader by a path in /lib64; where the folder does not
// have it, what /usr/lib64 holds on the host is shown below it.
func (h host) lib64(arch string) sandbox.Mount {
	for _, loader := range h.loaders() {
		if !h.exists(filepath.Join(arch, loader)) {
			return sandbox.Mount{Target: "/usr/lib64", Overlay: []string{h.path(arch), h.path("/usr/lib64")}}
		}
	}
	return sandbox.Mount{Target: "/usr/lib64", Bind: h.path(arch)}
}

func (h host) loaders() []string {
	found, _ := filepath.Glob(h.path("/usr/lib64/ld-linux*"))
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return found
}

// topLinks are /bin, /lib, /lib64 and /sbin: links into /usr on nearly every system, folders on old ones.
func (h host) topLinks() []sandbox.Mount {
	var mounts []sandbox.Mount
	for _, p := range []string{"/bin", "/lib", "/sbin"} {
		if h.link(p) == "" && h.exists(p) {
			mounts = append(mounts, h.bind(p))
		} else if h.exists(p) {
			mounts = append(mounts, sandbox.Mount{Target: p, Link: "usr" + p})
		}
	}
	if h.link("/lib64") == "" && h.exists("/lib64") {
		lib64 := h.bind("/lib64")
		if arch := h.multiarch(); arch != "" {
			lib64 = sandbox.Mount{Target: "/lib64", Overlay: []string{h.path("/lib64"), h.path(arch)}}
		}
		return append(mounts, lib64)
	}
	return append(mounts, sandbox.Mount{Target: "/lib64", Link: "usr/lib64"})
}

// masks hide the python packages of the host's package manager. (A managed python does not look there; a bootstrap of the
// user's own may start the host's.)
func (h host) masks() []sandbox.Mount {
	var mounts []sandbox.Mount
	for _, pattern := range []string{"/usr/lib/python3*/*-packages", "/usr/lib64/python3*/*-packages"} {
		found, _ := filepath.Glob(h.path(pattern))
		for _, dir := range found {
			if st, err := os.Lstat(dir); err == nil && st.IsDir() {
				mounts = append(mounts, sandbox.Mount{Target: "/" + strings.Trim(strings.TrimPrefix(dir, string(h)), "/"), Empty: true})
			}
		}
	}
	return mounts
}
