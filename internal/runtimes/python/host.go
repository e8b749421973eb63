package python

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Host is this machine's interpreters. Its methods may be called at the same time.
type Host struct {
	dir string // what is made for interpreters, and what is known of them
	log *slog.Logger

	system []string // folders that are searched whatever PATH says

	// mu guards known, best and trees, and is held while interpreters are asked: two callers would ask the same.
	mu    sync.Mutex
	known map[string]answer // by the file's path; nil until the file was read
	best  map[int]answer    // by minor: what Best gave last
	trees map[string]*Tree  // by key, made by this process
}

// NewHost makes a Host that keeps its files in dir. It looks at nothing yet.
func NewHost(dir string, log *slog.Logger) *Host {
	return &Host{dir: dir, log: log, system: []string{"/usr/bin", "/usr/local/bin"}, best: map[int]answer{}, trees: map[string]*Tree{}}
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

// All gives the best interpreter of every minor, oldest first.
func (h *Host) All(ctx context.Context) ([]Interpreter, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, err := h.ask(ctx, h.candidates(0))
	if err != nil {
		return nil, err
	}
	best := map[int]Interpreter{}
	for _, a := range found {
		if b, ok := best[a.Interpreter.Minor]; !ok || a.Interpreter.better(b) {
			best[a.Interpreter.Minor] = a.Interpreter
			h.best[a.Interpreter.Minor] = a.ofReal()
		}
	}
	all := make([]Interpreter, 0, len(best))
	for _, in := range best {
		all = append(all, in)
	}
	slices.SortFunc(all, func(a, b Interpreter) int { return cmp.Compare(a.Minor, b.Minor) })
	return all, nil
}

// Best gives the interpreter to use for a minor; ok is false when there is none. Interpreters of other minors are not asked.
func (h *Host) Best(ctx context.Context, minor int) (in Interpreter, ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := h.best[minor]; ok && a.fresh(a.Interpreter.Path) {
		return a.Interpreter, true, nil
	}
	delete(h.best, minor)
	found, err := h.ask(ctx, h.candidates(minor))
	if err != nil {
		return in, false, err
	}
	for _, a := range found {
		if a.Interpreter.Minor == minor && (!ok || a.Interpreter.better(in)) {
			in, ok = a.Interpreter, true
			h.best[minor] = a.ofReal()
		}
	}
	return in, ok, nil
}

// ask gives the usable interpreters among files, in their order. It asks only those that are new or have changed.
func (h *Host) ask(ctx context.Context, files []string) ([]answer, error) {
	h.load()
	answers := make([]answer, len(files))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	changed := false
	for i, file := range files {
		if a, ok := h.known[file]; ok && a.fresh(file) {
			answers[i] = a
			continue
		}
		changed = true
		g.Go(func() error {
			answers[i] = examine(ctx, file)
			return nil
		})
	}
	g.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err // answers that were cut short are not kept
	}
	var found []answer
	seen := map[string]bool{}
	for i, a := range answers {
		h.known[files[i]] = a
		if a.Problem != "" {
			h.log.Debug("interpreter left out", "path", files[i], "reason", a.Problem)
		} else if !seen[a.Interpreter.Path] {
			seen[a.Interpreter.Path] = true
			found = append(found, a)
		}
	}
	if changed {
		h.save()
	}
	return found, nil
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
		err = h.write(b)
	}
	if err != nil {
		h.log.Warn("cannot keep what is known of interpreters", "error", err)
	}
}

func (h *Host) write(b []byte) error {
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(h.dir, ".interpreters-")
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
	return os.Rename(f.Name(), h.cachePath())
}
