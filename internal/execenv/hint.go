package execenv

import (
	"encoding/json"
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

// importError reports whether an error of this type may come of an import.
func importError(errorType string) bool {
	switch errorType {
	case "Runtime.ImportModuleError", "ModuleNotFoundError", "ImportError", "Error":
		return true
	}
	return false
}

// hint publishes a line that says why a module is missing, when that is what the posted error says. It lists code and
// layers, which costs milliseconds, and does so only after such a failure.
func (e *environment) hint(posted []byte) {
	var said struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}
	if json.Unmarshal(posted, &said) != nil || !importError(said.Type) {
		return
	}
	module, ok := explain.Missing(said.Message)
	if !ok {
		return
	}
	// Our runtimes say themselves how to get AWS's SDK.
	if r, ok := e.explain(module); ok && !r.SDK {
		e.publish(telemetry.TypeFault, hintMark+strings.ReplaceAll(r.String(), "\n", " ")+"\n")
	}
}

func (e *environment) explain(module string) (explain.Result, bool) {
	parts := e.parts()
	if r, ok := explain.Handler(e.rev.Config.Handler, module, e.runtime.Name, parts); ok {
		return r, true
	}
	arch := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	return explain.Import(module, e.runtime.Name, arch, parts)
}

// parts lists what the function sees. What cannot be listed is left out.
func (e *environment) parts() []explain.Part {
	var parts []explain.Part
	add := func(name, root string, l *layerstore.Lower) {
		if content, err := layer.FromFolder(l.Path); err == nil {
			parts = append(parts, explain.Part{Name: name, Root: root, Entries: content.Entries()})
		}
	}
	add("the function's code", taskRoot, e.code)
	for i, l := range e.layers {
		add(layerLabel(e.rev.Layers[i].ARN), optRoot, l)
	}
	return parts
}

// layerLabel names a layer as people do. One without a version lies on the disk and was never published.
func layerLabel(a lambda.LayerVersionARN) string {
	if a.Version == 0 {
		return "layer " + string(a.Name)
	}
	_, label, _ := strings.Cut(a.String(), ":layer:")
	return "layer " + label
}
