package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// goOwn are the go command's own: it keeps its caches, and its work folders go when it ends.
var goOwn = map[string]bool{".cache/go-build": true, ".config/go": true, "go": true, ".cache/staticcheck": true}

// files lists what lies where programs leave things, one level deep, and what git does not know in the project.
func files() map[string]string {
	home, _ := os.UserHomeDir()
	places := []string{os.TempDir(), "/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/run/user/" + strconv.Itoa(os.Getuid()),
		"/var/lib", home, home + "/.aws", home + "/.cache", home + "/.config", home + "/.local/share", home + "/.local/state"}
	found := map[string]string{}
	for _, place := range places {
		entries, _ := os.ReadDir(place)
		for _, e := range entries {
			p := filepath.Join(place, e.Name())
			rel, _ := filepath.Rel(home, p)
			if !goOwn[rel] && !strings.HasPrefix(e.Name(), "go-build") && !strings.HasPrefix(e.Name(), "staticcheck") {
				found[p] = p
			}
		}
	}
	out, _ := exec.Command("git", "status", "--porcelain", "--untracked-files=all").Output()
	for line := range strings.Lines(string(out)) {
		if p, untracked := strings.CutPrefix(strings.TrimSpace(line), "?? "); untracked {
			found["git "+p] = p + " in the project"
		}
	}
	return found
}
