package node

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

//go:embed packages.txt
var packagesFile string

// Package is a package of the npm registry that holds a node for this machine.
type Package struct {
	Name      string
	Version   string // also of the node
	Integrity string // "sha512-" and the hash in base64, of the package's file
}

// PackageOf gives the pinned package of a major.
func PackageOf(major int) (Package, error) {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	for line := range strings.Lines(packagesFile) {
		var p Package
		if n, _ := fmt.Sscan(line, &p.Name, &p.Version, &p.Integrity); n != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		if p.Name == "node-linux-"+arch && strings.HasPrefix(p.Version, fmt.Sprint(major)+".") {
			return p, nil
		}
	}
	return Package{}, fmt.Errorf("no package with node %d is known for %s", major, runtime.GOARCH)
}

// Fetch fills dir with the node of a package: bin/node and its licence. It fails when the package's file is not the pinned
// one, byte for byte.
func (h *Host) Fetch(ctx context.Context, p Package, dir string, progress io.Writer) error {
	n, err := h.findNPM()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "lamina-node-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	fmt.Fprintf(progress, "fetching %s %s with %s\n", p.Name, p.Version, n.path)
	if err := n.run(ctx, work, progress, "pack", p.Name+"@"+p.Version, "--pack-destination", work); err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(work, p.Name+"-"+p.Version+".tgz"))
	if err != nil {
		return err
	}
	if err := p.verify(b); err != nil {
		return err
	}
	if err := unpack(b, dir); err != nil {
		return fmt.Errorf("cannot unpack %s %s: %w", p.Name, p.Version, err)
	}
	in, err := Look(ctx, filepath.Join(dir, "bin/node"))
	if err != nil {
		return err
	}
	if in.Version != p.Version {
		return fmt.Errorf("the package %s %s holds node %s", p.Name, p.Version, in.Version)
	}
	return tidy(dir)
}

// verify compares a package's file with the pin.
func (p Package) verify(b []byte) error {
	sum := sha512.Sum512(b)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return fmt.Errorf("the registry's %s %s is not the pinned one: its integrity is %s, not %s", p.Name, p.Version, got, p.Integrity)
	}
	return nil
}

// wanted are the files of a package that are kept, and where.
var wanted = map[string]string{"package/bin/node": "bin/node", "package/LICENSE": "LICENSE"}

func unpack(b []byte, dir string) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		return err
	}
	for t := tar.NewReader(z); ; {
		head, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		to, ok := wanted[head.Name]
		if !ok || head.Typeflag != tar.TypeReg {
			continue
		}
		mode := fs.FileMode(0o644)
		if to == "bin/node" {
			mode = 0o755
		}
		f, err := os.OpenFile(filepath.Join(dir, to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, t)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
}

// tidy makes what was installed the same to the byte and readable for everybody: one fixed time for every file.
func tidy(dir string) error {
	if err := interpreter.WorldReadable(dir); err != nil {
		return err
	}
	fixed := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(path, fixed, fixed)
	})
}
