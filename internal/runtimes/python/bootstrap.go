package python

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/laminadev/lamina/internal/digest"
)

// runtimeFiles is what a sandbox sees in /var/runtime: our side of the Runtime API, in python.
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

// writeRuntime writes the bootstrap's files into a folder.
func writeRuntime(dir string) error {
	return eachRuntimeFile(func(name string, b []byte) error {
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
}
