package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// npm is the host's package manager. It knows which registry its user wants, through which proxy, with which credentials;
// what comes is checked against our pins, so it is not trusted.
type npm struct {
	path string
	env  []string
}

// findNPM looks where interpreters are: npm lies beside its node.
func (h *Host) findNPM() (npm, error) {
	for _, dir := range h.folders() {
		file := filepath.Join(dir, "npm")
		if !interpreter.Executable(file) {
			continue
		}
		// npm is a script for node, and looks for that on PATH.
		env := append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "npm_config_update_notifier=false", "npm_config_fund=false",
			"npm_config_audit=false", "npm_config_ignore_scripts=true", "npm_config_loglevel=error", "npm_config_progress=false")
		return npm{path: file, env: env}, nil
	}
	return npm{}, errors.New("npm is not on this machine; install it (Debian and Ubuntu: apt-get install npm; Fedora: dnf install nodejs-npm) and try again")
}

// run runs npm in a folder, which holds all that it may read and write there.
func (n npm) run(ctx context.Context, dir string, progress io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, n.path, args...)
	cmd.Dir, cmd.Env = dir, slices.Clone(n.env)
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm %s failed: %w", args[0], err)
	}
	return nil
}
