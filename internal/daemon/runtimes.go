package daemon

import (
	"context"
	"fmt"
	"io"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
)

// Runtime is a managed runtime of this machine.
type Runtime struct {
	Name        string
	Version     string   `json:",omitempty"` // of the interpreter
	Interpreter string   `json:",omitempty"`
	SDK         string   `json:",omitempty"`
	Source      string   // "host", "built in"
	Missing     []string `json:",omitempty"` // modules of the standard library that it was built without
}

// ListRuntimes gives the runtimes that functions can use with this data folder.
func ListRuntimes(ctx context.Context, cfg config.Config) ([]Runtime, error) {
	if err := makeFolder(cfg.Data); err != nil { // what is seen of interpreters is kept there
		return nil, err
	}
	infos, err := runtimes.New(runtimes.Options{Dir: (&folder{path: cfg.Data}).sub("runtimes")}).List(ctx)
	if err != nil {
		return nil, err
	}
	all := []Runtime{}
	for _, i := range infos {
		all = append(all, newRuntime(i))
	}
	return all, nil
}

// AddRuntime installs AWS's SDK for a runtime into the data folder, whether a server is using it or not.
func AddRuntime(ctx context.Context, cfg config.Config, name string, progress io.Writer) (r Runtime, err error) {
	dir := &folder{path: cfg.Data}
	if err := makeFolder(cfg.Data); err != nil {
		return r, err
	}
	driver, err := diskblob.Open(dir.sub("blobs"))
	if err != nil {
		return r, err
	}
	blobs := blob.New(driver)
	defer blobs.Close()
	store, err := layerstore.Open(layerstore.Options{Dir: dir.sub("trees"), Blobs: blobs, Now: now})
	if err != nil {
		return r, err
	}
	info, err := runtimes.New(runtimes.Options{Dir: dir.sub("runtimes"), Store: store}).Add(ctx, lambda.Runtime(name), progress)
	if closing := store.Close(); err == nil && closing != nil {
		err = fmt.Errorf("cannot finish the SDK's tree: %w", closing)
	}
	return newRuntime(info), err
}

func newRuntime(i runtimes.Info) Runtime {
	return Runtime{string(i.Runtime), i.Version, i.Interpreter, i.SDK, i.Source, i.Missing}
}
