package python

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

//go:embed sdk/*.txt
var sdkFiles embed.FS

// Pins are the exact packages of AWS's SDK for one python, each with the hashes of the files that may be installed.
type Pins struct {
	Version string // "boto3 1.40.1"
	Digest  string // of Text
	Text    []byte // a requirements file
}

// Pins gives the pins of the SDK for an interpreter.
func (h *Host) Pins(in Interpreter) (Pins, error) {
	b, err := sdkFiles.ReadFile("sdk/" + in.Name() + ".txt")
	if err != nil {
		return Pins{}, fmt.Errorf("no SDK is pinned for %s: %w", in.Name(), err)
	}
	p := Pins{Digest: digest.Of(b).Hex(), Text: b}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "boto3=="); ok {
			v, _, _ = strings.Cut(v, " ")
			p.Version = "boto3 " + v
		}
	}
	return p, nil
}

// Install fills dir with the pinned packages, compiled by the interpreter. What the same pins give is the same to the byte.
func (h *Host) Install(ctx context.Context, in Interpreter, pins Pins, dir string, progress io.Writer) error {
	pip, err := h.pip(ctx, in)
	if err != nil {
		return err
	}
	requirements, err := os.CreateTemp("", "lamina-sdk-*.txt")
	if err != nil {
		return err
	}
	defer os.Remove(requirements.Name())
	_, err = requirements.Write(pins.Text)
	if cerr := requirements.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	args := append(pip, "--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--disable-pip-version-check",
		"--no-warn-script-location", "--quiet", "--target", dir, "-r", requirements.Name())
	fmt.Fprintf(progress, "installing %s for %s with %s\n", pins.Version, in.Name(), pip[0])
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, pipEnv() // python -m also looks in the working folder: it must be ours
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("pip failed: %w", err)
	}
	fmt.Fprintf(progress, "compiling %s\n", pins.Version)
	target := "/var/runtime"
	if in.Minor >= sitePackagesMinor {
		target = "/var/lang/lib/" + in.Name() + "/site-packages"
	}
	if err := compile(ctx, in, dir, target); err != nil {
		return err
	}
	if err := interpreter.WorldReadable(dir); err != nil {
		return err
	}
	return tidy(dir)
}

// pip gives the command that installs for an interpreter: its own pip, or that of another python told to choose for it.
func (h *Host) pip(ctx context.Context, in Interpreter) ([]string, error) {
	if in.Pip {
		return []string{in.Path, "-m", "pip", "install"}, nil
	}
	all, err := h.All(ctx)
	if err != nil {
		return nil, err
	}
	for i := len(all) - 1; i >= 0; i-- { // the newest pip knows most
		if all[i].Pip {
			return []string{all[i].Path, "-m", "pip", "install", "--python-version", "3." + strconv.Itoa(in.Minor), "--implementation", "cp"}, nil
		}
	}
	return nil, fmt.Errorf("no python on this machine has pip; install it (Debian and Ubuntu: apt-get install python3-pip; "+
		"Fedora: dnf install python3-pip; else: %s -m ensurepip) and try again", in.Path)
}

// pipEnv is the caller's environment (proxies, an index of his own), without settings that contradict a target folder.
func pipEnv() []string {
	return append(os.Environ(), "PIP_USER=0", "PIP_REQUIRE_VIRTUALENV=0", "PIP_NO_INPUT=1")
}

// tidy removes the scripts, whose first line names the host's interpreter, and sets every file to one fixed time.
func tidy(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, "bin")); err != nil {
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
