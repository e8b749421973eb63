package journeys_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// tools is what scripts/setup.sh installed.
func tools(path ...string) string {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return filepath.Join(append([]string{root, ".tools"}, path...)...)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// beside puts a file of this folder into the folder of the journey.
func beside(t *testing.T, dir, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

func packPython(t *testing.T, dir string) ([]string, string) {
	python := tools("venv", "bin", "python")
	if !exists(python) {
		return nil, "boto3 is not in .tools/venv (make setup)"
	}
	return []string{python, beside(t, dir, "python/journey.py")}, ""
}

// packCLI runs the script with version 1 of the AWS CLI, or with the one that LAMINA_JOURNEY_AWS names. Version 2.9, which
// Debian has, does not know AWS_ENDPOINT_URL; every version knows the option.
func packCLI(t *testing.T, dir string) ([]string, string) {
	aws := os.Getenv("LAMINA_JOURNEY_AWS")
	if aws == "" {
		aws = tools("venv", "bin", "aws")
	}
	if !exists(aws) {
		return nil, "there is no AWS CLI in .tools/venv (make setup)"
	}
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	program := fmt.Sprintf("#!/bin/sh\nexec %q --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"\n", aws)
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{"bash", beside(t, dir, "cli/journey.sh")}, ""
}

func packNode(t *testing.T, dir string) ([]string, string) {
	node := newestNode()
	switch modules := tools("journeys", "node", "node_modules"); {
	case node == "":
		return nil, "there is no node 20 or newer"
	case !exists(modules):
		return nil, "the AWS SDK for JavaScript is not in .tools/journeys (make setup)"
	default:
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		return []string{node, beside(t, dir, "node/journey.mjs")}, ""
	}
}

var nodeVersion = regexp.MustCompile(`^v(\d+)\.`)

// newestNode is the newest of PATH's and those that setup got, if the SDK runs on it: the SDK asks for 20.
func newestNode() string {
	all, _ := filepath.Glob(tools("node", "*", "bin", "node"))
	all = append(all, tools("npm", "bin", "node"))
	if p, err := exec.LookPath("node"); err == nil {
		all = append(all, p)
	}
	newest, path := 19, ""
	for _, p := range all {
		out, err := exec.Command(p, "--version").Output()
		if m := nodeVersion.FindSubmatch(out); err == nil && m != nil {
			if n, _ := strconv.Atoi(string(m[1])); n > newest {
				newest, path = n, p
			}
		}
	}
	return path
}

func packGo(t *testing.T, dir string) ([]string, string) {
	program := filepath.Join(dir, "journey")
	if out, err := exec.Command("go", "build", "-o", program, "./go").CombinedOutput(); err != nil {
		t.Fatalf("cannot build the journey: %v\n%s", err, out)
	}
	return []string{program}, ""
}

func packJava(t *testing.T, dir string) ([]string, string) {
	jars, _ := filepath.Glob(tools("journeys", "java", "lambda-*.jar"))
	javac, noJDK := exec.LookPath("javac")
	_, noMaven := exec.LookPath("mvn")
	switch {
	case noJDK != nil:
		return nil, "there is no JDK (javac)"
	case len(jars) == 0 && noMaven != nil:
		return nil, "there is no Maven (mvn) that gets the AWS SDK for Java"
	case len(jars) == 0:
		return nil, "the AWS SDK for Java is not in .tools/journeys (make setup says why)"
	}
	classes := filepath.Join(dir, "classes")
	path := classes + ":" + tools("journeys", "java", "*")
	if out, err := exec.Command(javac, "-J-XX:-UsePerfData", "-d", classes, "-cp", path, "java/Journey.java").CombinedOutput(); err != nil {
		t.Fatalf("cannot compile the journey: %v\n%s", err, out)
	}
	return []string{"java", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-cp", path, "Journey"}, ""
}
