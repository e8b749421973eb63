// Package project looks at a folder that holds a function, and says how to run it: by a SAM template where there is one, else
// by what such folders usually look like. It builds nothing, and it tells what it assumed.
package project

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Function is a function as a folder describes it. Paths are absolute.
type Function struct {
	Name    string
	Code    string // a folder or a zip
	Handler string
	Runtime string   // an identifier, or a family alone ("python") when any version will do
	Layers  []string // folders or zips, in the order of the list
	Env     map[string]string
	Timeout int // seconds; 0 when nothing says
	Memory  int // MB; 0 when nothing says
	Storage int // MB of /tmp; 0 when nothing says

	// Assumed says what was found out rather than given, a sentence each.
	Assumed []string
}

// Given is what the caller knows already; what is empty is looked for.
type Given struct {
	Function string // its name in the template
	Handler  string
	Runtime  string
	Layers   []string
}

// Error is a folder that does not say enough. Todo is what the caller can do.
type Error struct{ Text, Todo string }

func (e *Error) Error() string { return e.Text }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Todo }

// Look finds out how to run the function that lies at path: a folder, or a zip of one.
func Look(path string, g Given) (*Function, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// A link is followed now: what is shown to the sandbox is the folder itself.
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, &Error{Text: fmt.Sprintf("cannot read the function: %v", err)}
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, &Error{Text: fmt.Sprintf("cannot read the function: %v", err)}
	}
	f := &Function{Name: nameOf(abs), Code: abs, Handler: g.Handler, Runtime: g.Runtime, Env: map[string]string{}}
	if f.Layers, err = absolute(g.Layers); err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return f, f.complete()
	}
	if file := templateIn(abs); file != "" && (g.Function != "" || g.Handler == "") {
		used, err := f.fromTemplate(abs, file, g)
		if used || err != nil {
			return f, err
		}
	}
	if g.Function != "" {
		return nil, &Error{fmt.Sprintf("there is no function %q: %s has no template.yaml with functions", g.Function, path), "leave --function out, or name the folder of the template"}
	}
	f.guess(abs)
	return f, f.complete()
}

// complete refuses a function that cannot be run yet.
func (f *Function) complete() error {
	switch {
	case f.Runtime == "" && f.Handler == "" && looksLikeLayer(f.Code):
		return &Error{fmt.Sprintf("%s looks like a layer, not like a function", f.Code), "lamina run FUNCTION --layer " + f.Code}
	case f.Runtime == "":
		return &Error{fmt.Sprintf("cannot tell the runtime of %s", f.Code), "name it: --runtime python3.12 (lamina runtime list shows what is here)"}
	case f.Handler == "":
		return &Error{fmt.Sprintf("cannot tell the handler of %s: there is no %s with handler or lambda_handler", f.Code, usualFiles(f.Runtime)),
			"name it: --handler FILE.FUNCTION"}
	}
	return nil
}

func (f *Function) assume(format string, args ...any) {
	f.Assumed = append(f.Assumed, fmt.Sprintf(format, args...))
}

// nameOf makes a function's name of a path.
func nameOf(path string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, strings.TrimSuffix(filepath.Base(path), ".zip"))
	if strings.Trim(name, "-") == "" {
		return "function"
	}
	return name[:min(len(name), 64)]
}

func absolute(paths []string) ([]string, error) {
	var all []string
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		if err != nil {
			return nil, &Error{Text: fmt.Sprintf("cannot read the layer: %v", err)}
		}
		all = append(all, abs)
	}
	return all, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
