package interpreter_test

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

func TestBootstrapWrites(t *testing.T) {
	files := fstest.MapFS{
		"runtime/bootstrap":        {Data: []byte("#!/bin/sh\n")},
		"runtime/lib/bootstrap.py": {Data: []byte("pass\n")},
		"other/not-ours":           {Data: []byte("?")},
	}
	dir := t.TempDir()
	if err := (interpreter.Bootstrap{Files: files}).Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, runnable := range map[string]bool{"bootstrap": true, "lib/bootstrap.py": false} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got := st.Mode()&0o100 != 0; got != runnable {
			t.Errorf("%s can be run: %v, want %v", name, got, runnable)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "not-ours")); !os.IsNotExist(err) {
		t.Errorf("a file of another folder was written, or: %v", err)
	}
}

// TestBootstrapDigest: trees are kept by it, so each change of a name or a byte must show.
func TestBootstrapDigest(t *testing.T) {
	seen := map[string]string{}
	for what, files := range map[string]fstest.MapFS{
		"as it is":     {"runtime/a": {Data: []byte("1")}},
		"another byte": {"runtime/a": {Data: []byte("2")}},
		"another name": {"runtime/b": {Data: []byte("1")}},
		"one more":     {"runtime/a": {Data: []byte("1")}, "runtime/c": {}},
	} {
		d, err := interpreter.Bootstrap{Files: files}.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[d.Hex()]; ok {
			t.Errorf("%q has the digest of %q", what, before)
		}
		seen[d.Hex()] = what
	}
}
