package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// interpreter is the newest Python that lamina finds here.
type interpreter struct{ runtime, path string }

func newestPython() (interpreter, error) {
	data, err := os.MkdirTemp("", "lamina-bench-")
	if err != nil {
		return interpreter{}, err
	}
	defer os.RemoveAll(data)
	out, err := exec.Command("bin/lamina", "runtime", "list", "--data", data).Output()
	if err != nil {
		return interpreter{}, fmt.Errorf("cannot list the runtimes (make build first): %w", err)
	}
	var newest interpreter
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) > 1 && strings.HasPrefix(f[0], "python3.") && exec.Command(f[len(f)-1], "-m", "pip", "--version").Run() == nil {
			newest = interpreter{f[0], f[len(f)-1]}
		}
	}
	if newest.path == "" {
		return newest, fmt.Errorf("lamina finds no Python with pip here")
	}
	return newest, nil
}

// bootstrapFolder is a copy of lamina's python runtime, compiled: what /var/runtime is.
func (b *bench) bootstrapFolder() (string, error) {
	dir := filepath.Join(b.work, "runtime")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(b.root, "internal/runtimes/python/runtime"))); err != nil {
		return "", err
	}
	return dir, b.compile(dir)
}

func (b *bench) compile(dir string) error {
	out, err := exec.Command(b.python.path, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot compile %s: %w\n%s", dir, err, out)
	}
	return nil
}

// handler writes a function's source into a folder of its own, compiled, and gives folder and zip.
func (b *bench) handler(name, source string) (dir string, zipped []byte, err error) {
	dir = filepath.Join(b.work, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "app.py"), []byte(source), 0o644); err != nil {
		return "", nil, err
	}
	if err := b.compile(dir); err != nil {
		return "", nil, err
	}
	zipped, err = zipFolder(dir)
	return dir, zipped, err
}

// bare runs the interpreter with the imports of our bootstrap and of the handler, calls the handler, and gives the time
// from its start to its end.
func (b *bench) bare(runtime, handler string, layers ...string) (time.Duration, error) {
	cmd := exec.Command(b.python.path, "-c", "from lamina_runtime import loop, lazy, paths, payload, client, context\nimport app\napp.handler({}, None)")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "PYTHONDONTWRITEBYTECODE=1",
		"PYTHONPATH=" + strings.Join(append([]string{runtime, handler}, layers...), ":")}
	began := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		return 0, fmt.Errorf("the bare interpreter: %w\n%s", err, out)
	}
	return took, nil
}

// layers gives the folders of the five layers of real packages, installed once and kept in .tools/.
func (b *bench) layers() ([]string, error) {
	lists, err := filepath.Glob(filepath.Join(b.root, "test/bench/layers/*.txt"))
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, list := range lists {
		dir := filepath.Join(b.root, ".tools/bench/layers", b.python.runtime, strings.TrimSuffix(filepath.Base(list), ".txt"))
		if err := b.install(list, dir); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	return dirs, nil
}

func (b *bench) install(list, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, ".made")); err == nil {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	cmd := exec.Command(b.python.path, "-m", "pip", "install", "-q", "--no-compile", "--require-hashes", "--only-binary=:all:",
		"--target", filepath.Join(dir, "python"), "-r", list)
	cmd.Env = append(os.Environ(), "PIP_ROOT_USER_ACTION=ignore")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot install %s: %w\n%s", list, err, out)
	}
	if err := b.compile(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ".made"), nil, 0o644)
}

func zipFolder(dir string) ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".made" {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: filepath.ToSlash(rel), Method: zip.Deflate, Modified: time.Unix(1_577_836_800, 0)})
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		_, err = f.Write(b)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = w.Close()
	return buf.Bytes(), err
}
