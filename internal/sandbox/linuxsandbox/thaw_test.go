package linuxsandbox_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// TestThawWithoutDescriptors: a server that may open no more files still lets what it has frozen go on, and closes it.
func TestThawWithoutDescriptors(t *testing.T) {
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	before := descriptors(t)
	for i, end := range []func(sandbox.Sandbox) error{sandbox.Sandbox.Thaw, sandbox.Sandbox.Close} {
		box, err := d.Create(t.Context(), sandbox.Spec{ID: fmt.Sprintf("thaw-%d-%d", os.Getpid(), i), Account: "000000000000", TmpSize: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer box.Close()
		if err := box.Freeze(); errors.Is(err, errors.ErrUnsupported) {
			t.Skip("NOT RUN: this user has no cgroup to freeze with")
		} else if err != nil {
			t.Fatal(err)
		}
		var limit unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
		_, full := os.Open(os.DevNull)
		err = end(box)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(full, unix.EMFILE) {
			t.Errorf("files could be opened: %v", full)
		}
		if err != nil {
			t.Error(err)
		}
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, there were %d", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
