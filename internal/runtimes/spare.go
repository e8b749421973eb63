package runtimes

import "strings"

// Spare says how a managed runtime can be booted before it is known whose function it will run: with the variables of Env,
// and a pipe. At the end of its boot it reads the variables of the function from it, each with a zero byte behind it and one
// more behind all. When the pipe is closed then, code, layers and /tmp are there, and it goes on. A pipe that is closed
// before ends it.
type Spare struct {
	Env []string
	// PipeVariable names the variable that holds the pipe's descriptor.
	PipeVariable string
	// Fixed reports whether the process has read a variable for good when it boots, or shows another behaviour for it than
	// one that was started with it. A function which sets it gets a process of its own.
	Fixed func(name, value string) bool
}

// Spare is nil for a runtime that cannot be booted ahead.
func (r *Runtime) Spare() *Spare {
	if r.Name.Family() != "python" {
		return nil
	}
	return &Spare{Env: r.Env, PipeVariable: "_LAMINA_IDENTITY_FD", Fixed: fixedInPython}
}

// fixedInPython: the interpreter, the C library and its loader read these when they start. HOME decides whether there is a
// user's site-packages; there is none in a /tmp that was empty.
func fixedInPython(name, value string) bool {
	for _, prefix := range []string{"PYTHON", "LD_", "MALLOC_", "GLIBC_", "LC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case WrapperVariable, "LANG", "LANGUAGE", "LOCPATH", "GCONV_PATH":
		return true
	case "HOME":
		return value != "/tmp" && !strings.HasPrefix(value, "/tmp/")
	}
	return false
}
