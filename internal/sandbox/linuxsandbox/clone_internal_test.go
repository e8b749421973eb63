package linuxsandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// A helper that cannot clone itself says why, and leaves no child behind.
func TestCloneFails(t *testing.T) {
	ids := newIdentities()
	program, err := openProgram(Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer program.close()
	if !ids.mapped || !program.clones {
		t.Skip("NOT RUN: helpers clone themselves only as root, and only the small ones (make helper)")
	}
	ours, theirs, err := controlSocket()
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	defer theirs.Close()
	before := ownChildren(t)
	beyond := identity{base: 1<<32 - rangeSize/2} // the kernel has no such IDs
	_, err = program.start(beyond, false, ours, &os.ProcAttr{
		Files: []*os.File{nil, nil, os.Stderr, theirs}, Sys: &syscall.SysProcAttr{},
	})
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		t.Errorf("starting it with IDs that there are not: %v", err)
	}
	for child := range ownChildren(t) {
		if !before[child] {
			t.Errorf("child %s is left", child)
		}
	}
}

// ownChildren are the process IDs of this process's children, ended ones too.
func ownChildren(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil || len(files) == 0 {
		t.Fatalf("no list of children: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, child := range strings.Fields(string(data)) {
			all[child] = true
		}
	}
	return all
}

// What comes instead of the helper's first message is an error.
func TestReadCloned(t *testing.T) {
	whole := initproto.Message{Verb: initproto.VerbCloned, Body: initproto.Cloned{PID: 7}.Append(nil)}
	for name, test := range map[string]struct {
		packet []byte
		want   error
	}{
		"nothing":     {nil, unix.EAGAIN},
		"another":     {initproto.Message{Verb: initproto.VerbHello, Body: whole.Body}.Append(nil), initproto.ErrMessage},
		"a part":      {initproto.Message{Verb: initproto.VerbCloned}.Append(nil), initproto.ErrMessage},
		"the message": {whole.Append(nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs, err := controlSocket()
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Close()
			defer theirs.Close()
			if test.packet != nil {
				if err := unix.Send(int(theirs.Fd()), test.packet, 0); err != nil {
					t.Fatal(err)
				}
			}
			c, err := readCloned(ours)
			if !errors.Is(err, test.want) || err == nil && c.PID != 7 {
				t.Errorf("got %+v, %v; want %v", c, err, test.want)
			}
		})
	}
}
