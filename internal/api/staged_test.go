package api_test

import (
	"os"
	"path/filepath"
	"testing"
)

// staged counts the files below the folder of blobs that are not blobs.
func staged(t *testing.T, s *server) int {
	t.Helper()
	list, err := os.ReadDir(filepath.Join(s.blobs, "staging"))
	must(t, err)
	return len(list)
}
