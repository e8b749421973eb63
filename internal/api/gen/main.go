// Gen writes the Go tables of the Lambda API from the public service model: zz_routes.go, zz_shapes.go and
// zz_constraints.go of internal/api/lambdaapi. Run it from the module's root:
//
//	go run ./internal/api/gen
//
// The model is read from an installed botocore of the version in botocoreVersion. What AWS does differently from its own
// model is in overrides.go, and nowhere else.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const outputFolder = "internal/api/lambdaapi"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	m, err := findModel()
	if err != nil {
		return err
	}
	files, err := generate(m)
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(outputFolder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
