package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// env is what scripts find on this machine. As an ordinary user it is the copy that root made, see ordinary_user_test.go.
type env struct {
	root      string // of the project
	lamina    string // the program under test
	path      string // PATH
	pyenv     string // PYENV_ROOT, "" when there is none
	aws1      string // version 1 of the AWS CLI
	aws2      string // version 2
	boto      string // folder with boto3
	python    python // the newest that this user can read
	artifacts string // layers and programs made from examples/
	examples  string
}

// python is an interpreter of the host.
type python struct {
	runtime string // "python3.13"
	path    string
	minor   int
}

var (
	envOnce sync.Once
	theEnv  *env
	envErr  error
)

// environment looks around once and makes the artifacts. It fails the test when something is missing: `make setup`
// installs it.
func environment(t *testing.T) *env {
	t.Helper()
	envOnce.Do(func() { theEnv, envErr = newEnv() })
	if envErr != nil {
		t.Fatalf("%v (`make setup build` prepares what these tests need)", envErr)
	}
	return theEnv
}

func newEnv() (*env, error) {
	e := &env{root: os.Getenv("LAMINA_E2E_ROOT"), path: os.Getenv("PATH")}
	if e.root == "" {
		e.root = filepath.Join("..", "..")
	}
	var err error
	if e.root, err = filepath.Abs(e.root); err != nil {
		return nil, err
	}
	if e.lamina = os.Getenv("LAMINA_BIN"); e.lamina == "" {
		e.lamina = filepath.Join(e.root, "bin", "lamina")
	}
	e.examples = filepath.Join(e.root, "examples")
	nodes, _ := filepath.Glob(filepath.Join(e.root, ".tools", "node", "*", "bin")) // what setup got
	e.path = strings.Join(append([]string{e.path}, nodes...), string(os.PathListSeparator))
	e.aws1 = filepath.Join(e.root, ".tools", "e2e", "aws1")
	e.aws2 = filepath.Join(e.root, ".tools", "e2e", "aws2")
	for _, p := range []string{e.lamina, e.examples} {
		if _, err := os.Stat(p); err != nil {
			return nil, err
		}
	}
	if e.pyenv = os.Getenv("PYENV_ROOT"); e.pyenv == "" {
		home, _ := os.UserHomeDir()
		if dir := filepath.Join(home, ".pyenv"); exists(filepath.Join(dir, "versions")) {
			e.pyenv = dir
		}
	}
	if e.python, err = newestPython(e.path, e.pyenv); err != nil {
		return nil, err
	}
	if os.Getenv(asUser) == "" {
		if err := e.wrapCLIs(); err != nil {
			return nil, err
		}
	}
	if e.boto, err = sitePackages(e.root); err != nil {
		return nil, err
	}
	e.artifacts, err = e.makeArtifacts(e.python)
	return e, err
}

// wrapCLIs writes one program for each version of the AWS CLI that scripts run as `aws`. Version 2.9, which Debian has,
// does not know AWS_ENDPOINT_URL yet.
//
// Version 1 is started without the system's own packages (-S): Debian's version 2 is a module of the same name, which would
// take its place, and call AWS, when the folder of version 1 is not there or just being made anew.
func (e *env) wrapCLIs() error {
	packages, err := sitePackages(e.root)
	if err != nil {
		return err
	}
	python, err := filepath.EvalSymlinks(filepath.Join(e.root, ".tools", "venv", "bin", "python3"))
	if err != nil {
		return err
	}
	if err := script(e.aws1, "PYTHONPATH="+packages, python, "-S -m awscli"); err != nil {
		return err
	}
	find := exec.Command("bash", "-c", ". scripts/lib.sh && aws2")
	find.Dir = e.root
	out, err := find.Output()
	if err != nil {
		return fmt.Errorf("there is no version 2 of the AWS CLI: %w", err)
	}
	return script(e.aws2, "", strings.TrimSpace(string(out)), `--endpoint-url "$AWS_ENDPOINT_URL"`)
}

// script writes a program that starts another one. It is put in place whole: another run of these tests may be using it.
func script(file, assign, program, args string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	text := "exec " + program + " " + args + ` "$@"` + "\n"
	if assign != "" {
		text = "export " + assign + "\n" + text
	}
	whole, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(whole.Name())
	_, err = whole.WriteString("#!/bin/sh\n" + text)
	if err := errors.Join(err, whole.Chmod(0o755), whole.Close()); err != nil {
		return err
	}
	return os.Rename(whole.Name(), file)
}

// sitePackages is the folder of the tools' Python packages.
func sitePackages(root string) (string, error) {
	found, _ := filepath.Glob(filepath.Join(root, ".tools", "venv", "lib", "python3*", "site-packages"))
	if len(found) == 0 {
		return "", fmt.Errorf("the AWS CLI is not in .tools/venv")
	}
	return found[0], nil
}

var pythonName = regexp.MustCompile(`^python3\.(\d+)$`)

// newestPython finds the newest interpreter, from 3.9 on, that this user can start: on PATH, in /usr/bin, under pyenv.
func newestPython(path, pyenv string) (python, error) {
	dirs := append(filepath.SplitList(path), "/usr/bin")
	if pyenv != "" {
		versions, _ := filepath.Glob(filepath.Join(pyenv, "versions", "*", "bin"))
		dirs = append(dirs, versions...)
	}
	var best python
	for _, dir := range dirs {
		if strings.HasSuffix(dir, "/shims") {
			continue
		}
		entries, _ := os.ReadDir(dir)
		for _, f := range entries {
			m := pythonName.FindStringSubmatch(f.Name())
			if m == nil {
				continue
			}
			minor, _ := strconv.Atoi(m[1])
			p := python{"python" + m[0][len("python"):], filepath.Join(dir, f.Name()), minor}
			if minor >= 9 && minor <= 14 && minor > best.minor && exec.Command(p.path, "-c", "import json, socket").Run() == nil {
				best = p
			}
		}
	}
	if best.minor == 0 {
		return best, fmt.Errorf("no Python from 3.9 on is here")
	}
	return best, nil
}

func exists(p string) bool { _, err := os.Stat(p); return err == nil }
