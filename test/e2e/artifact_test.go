package e2e_test

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// makeArtifacts builds what the examples publish, for one Python: layers by the host's pip, the Go function, the service
// that the URL shortener calls. Layers are kept in .tools/ until their sources change.
func (e *env) makeArtifacts(p python) (string, error) {
	dir := filepath.Join(e.root, ".tools", "e2e", p.runtime)
	if os.Getenv(asUser) != "" {
		return dir, nil // root made them
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, l := range []struct {
		name, requirements string
		extra              string // a folder whose files lie beside the packages
	}{
		{"url-shortener", "url-shortener/requirements.txt", ""},
		{"auth-layer", "auth-layer/requirements.txt", "auth-layer/layer"},
		{"common", "three-layers/requirements.txt", ""},
	} {
		if err := e.pipLayer(p, filepath.Join(dir, l.name+".zip"), l.requirements, l.extra); err != nil {
			return "", fmt.Errorf("cannot build the layer %s: %w", l.name, err)
		}
	}
	if err := goBuild(e.root, filepath.Join(e.examples, "go-function"), filepath.Join(dir, "go-function", "bootstrap"), "-tags=lambda.norpc", "."); err != nil {
		return "", err
	}
	return dir, goBuild(e.root, e.root, filepath.Join(dir, "shortener-service"), "./examples/url-shortener/service")
}

// goBuild builds a program of the folder dir. It is put in place whole: another run of these tests may be reading it.
func goBuild(root, dir, out string, args ...string) error {
	whole := unfinished(root, out)
	defer os.Remove(whole)
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-o", whole}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", dir, err, b)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.Rename(whole, out)
}

// unfinished is where an artifact is made, outside of the folders that scripts read.
func unfinished(root, out string) string {
	return filepath.Join(root, ".tools", "e2e", fmt.Sprintf("%s-%d", filepath.Base(out), os.Getpid()))
}

// pipLayer builds the zip of a layer as a user would: pip into python/, then zip.
func (e *env) pipLayer(p python, out, requirements, extra string) error {
	requirements = filepath.Join(e.examples, requirements)
	sum, err := sumOf(p.path, requirements, extra, e.examples)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(out + ".sum"); err == nil && string(old) == sum && exists(out) {
		return nil
	}
	tmp, err := os.MkdirTemp("", "lamina-layer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	into := filepath.Join(tmp, "python")
	cmd := exec.Command(p.path, "-m", "pip", "install", "-q", "--no-compile", "--require-hashes", "--target", into, "-r", requirements)
	cmd.Env = append(os.Environ(), "PIP_ROOT_USER_ACTION=ignore")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd.Args, err, b)
	}
	if extra != "" {
		if err := os.CopyFS(into, os.DirFS(filepath.Join(e.examples, extra))); err != nil {
			return err
		}
	}
	whole := unfinished(e.root, out)
	defer os.Remove(whole)
	if err := zipFolder(whole, tmp); err != nil {
		return err
	}
	if err := os.Rename(whole, out); err != nil {
		return err
	}
	return os.WriteFile(out+".sum", []byte(sum), 0o644)
}

func sumOf(python, requirements, extra, examples string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, python)
	b, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	h.Write(b)
	if extra != "" {
		err = filepath.WalkDir(filepath.Join(examples, extra), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(p)
			fmt.Fprintln(h, p)
			h.Write(b)
			return err
		})
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// zipFolder writes what is in dir, with modes and links, as Info-ZIP does with -y.
func zipFolder(out, dir string) error {
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	w := zip.NewWriter(f)
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return zipFile(w, p, filepath.ToSlash(rel), d)
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}

func zipFile(w *zip.Writer, p, name string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	h, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	h.Name, h.Method = name, zip.Deflate
	if d.IsDir() {
		h.Name, h.Method = name+"/", zip.Store
	}
	entry, err := w.CreateHeader(h)
	if err != nil || d.IsDir() {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(p)
		if err != nil {
			return err
		}
		_, err = io.WriteString(entry, target)
		return err
	}
	b, err := os.Open(p)
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = io.Copy(entry, b)
	return err
}
