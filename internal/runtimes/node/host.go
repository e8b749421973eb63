package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
)

// Host is this machine's interpreters. Its methods may be called at the same time.
type Host struct {
	dir string // what is made for interpreters, and what is known of them
	log *slog.Logger

	system []string // folders that are searched whatever PATH says

	// mu guards known and best, and is held while interpreters are asked: two callers would ask the same.
	mu    sync.Mutex
	known map[string]answer // by the file's path; nil until the file was read
	best  map[int]answer    // by major: what Best gave last
}

// NewHost makes a Host that keeps its files in dir. It looks at nothing yet.
func NewHost(dir string, log *slog.Logger) *Host {
	return &Host{dir: dir, log: log, system: []string{"/usr/bin", "/usr/local/bin"}, best: map[int]answer{}}
}

// stamp tells whether a file is still the one that was asked.
type stamp struct {
	Size  int64
	MTime int64 // nanoseconds
}

func stampOf(path string) (stamp, error) {
	st, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{Size: st.Size(), MTime: st.ModTime().UnixNano()}, nil
}

// answer is what came out when a file was asked.
type answer struct {
	Stamp       stamp
	RealStamp   stamp // of Interpreter.Path, which differs from the file when that is a shim
	Interpreter Interpreter
	Problem     string // why it cannot be used; empty when it can
}

// fresh reports whether the files are still the same.
func (a answer) fresh(path string) bool {
	if st, err := stampOf(path); err != nil || st != a.Stamp {
		return false
	}
	if a.Problem != "" {
		return true
	}
	st, err := stampOf(a.Interpreter.Path)
	return err == nil && st == a.RealStamp
}

// ofReal is the same answer as if the interpreter itself had been asked and not a shim.
func (a answer) ofReal() answer {
	a.Stamp = a.RealStamp
	return a
}

// All gives the best interpreter of every major, oldest first.
func (h *Host) All(ctx context.Context) ([]Interpreter, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.look(ctx); err != nil {
		return nil, err
	}
	var all []Interpreter
	for _, major := range Majors {
		if a, ok := h.best[major]; ok {
			all = append(all, a.Interpreter)
		}
	}
	return all, nil
}

// Best gives the interpreter to use for a major; ok is false when there is none.
func (h *Host) Best(ctx context.Context, major int) (in Interpreter, ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := h.best[major]; ok && a.fresh(a.Interpreter.Path) {
		return a.Interpreter, true, nil
	}
	if err := h.look(ctx); err != nil {
		return in, false, err
	}
	a, ok := h.best[major]
	return a.Interpreter, ok, nil
}

// look finds the best interpreter of every major. It asks only files that are new or have changed.
func (h *Host) look(ctx context.Context) error {
	h.load()
	best := map[int]answer{}
	changed := false
	for _, file := range h.candidates() {
		a, ok := h.known[file]
		if !ok || !a.fresh(file) {
			a, changed = examine(ctx, file), true
			if err := ctx.Err(); err != nil {
				return err // an answer that was cut short is not kept
			}
			h.known[file] = a
		}
		if a.Problem != "" {
			h.log.Debug("interpreter left out", "path", file, "reason", a.Problem)
			continue
		}
		in := a.Interpreter
		if b, ok := best[in.Major]; !ok || in.better(b.Interpreter) {
			best[in.Major] = a.ofReal()
		}
	}
	h.best = best
	if changed {
		h.save()
	}
	return nil
}

// examine asks one file and judges the answer.
func examine(ctx context.Context, file string) answer {
	var a answer
	err := func() (err error) {
		if a.Stamp, err = stampOf(file); err != nil {
			return err
		}
		if a.Interpreter, err = ask(ctx, file); err != nil {
			return err
		}
		if a.RealStamp, err = stampOf(a.Interpreter.Path); err != nil {
			return err
		}
		return usable(a.Interpreter)
	}()
	if err != nil {
		a.Problem = err.Error()
	}
	return a
}

// Look describes one file, which need not be where interpreters are looked for.
func Look(ctx context.Context, file string) (Interpreter, error) {
	in, err := ask(ctx, file)
	if err != nil {
		return in, err
	}
	return in, usable(in)
}

// cacheVersion changes when the questions do, so that answers to other questions are not read.
const cacheVersion = 1

type cacheFile struct {
	Version int
	User    int // what root may read, another user may not
	Answers map[string]answer
}

func (h *Host) cachePath() string { return filepath.Join(h.dir, "interpreters.json") }

// load reads what earlier processes learned. A file that is missing or broken means that nothing is known.
func (h *Host) load() {
	if h.known != nil {
		return
	}
	h.known = map[string]answer{}
	b, err := os.ReadFile(h.cachePath())
	if err != nil {
		return
	}
	var c cacheFile
	if json.Unmarshal(b, &c) == nil && c.Version == cacheVersion && c.User == os.Geteuid() && c.Answers != nil {
		h.known = c.Answers
	}
}

// save keeps what is known for later processes. It may fail: then they ask again.
func (h *Host) save() {
	b, err := json.Marshal(cacheFile{Version: cacheVersion, User: os.Geteuid(), Answers: h.known})
	if err == nil {
		err = writeFile(h.cachePath(), b)
	}
	if err != nil {
		h.log.Warn("cannot keep what is known of interpreters", "error", err)
	}
}

// writeFile replaces a file in one step, and makes its folder.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", f.Name(), err)
	}
	return os.Rename(f.Name(), path)
}
