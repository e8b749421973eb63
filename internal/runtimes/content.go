package runtimes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/laminadev/lamina/internal/lambda"
)

// Contents gives what the runtimes that were added need in the layer store, and the paths of records that cannot be read, which
// count as none: `lamina runtime add` writes new ones. dir is Options.Dir.
func Contents(dir string) (contents []lambda.Content, unreadable []string, err error) {
	sdk := filepath.Join(dir, "sdk")
	entries, err := os.ReadDir(sdk)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("cannot list the runtimes: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(sdk, e.Name())
		if filepath.Ext(path) != ".json" {
			continue
		}
		if _, err := os.ReadFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("cannot read a runtime's record: %w", err)
		}
		rec, ok := readRecord(path)
		if !ok || rec.Content.Digest.IsZero() {
			unreadable = append(unreadable, path)
			continue
		}
		contents = append(contents, rec.Content)
	}
	return contents, unreadable, nil
}
