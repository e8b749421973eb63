package execenv

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimeapi"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

// The Runtime API's address inside every sandbox, and where code and layers are.
const (
	apiHost  = "169.254.100.1"
	apiAddr  = apiHost + ":9001"
	taskRoot = "/var/task"
	optRoot  = "/opt"
)

// create makes the sandbox with everything but the runtime's process. An error leaves nothing that close does not end.
func (e *environment) create(ctx context.Context) error {
	o := &e.pool.o
	var err error
	if e.runtime, err = o.Runtimes.Resolve(ctx, e.rev.Config.Runtime); err != nil {
		return err
	}
	if err := e.openTrees(ctx); err != nil {
		return err
	}
	// From here on a caller that goes away does not matter: what is half made helps nobody.
	ctx = context.WithoutCancel(ctx)
	return e.createBox(ctx)
}

// createBox gets a sandbox with what every function finds in it: a spare one's, or a new one.
func (e *environment) createBox(ctx context.Context) error {
	if e.adoptSpare(ctx) {
		return nil
	}
	box, err := e.pool.o.Sandboxes.Create(ctx, e.spec())
	if err != nil {
		return fmt.Errorf("cannot create a sandbox: %w", err)
	}
	e.box = box
	if e.api, err = e.pool.equip(ctx, box, e.rev.Key.Account); err != nil {
		return err
	}
	e.env = e.variables(e.api.Describe(zoneID(e.rev.Key.Region)))
	return nil
}

// equip serves the Runtime API in a new sandbox, and lamina's own for those that may use it.
func (p *Pool) equip(ctx context.Context, box sandbox.Sandbox, account string) (*runtimeapi.Server, error) {
	if !p.adopt(box) {
		return nil, errClosed
	}
	l, err := box.Listen(ctx, apiAddr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen in the sandbox: %w", err)
	}
	api := runtimeapi.Serve(l)
	return api, p.offerEndpoint(ctx, box, account)
}

// openTrees gets the folders of code and layers, and holds them until close.
func (e *environment) openTrees(ctx context.Context) error {
	var err error
	if e.code, err = e.pool.o.Store.Lower(ctx, e.rev.Code); err != nil {
		return fmt.Errorf("cannot open the deployment package: %w", err)
	}
	for _, l := range e.rev.Layers {
		tree, err := e.pool.o.Store.Lower(ctx, l.Content)
		if err != nil {
			return fmt.Errorf("cannot open layer %s: %w", l.ARN, err)
		}
		e.layers = append(e.layers, tree)
	}
	return nil
}

func (e *environment) spec() sandbox.Spec {
	spec := e.pool.spec(e.id, e.rev.Key.Account, e.runtime)
	rest := e.rest()
	spec.Root = append(spec.Root, rest.Root...)
	spec.TmpSize, spec.Memory, spec.Processors = rest.TmpSize, rest.Memory, rest.Processors
	return spec
}

// spec is what sandboxes of a runtime and an account have in common.
func (p *Pool) spec(id, account string, r *runtimes.Runtime) sandbox.Spec {
	return sandbox.Spec{
		ID:         id,
		Account:    account,
		Root:       append(runtimes.DefaultRoot(), r.Mounts...),
		Processes:  lambda.MaxProcesses,
		Reach:      p.o.Reach,
		LocalAddrs: []string{apiHost},
	}
}

// rest is what belongs to the function.
func (e *environment) rest() sandbox.Rest {
	c := &e.rev.Config
	return sandbox.Rest{
		Processors: e.processors(),
		Root: []sandbox.Mount{
			{Target: taskRoot, Overlay: []string{e.code.Path}},
			{Target: optRoot, Overlay: e.optLowers()},
		},
		TmpSize: int64(c.StorageSize) << 20,
		Memory:  int64(c.MemorySize) << 20,
	}
}

// optLowers gives the folders of /opt, the top one first: the last layer of the list wins. Layers with the same content share
// a folder, which overlayfs takes only once; below its place on top it would show nothing.
func (e *environment) optLowers() []string {
	lowers := make([]string, 0, len(e.layers))
	for i := len(e.layers) - 1; i >= 0; i-- {
		if !slices.Contains(lowers, e.layers[i].Path) {
			lowers = append(lowers, e.layers[i].Path)
		}
	}
	return lowers
}

// noExtensions is the file at /opt by which a layer keeps AWS from starting any.
const noExtensions = "disable-extensions-jwigqn8j"

// extensions names the files below /opt/extensions, which AWS would start, in its order. Links are not followed: the trees are
// of strangers, and this is not yet inside the sandbox.
func (e *environment) extensions() []string {
	lowers := e.optLowers()
	if _, _, err := lookUp(lowers, noExtensions); err == nil {
		return nil
	}
	isFolder := map[string]bool{}
	for _, lower := range lowers {
		dir := filepath.Join(lower, "extensions")
		info, err := os.Lstat(dir)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			break // it hides those of the layers below
		}
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			if _, hidden := isFolder[entry.Name()]; !hidden {
				isFolder[entry.Name()] = entry.IsDir()
			}
		}
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(isFolder)) {
		if !isFolder[name] {
			found = append(found, optRoot+"/extensions/"+name)
		}
	}
	return found
}
