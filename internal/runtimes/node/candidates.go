package node

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// candidates lists the files that may be interpreters, each real file once, without running any.
func (h *Host) candidates() []string {
	var files []string
	for _, dir := range h.folders() {
		for _, name := range []string{"node", "nodejs"} {
			file, err := filepath.EvalSymlinks(filepath.Join(dir, name))
			if err == nil && !slices.Contains(files, file) && interpreter.Executable(file) {
				files = append(files, file)
			}
		}
	}
	return files
}

// managed are the places, below the home folder, where version managers keep interpreters.
var managed = []string{".nvm/versions/node/*/bin", ".volta/tools/image/node/*/bin", ".asdf/installs/nodejs/*/bin",
	".local/share/fnm/node-versions/*/installation/bin", ".local/share/mise/installs/node/*/bin"}

// folders are where interpreters live: PATH's, the version managers', and the system's.
func (h *Host) folders() []string {
	dirs := filepath.SplitList(cmp.Or(h.Path, os.Getenv("PATH")))
	patterns := []string{"/usr/local/n/versions/node/*/bin"}
	if root := os.Getenv("NVM_DIR"); root != "" {
		patterns = append(patterns, filepath.Join(root, "versions/node/*/bin"))
	}
	if home, err := os.UserHomeDir(); err == nil {
		for _, p := range managed {
			patterns = append(patterns, filepath.Join(home, p))
		}
	}
	for _, p := range patterns {
		found, _ := filepath.Glob(p)
		dirs = append(dirs, found...)
	}
	dirs = append(dirs, h.system...)
	return slices.DeleteFunc(dirs, func(d string) bool { return !filepath.IsAbs(d) })
}
