package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// botocoreVersion is the version whose service model the committed files come from.
const botocoreVersion = "1.43.11"

// pythons are where a botocore may be, first found first taken: the one that the environment names, the project's own tools
// folder (as seen from the module's root and from this folder), and PATH.
func pythons() []string {
	return []string{
		os.Getenv("LAMINA_BOTOCORE_PYTHON"),
		".tools/venv/bin/python", "../../../.tools/venv/bin/python",
		"python3",
	}
}

// findModel reads the service model of Lambda from the first python that has a botocore of the right version.
func findModel() (*model, error) {
	var tried []string
	for _, python := range pythons() {
		if python == "" {
			continue
		}
		folder, err := botocoreFolder(python)
		if err == nil {
			return readModel(filepath.Join(folder, "data/lambda/2015-03-31/service-2.json.gz"))
		}
		tried = append(tried, fmt.Sprintf("%s: %v", python, err))
	}
	return nil, fmt.Errorf("no python has botocore %s (%s)", botocoreVersion, strings.Join(tried, "; "))
}

func botocoreFolder(python string) (string, error) {
	out, err := exec.Command(python, "-c", "import botocore; print(botocore.__version__); print(botocore.__path__[0])").Output()
	if err != nil {
		return "", err
	}
	version, folder, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if version != botocoreVersion {
		return "", fmt.Errorf("its botocore is %s", version)
	}
	return strings.TrimSpace(folder), nil
}

func readModel(path string) (*model, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	m := &model{}
	if err := json.NewDecoder(z).Decode(m); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return m, nil
}
