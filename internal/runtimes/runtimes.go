// Package runtimes knows the managed runtimes of this machine: which there are, and what a sandbox must show for each.
//
// A python or nodejs runtime is an interpreter of the host shown at AWS's paths (/var/lang), without the host's packages,
// with our own bootstrap in /var/runtime and, once Add has installed it, AWS's SDK of a pinned version. A node that the host
// does not have can be added as a package. A provided runtime brings nothing: its bootstrap is in the function's package or
// in a layer.
//
// Nothing is looked for before it is needed, and what a look at an interpreter has shown is kept in Options.Dir, so a later
// start only has to see that the file is the same.
package runtimes

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes/node"
	"github.com/laminadev/lamina/internal/runtimes/python"
	"github.com/laminadev/lamina/internal/sandbox"
)

// Options are the settings of a Set.
type Options struct {
	Dir   string            // what is known of interpreters, and the folders made for them; only this machine's
	Store *layerstore.Store // keeps the SDKs, beside the layers
	Log   *slog.Logger
	Path  string // where interpreters are looked for, in the form of the variable PATH; "": there
}

// Set is the managed runtimes of this machine. Its methods may be called at the same time.
type Set struct {
	dir    string
	store  *layerstore.Store
	log    *slog.Logger
	python *python.Host
	node   *node.Host
}

// New makes a Set. It looks at nothing yet and cannot fail.
func New(o Options) *Set {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Set{
		dir: o.Dir, store: o.Store, log: log,
		python: python.NewHost(filepath.Join(o.Dir, "python"), log), node: node.NewHost(filepath.Join(o.Dir, "node"), log),
	}
	s.python.Path, s.node.Path = o.Path, o.Path
	return s
}

// Info describes a runtime of this machine.
type Info struct {
	Runtime     lambda.Runtime
	Version     string   // of the interpreter, "3.12.1"; empty for provided runtimes
	Interpreter string   // its real file on the host; empty for one that was added
	SDK         string   // "boto3 1.40.1", empty when none is installed
	Source      string   // "host", "added", or "built in" for provided runtimes
	Missing     []string // parts of the standard library that the interpreter was built without
}

// provided are the runtimes that need nothing of the host.
var provided = []lambda.Runtime{"provided.al2", "provided.al2023"}

// List gives the runtimes that functions can use here: python, nodejs, then provided, each oldest first.
func (s *Set) List(ctx context.Context) ([]Info, error) {
	found, err := s.python.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list runtimes: %w", err)
	}
	var infos []Info
	for _, in := range found {
		infos = append(infos, s.info(in))
	}
	nodes, err := s.listNode(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list runtimes: %w", err)
	}
	infos = append(infos, nodes...)
	for _, r := range provided {
		infos = append(infos, Info{Runtime: r, Source: "built in"})
	}
	return infos, nil
}

func (s *Set) info(in python.Interpreter) Info {
	i := Info{Runtime: lambda.Runtime(in.Name()), Version: in.Version, Interpreter: in.Path, Source: "host", Missing: in.Missing}
	if sdk, ok := s.installedSDK(i.Runtime); ok {
		i.SDK = sdk.Version
	}
	return i
}

// Runtime is what a sandbox needs to run functions of one runtime.
type Runtime struct {
	Name    lambda.Runtime
	Version string // of the interpreter
	// Mounts show the runtime: /var/lang, /var/runtime and what hides the host's packages. They follow DefaultRoot's.
	Mounts []sandbox.Mount
	// Bootstrap is the command of a managed runtime. For a provided runtime it is the list of places where a bootstrap is
	// looked for: the first that exists and is not a folder is the command, without arguments.
	Bootstrap []string
	// Env are the variables that AWS's bootstrap script exports before it starts the interpreter.
	Env []string
	// Release lets go of the trees that Mounts show. Call it when the sandbox is closed.
	Release func()

	command func(env []string) []string // gives the command where it depends on the environment
}

// WrapperVariable names the wrapper script that a managed runtime's bootstrap starts instead of the interpreter.
const WrapperVariable = "AWS_LAMBDA_EXEC_WRAPPER"

// Command gives how to start a managed runtime with this environment: the interpreter itself, or, when a wrapper script is
// set, the bootstrap script that checks and runs it. (The script alone would do, but a shell costs a millisecond.)
func (r *Runtime) Command(env []string) []string {
	wrapped := slices.ContainsFunc(env, func(kv string) bool {
		return len(kv) > len(WrapperVariable)+1 && kv[:len(WrapperVariable)+1] == WrapperVariable+"="
	})
	if wrapped && !r.Name.Provided() {
		return []string{"/var/runtime/bootstrap"}
	}
	if r.command != nil {
		return r.command(env)
	}
	return r.Bootstrap
}

// Resolve gives what is needed to run functions of a runtime, and holds it until Release. When the runtime is not here the
// error has kind BadRuntime and says how to get it.
func (s *Set) Resolve(ctx context.Context, r lambda.Runtime) (*Runtime, error) {
	switch r.Family() {
	case "provided":
		return resolveProvided(r)
	case "python":
		return s.resolvePython(ctx, r)
	case "nodejs":
		return s.resolveNode(ctx, r)
	}
	return nil, lambda.Errorf(lambda.BadRuntime, "The runtime %s is not built into lamina yet; `lamina runtime list` shows what is here.", r)
}

func resolveProvided(r lambda.Runtime) (*Runtime, error) {
	if !slices.Contains(provided, r) {
		return nil, lambda.Errorf(lambda.BadRuntime, "The runtime %s is not supported; use provided.al2023.", r)
	}
	return &Runtime{
		Name:      r,
		Mounts:    []sandbox.Mount{{Target: "/var/runtime", Empty: true}},
		Bootstrap: []string{"/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap"},
		Release:   func() {},
	}, nil
}

func (s *Set) resolvePython(ctx context.Context, r lambda.Runtime) (*Runtime, error) {
	in, err := s.interpreter(ctx, r)
	if err != nil {
		return nil, err
	}
	tree, err := s.python.Tree(ctx, in)
	if err != nil {
		return nil, lambda.Errorf(lambda.BadRuntime, "The runtime %s cannot be prepared from %s: %w", r, in.Path, err)
	}
	sdk, release, err := s.openSDK(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Runtime{
		Name:      r,
		Version:   in.Version,
		Mounts:    tree.Mounts(sdk),
		Bootstrap: []string{"/var/lang/bin/" + in.Name(), "/var/runtime/bootstrap.py"},
		Env:       []string{"AWS_EXECUTION_ENV=AWS_Lambda_" + in.Name()},
		Release:   release,
	}, nil
}

// interpreter finds the best interpreter for a python runtime.
func (s *Set) interpreter(ctx context.Context, r lambda.Runtime) (python.Interpreter, error) {
	minor, err := python.Minor(string(r))
	if err != nil {
		return python.Interpreter{}, lambda.Errorf(lambda.BadRuntime, "The runtime %s is not supported; lamina runs python3.%d to python3.%d.",
			r, python.OldestMinor, python.NewestMinor)
	}
	in, ok, err := s.python.Best(ctx, minor)
	if err != nil {
		return in, fmt.Errorf("cannot look for %s: %w", r, err)
	}
	if !ok {
		return in, lambda.Errorf(lambda.BadRuntime,
			"The runtime %[1]s is not on this machine: no %[1]s was found on PATH, under pyenv, or in /usr/bin. "+
				"Install it (for example `pyenv install 3.%[2]d`, or the system's %[1]s package) and invoke again; "+
				"`lamina runtime add %[1]s` then adds AWS's SDK.", r, minor)
	}
	return in, nil
}
