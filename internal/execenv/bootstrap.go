package execenv

import (
	"fmt"
	"path"
	"strings"
)

// command gives the arguments that start the runtime. A provided runtime starts the first bootstrap that exists and is not
// a folder, so the function's own wins over a layer's; a managed one knows its interpreter.
func (e *environment) command() ([]string, *fault) {
	if !e.runtime.Name.Provided() {
		return e.runtime.Command(e.env), nil
	}
	var looked []string
	for _, candidate := range e.runtime.Bootstrap {
		dir := path.Dir(candidate)
		lowers := e.lowersOf(dir)
		if lowers == nil {
			continue // a folder of the runtime's own, which for provided ones is empty
		}
		looked = append(looked, candidate)
		if info, err := lstat(lowers, path.Base(candidate)); err == nil && !info.IsDir() {
			return []string{candidate}, nil
		}
	}
	return nil, entrypointFault(fmt.Sprintf("Couldn't find valid bootstrap(s): [%s]", strings.Join(looked, " ")))
}

// lowersOf gives the folders that are merged at a place where users' files are, nil for any other place.
func (e *environment) lowersOf(dir string) []string {
	switch dir {
	case taskRoot:
		return []string{e.code.Path}
	case optRoot:
		return append([]string{}, e.optLowers()...)
	}
	return nil
}
