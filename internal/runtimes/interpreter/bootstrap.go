package interpreter

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/laminadev/lamina/internal/digest"
)

// Bootstrap is our side of the Runtime API in one language: what a sandbox sees in /var/runtime. Files holds it in the folder
// "runtime", as it was embedded.
type Bootstrap struct{ Files fs.FS }

// Digest changes with every name and byte of the files.
func (b Bootstrap) Digest() (digest.Digest, error) {
	var all []byte
	err := b.each(func(name string, content []byte) error {
		all = fmt.Appendf(all, "%s %s\n", name, digest.Of(content))
		return nil
	})
	return digest.Of(all), err
}

// Write writes the files into a folder. The one that AWS calls bootstrap can be run.
func (b Bootstrap) Write(dir string) error {
	return b.each(func(name string, content []byte) error {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if path.Base(name) == "bootstrap" {
			mode = 0o755
		}
		return os.WriteFile(file, content, mode)
	})
}

// each visits the files in the order of their names, which are relative to the folder.
func (b Bootstrap) each(visit func(name string, content []byte) error) error {
	files, err := fs.Sub(b.Files, "runtime")
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return visit(name, content)
	})
}
