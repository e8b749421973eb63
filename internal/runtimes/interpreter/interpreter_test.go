package interpreter_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

func TestRemoveStale(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{".new-old": 48 * time.Hour, ".new-now": 0, "kept": 48 * time.Hour} {
		if err := os.MkdirAll(filepath.Join(dir, name, "x"), 0o755); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(filepath.Join(dir, name), then, then); err != nil {
			t.Fatal(err)
		}
	}
	interpreter.RemoveStale(filepath.Join(dir, ".new-*"))
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 2 {
		t.Errorf("left %q, %v", left, err)
	}
}

// TestLook: files are asked once, by one process after the other, and again only when they have changed.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(name), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad, shim := file("good"), file("bad"), file("shim")
	var asked []string
	finder := func(version int) *interpreter.Finder[string] {
		return &interpreter.Finder[string]{
			Dir: filepath.Join(dir, "known"), Version: version, Log: slog.New(slog.DiscardHandler), Path: func(s string) string { return s },
			Ask: func(_ context.Context, file string) (string, error) {
				asked = append(asked, filepath.Base(file))
				if file == bad {
					return "", errors.New("none")
				}
				return good, nil
			},
		}
	}
	look := func(f *interpreter.Finder[string], files ...string) int {
		t.Helper()
		asked = nil
		found, err := f.Look(t.Context(), files)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range found {
			if a.Interpreter != good || !f.Fresh(a) {
				t.Errorf("got %+v", a)
			}
		}
		return len(found)
	}
	check := func(what string, found, wantFound int, want ...string) {
		t.Helper()
		if diff := cmp.Diff(asked, want); found != wantFound || diff != "" {
			t.Errorf("%s: found %d, asked (-got +want):\n%s", what, found, diff)
		}
	}
	f := finder(1)
	check("first", look(f, good), 1, "good")
	check("a file that is none", look(f, good, bad), 1, "bad")
	check("a shim of the same", look(f, good, bad, shim), 2, "shim")
	check("another process", look(finder(1), good, bad, shim), 2)
	check("other questions", look(finder(2), good), 1, "good")
	if err := os.WriteFile(bad, []byte("better"), 0o755); err != nil {
		t.Fatal(err)
	}
	check("a file that changed", look(finder(2), good, bad), 1, "bad")
}

// TestLookCutShort: what was cut short is not remembered.
func TestLookCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &interpreter.Finder[string]{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Path: func(s string) string { return s },
		Ask: func(context.Context, string) (string, error) {
			cancel()
			return "", context.Canceled
		},
	}
	if found, err := f.Look(ctx, []string{"/bin/sh"}); !errors.Is(err, context.Canceled) || found != nil {
		t.Errorf("got %v, %v", found, err)
	}
	if _, err := os.Stat(filepath.Join(f.Dir, "interpreters.json")); err == nil {
		t.Error("it was remembered")
	}
}

// TestMake: a folder is whole or not there.
func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trees", "one")
	failing := errors.New("full")
	if err := interpreter.Make(dir, func(string) error { return failing }); !errors.Is(err, failing) || interpreter.IsDir(dir) {
		t.Errorf("got %v", err)
	}
	fill := func(d string) error { return os.WriteFile(filepath.Join(d, "file"), nil, 0o644) }
	for range 2 { // the second finds that another was faster
		if err := interpreter.Make(dir, fill); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestUsable(t *testing.T) {
	dir := t.TempDir()
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "libown.so")
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := interpreter.Usable(shell, nil); err != nil {
		t.Error(err)
	}
	if err := interpreter.Usable(shell, []string{own}); err == nil {
		t.Error("a library that nobody shows is usable")
	}
	if err := interpreter.Usable(shell, []string{own}, dir); err != nil {
		t.Error(err)
	}
	if err := interpreter.Usable(own, nil); err == nil {
		t.Error("a file that is no program is usable")
	}
}
