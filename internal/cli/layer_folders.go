package cli

import (
	"archive/zip"
	"bytes"
	"strings"
)

// layerFolders are what runtimes look for in a layer: folders, and the program that is a custom runtime.
var layerFolders = map[string]bool{
	"python": true, "nodejs": true, "java": true, "ruby": true, "bin": true, "lib": true, "extensions": true, "bootstrap": true,
}

const unseen = "note: it has none of the folders of a layer in which runtimes look (python/, nodejs/node_modules/, java/lib/, ruby/, bin/, lib/); " +
	"functions find the rest only by its path below /opt\n"

// hasLayerFolder reports whether a zip has something that a runtime looks for. What is no zip is for the server to say.
func hasLayerFolder(b []byte) bool {
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return true
	}
	for _, f := range r.File {
		if top, _, _ := strings.Cut(strings.TrimPrefix(f.Name, "./"), "/"); layerFolders[top] {
			return true
		}
	}
	return false
}
