package explain

import (
	"fmt"
	"path"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
)

// entry is the file that a handler names.
type entry struct {
	handler  string   // "src/app.main"
	stem     string   // "src/app", below the root of the code
	function string   // "main"
	endings  []string // that the file may have
	looked   []string
}

// Handler looks for the file of a function's handler, when that is the module that was not found. What holds that file is the
// code, so the advice is another than for what is installed into layers. ok is false for every other module, and for a file
// that is where it should be.
func Handler(handler, module string, r lambda.Runtime, parts []Part) (_ Result, ok bool) {
	e, ok := entryOf(handler, module, r)
	if !ok {
		return Result{}, false
	}
	for _, part := range parts {
		if part.Root == "/var/task" {
			h, ok := e.hint(part)
			return Result{Module: module, Looked: e.looked, Hints: []Hint{h}}, ok
		}
	}
	return Result{}, false
}

// entryOf reads a handler as its runtime does.
func entryOf(handler, module string, r lambda.Runtime) (entry, bool) {
	e := entry{handler: handler}
	switch r.Family() {
	case "python":
		dot := strings.LastIndexByte(handler, '.')
		if dot < 0 {
			return e, false
		}
		e.stem, e.function = strings.ReplaceAll(handler[:dot], ".", "/"), handler[dot+1:]
		e.endings = []string{".py"}
		e.looked = python{version: r.Version()}.looked()
		missing := strings.ReplaceAll(module, ".", "/")
		return e, e.stem == missing || strings.HasPrefix(e.stem, missing+"/")
	case "nodejs":
		name, function, _ := strings.Cut(path.Base(handler), ".")
		e.stem, e.function = path.Join(path.Dir(handler), name), function
		e.endings = []string{".mjs", ".js", ".cjs"}
		e.looked = []string{"/var/task"}
		return e, name == module
	}
	return e, false
}

func (e entry) hint(code Part) (Hint, bool) {
	var found *Hint
	for _, file := range code.Entries {
		stem, ok := e.stemOf(file)
		switch {
		case !ok || partOfPackage(code, stem):
		case stem == e.stem, stem == e.stem+"/__init__":
			return Hint{}, false
		case strings.EqualFold(stem, e.stem):
			found = &Hint{Reason: "its letters differ and Linux tells them apart", Fix: "set the handler to " + stem + "." + e.function}
			found.Part, found.Path = code.Name, path.Join(code.Root, file.Path)
		case found == nil && path.Base(stem) == path.Base(e.stem):
			found = &Hint{Reason: fmt.Sprintf("the handler %s means %s", e.handler, e.files()), Fix: e.move(stem)}
			found.Part, found.Path = code.Name, path.Join(code.Root, file.Path)
		}
	}
	if found != nil {
		return *found, true
	}
	return Hint{rank: rankNothing, Reason: fmt.Sprintf("the handler %s means %s, and the code holds %s", e.handler, e.files(), top(code.Entries)),
		Fix: "zip that file too, or set the handler to FILE.FUNCTION of one that is there"}, true
}

// stemOf gives the path of a file without its ending, if the runtime can start with such a file.
func (e entry) stemOf(file archive.Entry) (string, bool) {
	if file.Type == archive.Dir {
		return "", false
	}
	for _, ending := range e.endings {
		if stem, ok := strings.CutSuffix(file.Path, ending); ok {
			return stem, true
		}
	}
	return "", false
}

// partOfPackage: a file of a package that was installed beside the function is not the one that was meant.
func partOfPackage(code Part, stem string) bool {
	dir := path.Dir(stem)
	return strings.Contains("/"+stem, "/node_modules/") || path.Base(stem) != "__init__" && has(code.Entries, path.Join(dir, "__init__.py"))
}

// files names what the runtime would take: "/var/task/app.py".
func (e entry) files() string {
	names := make([]string, len(e.endings))
	for i, ending := range e.endings {
		names[i] = "/var/task/" + e.stem + ending
	}
	return listed(names, "or")
}

// move says how a file of the right name in another folder becomes the handler's.
func (e entry) move(stem string) string {
	fix := fmt.Sprintf("set the handler to %s.%s", stem, e.function)
	if outer, ok := strings.CutSuffix(stem, "/"+e.stem); ok {
		fix = fmt.Sprintf("zip what is in %s/, not the folder itself, or %s", outer, fix)
	}
	return fix
}

// top lists the first names at the root of the code.
func top(entries []archive.Entry) string {
	const most = 4
	var names []string
	more := 0
	for _, e := range entries {
		switch {
		case strings.Contains(e.Path, "/"):
		case len(names) == most:
			more++
		case e.Type == archive.Dir:
			names = append(names, e.Path+"/")
		default:
			names = append(names, e.Path)
		}
	}
	if more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if len(names) == 0 {
		return "nothing"
	}
	return listed(names, "and")
}

// listed joins names: "a", "a or b", "a, b or c".
func listed(names []string, word string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " " + word + " " + names[last]
}
