package node

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/sandbox"
)

// runtimeFiles is what a sandbox sees in /var/runtime: our side of the Runtime API, in JavaScript.
//
//go:embed runtime
var runtimeFiles embed.FS

// runtimeDigest changes with every byte of the bootstrap.
var runtimeDigest = sync.OnceValues(func() (digest.Digest, error) {
	var all []byte
	err := eachRuntimeFile(func(name string, b []byte) error {
		all = fmt.Appendf(all, "%s %s\n", name, digest.Of(b))
		return nil
	})
	return digest.Of(all), err
})

func eachRuntimeFile(f func(name string, b []byte) error) error {
	return fs.WalkDir(runtimeFiles, "runtime", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := runtimeFiles.ReadFile(name)
		if err != nil {
			return err
		}
		return f(name[len("runtime/"):], b)
	})
}

// certificates is where a sandbox has the host's certificate authorities; on AWS they are a file of the runtime.
const certificates = "/etc/pki/tls/certs/ca-bundle.crt"

// Runtime gives the folder of the bootstrap, which is made once and never changed after that. A folder with its final name
// is complete.
func (h *Host) Runtime() (string, error) {
	d, err := runtimeDigest()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(h.dir, "bootstraps", d.Hex()[:16])
	if isDir(dir) {
		return dir, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	removeStale(filepath.Join(filepath.Dir(dir), ".new-*"))
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := writeRuntime(tmp); err != nil {
		return "", err
	}
	if err := syncDisk(tmp); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, dir); err != nil && !isDir(dir) { // another process may have been faster
		return "", err
	}
	return dir, nil
}

// syncDisk moves everything on a folder's file system to the disk: a tree that has its name is taken for whole ever after, also
// when a power failure came right behind.
func syncDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// staleAge is when a half-made folder can only be what a killed process left.
const staleAge = 24 * time.Hour

// removeStale removes half-made folders that killed processes left. What cannot be removed stays: it is in nobody's way.
func removeStale(pattern string) {
	found, _ := filepath.Glob(pattern)
	for _, dir := range found {
		if st, err := os.Stat(dir); err == nil && time.Since(st.ModTime()) > staleAge {
			os.RemoveAll(dir)
		}
	}
}

// writeRuntime writes the bootstrap's files into a folder, for every user to read.
func writeRuntime(dir string) error {
	err := eachRuntimeFile(func(name string, b []byte) error {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if path.Base(name) == "bootstrap" {
			mode = 0o755
		}
		return os.WriteFile(file, b, mode)
	})
	if err != nil {
		return err
	}
	if err := os.Symlink(certificates, filepath.Join(dir, "ca-cert.pem")); err != nil {
		return err
	}
	return worldReadable(dir)
}

// worldReadable opens a tree to every user: the sandbox's is not ours, and the umask may be strict.
func worldReadable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		mode := st.Mode().Perm() | 0o444
		if st.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

// Mounts show an interpreter at AWS's places, with the bootstrap in the folder runtime and the SDK in the folder sdk, if any.
func Mounts(in Interpreter, runtime, sdk string) []sandbox.Mount {
	lowers := []string{runtime}
	if sdk != "" {
		lowers = append(lowers, sdk)
	}
	mounts := []sandbox.Mount{
		{Target: "/var/lang/bin/node", Bind: in.Path},
		{Target: "/var/runtime", Overlay: lowers},
	}
	return append(mounts, hidden(in)...)
}

// distribution are the folders of packages that a distribution installs for every program, and which its node searches.
var distribution = []string{"/usr/lib/nodejs", "/usr/share/nodejs"}

// hidden masks the host's packages: a function that finds one here would not find it on AWS. A distribution's own node is
// partly made of them and needs them.
func hidden(in Interpreter) []sandbox.Mount {
	if in.split() {
		return nil
	}
	var mounts []sandbox.Mount
	for _, dir := range distribution {
		if isDir(dir) {
			mounts = append(mounts, sandbox.Mount{Target: dir, Empty: true})
		}
	}
	return mounts
}
