package execenv

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer"
	"github.com/laminadev/lamina/internal/layer/explain"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/telemetry"
)

// hintMark begins the line that says why an import failed. AWS has no such line.
const hintMark = "LAMINA_HINT "

// importError reports whether an error of this type may come of an import, of the load of a library, or of a file's mode.
func importError(errorType string) bool {
	switch errorType {
	case "Runtime.ImportModuleError", "ModuleNotFoundError", "ImportError", "OSError", "PermissionError", "Error":
		return true
	}
	return false
}

// hint publishes a line that says why a module is missing, a library cannot be loaded, or a file not be used, when that is
// what the posted error says. It lists code and layers, which costs milliseconds, and does so only after such a failure.
func (e *environment) hint(posted []byte) {
	var said struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(posted, &said) != nil || !importError(said.Type) {
		return
	}
	// Our runtimes say themselves how to get AWS's SDK.
	if r, ok := e.explain(said.Message); ok && !r.SDK {
		e.publish(telemetry.TypeFault, hintMark+strings.ReplaceAll(r.String(), "\n", " ")+"\n")
	}
}

func (e *environment) explain(message string) (explain.Result, bool) {
	module, missing := explain.Missing(message)
	refused := !missing && explain.Refused(message)
	if !missing && !refused && !explain.Unloadable(message) {
		return explain.Result{}, false
	}
	parts, release := e.parts()
	defer release()
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if refused {
		return explain.Denied(message, parts)
	}
	if !missing {
		return explain.Library(message, e.runtime.Name, arch, parts)
	}
	if r, ok := explain.Handler(e.rev.Config.Handler, module, e.runtime.Name, parts); ok {
		return r, true
	}
	return explain.Import(module, e.runtime.Name, arch, parts)
}

// parts lists what the function sees, until release. What cannot be listed is left out.
func (e *environment) parts() (parts []explain.Part, release func()) {
	var roots []*os.Root
	add := func(name, at string, l *layerstore.Lower) {
		content, err := layer.FromFolder(l.Path)
		if err != nil {
			return
		}
		part := explain.Part{Name: name, Root: at, Entries: content.Entries()}
		if root, err := os.OpenRoot(l.Path); err == nil { // links in it are strangers', and lead nowhere else
			roots = append(roots, root)
			part.Files = root.FS()
		}
		parts = append(parts, part)
	}
	add("the function's code", taskRoot, e.code)
	for i, l := range e.layers {
		add(layerLabel(e.rev.Layers[i].ARN), optRoot, l)
	}
	return parts, func() {
		for _, r := range roots {
			r.Close()
		}
	}
}

// layerLabel names a layer as people do. One without a version lies on the disk and was never published.
func layerLabel(a lambda.LayerVersionARN) string {
	if a.Version == 0 {
		return "layer " + string(a.Name)
	}
	_, label, _ := strings.Cut(a.String(), ":layer:")
	return "layer " + label
}
