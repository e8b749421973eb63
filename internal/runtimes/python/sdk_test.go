package python_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/runtimes/python"
)

// smallPins are the pins of one small package.
func smallPins(t *testing.T, h *python.Host, in python.Interpreter) python.Pins {
	t.Helper()
	pins, err := h.Pins(in)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(pins.Text)) {
		if strings.HasPrefix(line, "six==") {
			pins.Text = []byte(line)
			return pins
		}
	}
	t.Fatal("six is not pinned")
	return pins
}

// TestInstallWithAnotherPip: an interpreter without pip (Debian's) is served by another's.
func TestInstallWithAnotherPip(t *testing.T) {
	h := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	in := realPython(t)
	in.Pip = false
	dir := t.TempDir()
	var progress bytes.Buffer
	if err := h.Install(t.Context(), in, smallPins(t, h, in), dir, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if found, err := filepath.Glob(filepath.Join(dir, "__pycache__", "six.*.pyc")); err != nil || len(found) != 1 {
		t.Errorf("compiled: %q, %v", found, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "six.py")); err != nil {
		t.Error(err)
	}
}

func TestInstallWithoutPip(t *testing.T) {
	m := newMachine(t)
	in := m.install("path/python3.12", "3.12.1", nil)
	h := m.host(t.TempDir())
	err := h.Install(t.Context(), in, smallPins(t, h, in), t.TempDir(), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "apt-get install python3-pip") {
		t.Errorf("got %v", err)
	}
}

// TestInstallWrongHash: what is not what was pinned is not installed.
func TestInstallWrongHash(t *testing.T) {
	h := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	in := realPython(t)
	pins := smallPins(t, h, in)
	head, _, _ := strings.Cut(string(pins.Text), "sha256:")
	pins.Text = []byte(head + "sha256:" + strings.Repeat("0", 64) + "\n")
	dir := t.TempDir()
	var progress bytes.Buffer
	if err := h.Install(t.Context(), in, pins, dir, &progress); err == nil {
		t.Error("it was installed")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v; pip said %s", left, err, progress.String())
	}
}
