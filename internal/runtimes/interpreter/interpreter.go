// Package interpreter is what finding the host's interpreters of any language takes: files are asked what they are, once, and
// what they said is kept for as long as they stay the same; a sandbox can only run those whose parts it shows.
//
// What an interpreter says of itself, and where it is looked for, belongs to its language.
package interpreter

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Finder asks files, and remembers what they said in a file of Dir. It is used by one goroutine at a time.
type Finder[T any] struct {
	Dir     string
	Version int // changes when the questions do, so that answers to other questions are not read
	Log     *slog.Logger
	// Ask lets one file describe itself, and fails when it is none that can be used.
	Ask func(ctx context.Context, file string) (T, error)
	// Path is the real file of an interpreter.
	Path func(T) string

	known map[string]Answer[T] // by the file's path; nil until the file was read
}

// Answer is what came out when a file was asked.
type Answer[T any] struct {
	Stamp       Stamp
	RealStamp   Stamp // of the interpreter's real file, which differs from the file when that is a shim
	Interpreter T
	Problem     string // why it cannot be used; empty when it can
}

// Look gives the usable interpreters among files, in their order. It asks only those that are new or have changed.
func (f *Finder[T]) Look(ctx context.Context, files []string) ([]Answer[T], error) {
	f.load()
	answers := make([]Answer[T], len(files))
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	changed := false
	for i, file := range files {
		if a, ok := f.known[file]; ok && f.fresh(a, file) {
			answers[i] = a
			continue
		}
		changed = true
		g.Go(func() error {
			answers[i] = f.examine(ctx, file)
			return nil
		})
	}
	g.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err // answers that were cut short are not kept
	}
	var found []Answer[T]
	for i, a := range answers {
		f.known[files[i]] = a
		if a.Problem != "" {
			f.Log.Debug("interpreter left out", "path", files[i], "reason", a.Problem)
		} else {
			found = append(found, a)
		}
	}
	if changed {
		f.save()
	}
	return found, nil
}

// Fresh reports whether an interpreter's real file is still the one that was asked.
func (f *Finder[T]) Fresh(a Answer[T]) bool {
	st, err := StampOf(f.Path(a.Interpreter))
	return err == nil && st == a.RealStamp
}

// fresh reports whether the file that was asked, which may be a shim, and the interpreter are still the same.
func (f *Finder[T]) fresh(a Answer[T], file string) bool {
	st, err := StampOf(file)
	return err == nil && st == a.Stamp && (a.Problem != "" || f.Fresh(a))
}

// examine asks one file and judges the answer.
func (f *Finder[T]) examine(ctx context.Context, file string) Answer[T] {
	var a Answer[T]
	err := func() (err error) {
		if a.Stamp, err = StampOf(file); err != nil {
			return err
		}
		if a.Interpreter, err = f.Ask(ctx, file); err != nil {
			return err
		}
		a.RealStamp, err = StampOf(f.Path(a.Interpreter))
		return err
	}()
	if err != nil {
		a.Problem = err.Error()
	}
	return a
}

type cacheFile[T any] struct {
	Version int
	User    int // what root may read, another user may not
	Answers map[string]Answer[T]
}

func (f *Finder[T]) cachePath() string { return filepath.Join(f.Dir, "interpreters.json") }

// load reads what earlier processes learned. A file that is missing or broken means that nothing is known.
func (f *Finder[T]) load() {
	if f.known != nil {
		return
	}
	f.known = map[string]Answer[T]{}
	b, err := os.ReadFile(f.cachePath())
	if err != nil {
		return
	}
	var c cacheFile[T]
	if json.Unmarshal(b, &c) == nil && c.Version == f.Version && c.User == os.Geteuid() && c.Answers != nil {
		f.known = c.Answers
	}
}

// save keeps what is known for later processes. It may fail: then they ask again.
func (f *Finder[T]) save() {
	b, err := json.Marshal(cacheFile[T]{Version: f.Version, User: os.Geteuid(), Answers: f.known})
	if err == nil {
		err = writeFile(f.cachePath(), b)
	}
	if err != nil {
		f.Log.Warn("cannot keep what is known of interpreters", "error", err)
	}
}
