// Package explain says why a module that a function imports is not found, by what its code and its layers hold: which of them
// has something of that name, where it lies, why the runtime does not find it there, and what mends it. Of a shared library that
// cannot be loaded it says what it was built for, and of a file that may not be read or executed which mode forbids it.
//
// It is a function of what layers list and, for libraries, hold; it needs no server, and guesses nothing that it does not see.
package explain

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
)

// Part is one thing that a function's root shows: its code, or a layer.
type Part struct {
	Name    string // "layer common:3", "the function's code"
	Root    string // where it is shown: "/var/task" or "/opt"
	Entries []archive.Entry
	Files   fs.FS // what the entries hold; nil when that is not known
}

// Hint is one place that holds what was looked for.
type Hint struct {
	Part   string // its Name; "" when no part holds anything of the name
	Path   string // as the function sees it, "/opt/requests/__init__.py"
	Reason string // why it is not found there, the second half of a sentence
	Fix    string // what mends it

	rank int // smaller is likelier
}

// Result is everything that is known of a failed import.
type Result struct {
	Module  string
	Library bool     // Module is a shared library
	File    bool     // Module is the path of a file that is there
	Looked  []string // the folders in which the runtime looks, in its order
	Hints   []Hint   // the likeliest first
	SDK     bool     // nothing holds it, and on AWS it comes with the runtime's SDK
}

// String is one line for a log.
func (r Result) String() string {
	var b strings.Builder
	for i, h := range r.Hints[:min(len(r.Hints), 2)] {
		if i > 0 {
			b.WriteString("; also: ")
		}
		if h.Part != "" {
			fmt.Fprintf(&b, "%s holds it at %s, but %s", h.Part, h.Path, h.Reason)
		} else {
			b.WriteString(h.Reason)
		}
		if h.Fix != "" {
			b.WriteString(": " + h.Fix)
		}
	}
	verb := "import"
	if r.Library {
		verb = "load"
	}
	if r.File {
		return fmt.Sprintf("cannot use %q: %s", r.Module, b.String())
	}
	return fmt.Sprintf("cannot %s %q: %s (looked in %s)", verb, r.Module, b.String(), strings.Join(r.Looked, ", "))
}

func (r Result) nowhere() bool { return len(r.Hints) == 1 && r.Hints[0].Part == "" }

// Import looks for a module that was not found. ok is false for runtimes of which nothing is known. The parts are in the order
// of the function's list of layers; arch is AWS's name of the processor that the function runs on.
func Import(module string, r lambda.Runtime, arch string, parts []Part) (_ Result, ok bool) {
	res := Result{Module: module}
	switch r.Family() {
	case "python":
		p := python{version: r.Version(), arch: arch, module: module}
		res.Looked = p.looked()
		res.Hints = p.hints(parts)
		res.SDK = p.sdk() && res.nowhere()
	case "nodejs":
		n := node{major: strings.TrimSuffix(r.Version(), ".x"), module: module}
		res.Looked = n.looked()
		res.Hints = n.hints(parts)
		res.SDK = n.sdk() && res.nowhere()
	default:
		return res, false
	}
	slices.SortStableFunc(res.Hints, func(a, b Hint) int { return cmp.Compare(a.rank, b.rank) })
	return res, true
}

// ranks of hints: what is nearly right is the likeliest.
const (
	rankShut = iota
	rankABI
	rankShadowed
	rankVersion
	rankNesting
	rankRoot
	rankCase
	rankElsewhere
	rankNothing
)

// under splits a path into the folder above a name and reports whether the name is its end: "a/b/c" is "a" over "b/c".
func under(p, name string) (prefix string, ok bool) {
	if p == name {
		return "", true
	}
	return strings.CutSuffix(p, "/"+name)
}

// underFold is under for a name in other letters.
func underFold(p, name string) (prefix string, ok bool) {
	if len(p) < len(name) || !strings.EqualFold(p[len(p)-len(name):], name) {
		return "", false
	}
	prefix = p[:len(p)-len(name)]
	if prefix == "" {
		return "", true
	}
	return strings.CutSuffix(prefix, "/")
}

// shut reports a file or a folder that functions, who are not root, cannot read.
func shut(e archive.Entry) bool {
	switch e.Type {
	case archive.Dir:
		return e.Mode.Perm()&0o005 != 0o005
	case archive.File:
		return e.Mode.Perm()&0o004 == 0
	}
	return false
}

// shutAbove gives the first folder on the way to an entry, or the entry, that functions cannot read.
func shutAbove(entries []archive.Entry, p string) (found archive.Entry, ok bool) {
	for i := range len(p) + 1 {
		if i < len(p) && p[i] != '/' {
			continue
		}
		at, there := slices.BinarySearchFunc(entries, p[:i], func(e archive.Entry, s string) int { return strings.Compare(e.Path, s) })
		if there && shut(entries[at]) {
			return entries[at], true
		}
	}
	return archive.Entry{}, false
}

func shutHint(part Part, entry, e archive.Entry) Hint {
	return Hint{Part: part.Name, Path: path.Join(part.Root, entry.Path), rank: rankShut,
		Reason: fmt.Sprintf("only its owner may read %s (mode %04o), and functions are another user", path.Join(part.Root, e.Path), e.Mode.Perm()),
		Fix:    "chmod -R a+rX before you zip it"}
}

// nothing is the hint when no part has anything of the name.
func nothing(what, fix string) Hint {
	return Hint{Reason: "neither the code nor a layer holds anything named " + what, Fix: fix, rank: rankNothing}
}
