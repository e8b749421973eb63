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
	// Sized reports that the process is started for one size of memory: it divides its heap by it. The size is in the
	// variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE, and only functions of that size can have the process.
	Sized bool
	// Fixed reports whether the process has read a variable for good when it boots, or shows another behaviour for it than
	// one that was started with it. A function which sets it gets a process of its own.
	Fixed func(name, value string) bool
}

const pipeVariable = "_LAMINA_IDENTITY_FD"

// Spare is nil for a runtime that cannot be booted ahead.
func (r *Runtime) Spare() *Spare {
	switch r.Name.Family() {
	case "python":
		return &Spare{Env: r.Env, PipeVariable: pipeVariable, Fixed: fixedInPython}
	case "nodejs":
		return &Spare{Env: r.Env, PipeVariable: pipeVariable, Sized: true, Fixed: fixedInNode}
	}
	return nil
}

// fixedInPython: HOME decides whether there is a user's site-packages; there is none in a /tmp that was empty.
func fixedInPython(name, value string) bool {
	if name == "HOME" {
		return value != "/tmp" && !strings.HasPrefix(value, "/tmp/")
	}
	return strings.HasPrefix(name, "PYTHON") || fixedByLoader(name)
}

// fixedInNode: beside what node reads itself, libuv and OpenSSL look at variables of theirs when they start. NODE_ENV is the
// function's alone.
func fixedInNode(name, _ string) bool {
	if name == "NODE_ENV" {
		return false
	}
	for _, prefix := range []string{"NODE_", "UV_", "OPENSSL_", "SSL_", "ICU_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return fixedByLoader(name)
}

// fixedByLoader: the C library and its loader read these when a process starts, as a wrapper script is run then.
func fixedByLoader(name string) bool {
	for _, prefix := range []string{"LD_", "MALLOC_", "GLIBC_", "LC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	switch name {
	case WrapperVariable, "LANG", "LANGUAGE", "LOCPATH", "GCONV_PATH":
		return true
	}
	return false
}
