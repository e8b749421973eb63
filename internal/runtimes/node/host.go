package node

import (
	"context"
	"log/slog"
	"sync"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// Host is this machine's interpreters. Its methods may be called at the same time.
type Host struct {
	Path string // where interpreters are looked for, in the form of the variable PATH; "": there

	dir    string   // what is made for interpreters, and what is known of them
	system []string // folders that are searched whatever PATH says

	// mu guards the finder and best, and is held while interpreters are asked: two callers would ask the same.
	mu     sync.Mutex
	finder interpreter.Finder[Interpreter]
	best   map[int]answer // by major: what Best gave last
}

type answer = interpreter.Answer[Interpreter]

// cacheVersion changes when the questions do, so that answers to other questions are not read.
const cacheVersion = 1

// NewHost makes a Host that keeps its files in dir. It looks at nothing yet.
func NewHost(dir string, log *slog.Logger) *Host {
	return &Host{
		dir: dir, system: []string{"/usr/bin", "/usr/local/bin"}, best: map[int]answer{},
		finder: interpreter.Finder[Interpreter]{
			Dir: dir, Version: cacheVersion, Log: log, Ask: Look, Path: func(in Interpreter) string { return in.Path },
		},
	}
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
	if a, ok := h.best[major]; ok && h.finder.Fresh(a) {
		return a.Interpreter, true, nil
	}
	if err := h.look(ctx); err != nil {
		return in, false, err
	}
	a, ok := h.best[major]
	return a.Interpreter, ok, nil
}

// look finds the best interpreter of every major.
func (h *Host) look(ctx context.Context) error {
	found, err := h.finder.Look(ctx, h.candidates())
	if err != nil {
		return err
	}
	clear(h.best)
	for _, a := range found {
		if b, ok := h.best[a.Interpreter.Major]; !ok || a.Interpreter.better(b.Interpreter) {
			h.best[a.Interpreter.Major] = a
		}
	}
	return nil
}
