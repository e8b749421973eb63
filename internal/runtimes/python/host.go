package python

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// Host is this machine's interpreters. Its methods may be called at the same time.
type Host struct {
	Path string // where interpreters are looked for, in the form of the variable PATH; "": there

	dir    string   // what is made for interpreters, and what is known of them
	system []string // folders that are searched whatever PATH says

	// mu guards the finder, best and trees, and is held while interpreters are asked: two callers would ask the same.
	mu     sync.Mutex
	finder interpreter.Finder[Interpreter]
	best   map[int]answer   // by minor: what Best gave last
	trees  map[string]*Tree // by key, made by this process
}

type answer = interpreter.Answer[Interpreter]

// cacheVersion changes when the questions do, so that answers to other questions are not read.
const cacheVersion = 1

// NewHost makes a Host that keeps its files in dir. It looks at nothing yet.
func NewHost(dir string, log *slog.Logger) *Host {
	return &Host{
		dir: dir, system: []string{"/usr/bin", "/usr/local/bin"}, best: map[int]answer{}, trees: map[string]*Tree{},
		finder: interpreter.Finder[Interpreter]{
			Dir: dir, Version: cacheVersion, Log: log, Ask: ask, Path: func(in Interpreter) string { return in.Path },
		},
	}
}

// All gives the best interpreter of every minor, oldest first.
func (h *Host) All(ctx context.Context) ([]Interpreter, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.look(ctx, 0); err != nil {
		return nil, err
	}
	all := make([]Interpreter, 0, len(h.best))
	for _, a := range h.best {
		all = append(all, a.Interpreter)
	}
	slices.SortFunc(all, func(a, b Interpreter) int { return cmp.Compare(a.Minor, b.Minor) })
	return all, nil
}

// Best gives the interpreter to use for a minor; ok is false when there is none. Interpreters of other minors are not asked.
func (h *Host) Best(ctx context.Context, minor int) (in Interpreter, ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a, ok := h.best[minor]; ok && h.finder.Fresh(a) {
		return a.Interpreter, true, nil
	}
	if err := h.look(ctx, minor); err != nil {
		return in, false, err
	}
	a, ok := h.best[minor]
	return a.Interpreter, ok, nil
}

// look finds the best interpreter of a minor (0: of each).
func (h *Host) look(ctx context.Context, minor int) error {
	found, err := h.finder.Look(ctx, h.candidates(minor))
	if err != nil {
		return err
	}
	if minor == 0 {
		clear(h.best)
	} else {
		delete(h.best, minor)
	}
	for _, a := range found {
		at := a.Interpreter.Minor
		if b, ok := h.best[at]; (minor == 0 || at == minor) && (!ok || a.Interpreter.better(b.Interpreter)) {
			h.best[at] = a
		}
	}
	return nil
}
