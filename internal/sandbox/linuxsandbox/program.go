package linuxsandbox

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

//go:embed embedded
var embedded embed.FS

// program is the open file of the helper. It is started through its descriptor, so the folder that it lies in may be
// closed to the IDs of sandboxes.
type program struct {
	source string   // for Probe
	small  bool     // it is the helper and nothing else
	clones bool     // it is the embedded one, which can clone itself
	flags  []string // that every helper gets
	file   *os.File
	once   sync.Once
}

func openProgram(o Options) (*program, error) {
	p := &program{source: o.Helper, small: true, clones: isEmbedded(o.Helper)}
	path := o.Helper
	if path == "" {
		var err error
		if path, p.source, p.small, err = ownProgram(o.StateDir); err != nil {
			return nil, err
		}
		p.clones = p.small
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot open the sandbox helper: %w", err)
	}
	p.file = f
	return p, nil
}

// ownProgram writes the embedded helper into the state folder, where it stays for the next server.
func ownProgram(dir string) (path, source string, small bool, err error) {
	ours, err := embedded.Open("embedded/lamina-init")
	if errors.Is(err, fs.ErrNotExist) {
		return "/proc/self/exe", "the running program (built without the small helper)", false, nil
	}
	if err != nil {
		return "", "", false, err
	}
	defer ours.Close()
	path = filepath.Join(dir, "lamina-init")
	if holds(path, ours) {
		return path, "the embedded one, at " + path, true, os.Chmod(path, 0o755)
	}
	data, err := embedded.ReadFile("embedded/lamina-init")
	if err != nil {
		return "", "", false, err
	}
	if err := writeProgram(path, data); err != nil {
		return "", "", false, fmt.Errorf("cannot write the sandbox helper: %w", err)
	}
	return path, "the embedded one, at " + path, true, nil
}

func isEmbedded(path string) bool {
	ours, err := embedded.Open("embedded/lamina-init")
	if err != nil {
		return false
	}
	defer ours.Close()
	return path != "" && holds(path, ours)
}

// holds reports whether a file holds what is read, to the byte. It looks at a little at a time: every run without a server
// asks.
func holds(path string, want io.Reader) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var a, b [32 << 10]byte
	for {
		n, err := io.ReadFull(want, a[:])
		m, _ := io.ReadFull(f, b[:])
		if !bytes.Equal(a[:n], b[:m]) {
			return false
		}
		if err != nil {
			return err == io.EOF || err == io.ErrUnexpectedEOF
		}
	}
}

func writeProgram(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A child forked now would hold the file open for writing until its exec, and a program that is open for writing
	// cannot be started.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	f, err := os.CreateTemp(filepath.Dir(path), ".lamina-init-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o755); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// start starts the program in namespaces of its own.
func (p *program) start(id identity, sharesLimit bool, ours *os.File, attr *os.ProcAttr) (*os.Process, error) {
	args := slices.Clone(p.flags)
	if id.split() {
		args = append(args, initproto.AwaitIDs)
	}
	if sharesLimit {
		args = append(args, initproto.SharesLimit)
	}
	if p.clones && id.mapped() {
		return p.startClone(id, args, ours, attr)
	}
	id.setNamespaces(attr.Sys)
	return p.run(args, attr)
}

// run starts the program. The child gets it as initproto.ProgramFD, and no other number would do: a child puts the descriptors
// that it gets in place by way of free ones, and what is free to it may be in use here.
func (p *program) run(args []string, attr *os.ProcAttr) (*os.Process, error) {
	files := make([]*os.File, initproto.ProgramFD+1)
	copy(files, attr.Files)
	files[initproto.ProgramFD] = p.file
	attr.Files = files
	return os.StartProcess(fmt.Sprintf("/proc/self/fd/%d", initproto.ProgramFD), append([]string{helper.Name}, args...), attr)
}

func (p *program) close() (err error) {
	p.once.Do(func() { err = p.file.Close() })
	return err
}
