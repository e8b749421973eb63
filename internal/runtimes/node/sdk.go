package node

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/laminadev/lamina/internal/digest"
)

//go:embed sdk/*.json
var sdkFiles embed.FS

// Pins are the exact packages of AWS's SDK for one node, each with its integrity.
type Pins struct {
	Version string // "@aws-sdk 3.1175.0"
	Digest  string // of Lock
	Lock    []byte // a package-lock.json
}

// PinsOf gives the pins of the SDK for a major. The SDK no longer supports node 18, which keeps the last that did.
func PinsOf(major int) (Pins, error) {
	name := "sdk/node20.json"
	if major < 20 {
		name = "sdk/node18.json"
	}
	b, err := sdkFiles.ReadFile(name)
	if err != nil {
		return Pins{}, fmt.Errorf("no SDK is pinned for node %d: %w", major, err)
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		return Pins{}, fmt.Errorf("the pins of the SDK cannot be read: %w", err)
	}
	version := lock.Packages["node_modules/@aws-sdk/client-s3"].Version
	return Pins{Version: "@aws-sdk " + version, Digest: digest.Of(b).Hex(), Lock: b}, nil
}

// Install fills dir with node_modules, as the pins say. What the same pins give is the same to the byte.
func (h *Host) Install(ctx context.Context, pins Pins, dir string, progress io.Writer) error {
	n, err := h.findNPM()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), ".npm-") // beside dir: what npm made is moved
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := writeManifest(pins, work); err != nil {
		return err
	}
	fmt.Fprintf(progress, "installing %s with %s\n", pins.Version, n.path)
	if err := n.run(ctx, work, progress, "ci", "--omit=dev", "--no-bin-links"); err != nil {
		return err
	}
	modules := filepath.Join(dir, "node_modules")
	if err := os.Rename(filepath.Join(work, "node_modules"), modules); err != nil {
		return err
	}
	if err := prune(modules); err != nil {
		return err
	}
	return tidy(dir)
}

// writeManifest writes the lock, and the package.json that npm wants beside it.
func writeManifest(pins Pins, dir string) error {
	var lock struct {
		Packages map[string]json.RawMessage
	}
	if err := json.Unmarshal(pins.Lock, &lock); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), lock.Packages[""], 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "package-lock.json"), pins.Lock, 0o644)
}

// prune removes what no function runs: declarations of types, and npm's own notes, which name the registry.
func prune(modules string) error {
	if err := os.RemoveAll(filepath.Join(modules, ".package-lock.json")); err != nil {
		return err
	}
	return filepath.WalkDir(modules, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || d.Name() != "dist-types" {
			return err
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return fs.SkipDir
	})
}
