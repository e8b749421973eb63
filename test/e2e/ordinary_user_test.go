package e2e_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ordinaryID is the user and group of the run as an ordinary user: nobody has it, so nothing but what is given to it can
// be of help.
const ordinaryID = 61183

// TestAsOrdinaryUser runs this test binary again without root, on a copy of what it needs in a folder of its own.
func TestAsOrdinaryUser(t *testing.T) {
	if os.Getenv(asUser) != "" || os.Getuid() != 0 {
		t.Skip("this is the run as an ordinary user already")
	}
	e := environment(t)
	dir, err := os.MkdirTemp("", "lamina-e2e-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	u, err := e.copyFor(dir)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFile(self, filepath.Join(dir, "e2e.test")); err != nil {
		t.Fatal(err)
	}
	if err := giveAway(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "e2e.test"), "-test.run=^TestScripts$", "-test.v=true", "-test.timeout=10m")
	cmd.Dir = filepath.Join(dir, "test", "e2e")
	cmd.Env = []string{asUser + "=1", "LAMINA_E2E_ROOT=" + dir, "LAMINA_BIN=" + u.lamina, "HOME=" + filepath.Join(dir, "home"),
		"TMPDIR=" + filepath.Join(dir, "tmp"), "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "LAMINA_TEST_RUN=" + os.Getenv("LAMINA_TEST_RUN")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: ordinaryID, Gid: ordinaryID}}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", indent(out))
	if err != nil {
		t.Fatalf("as uid %d: %v", ordinaryID, err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "e2e: ") {
			fmt.Print(line)
			return
		}
	}
	t.Error("the run as an ordinary user ran no script")
}

// copyFor makes what the scripts need in dir: the program, the examples, artifacts for a Python that everybody can read,
// and the AWS CLI.
func (e *env) copyFor(dir string) (*env, error) {
	u := &env{root: dir, path: "/usr/local/bin:/usr/bin:/bin", lamina: filepath.Join(dir, "bin", "lamina"),
		aws1: filepath.Join(dir, ".tools", "e2e", "aws1")}
	for _, d := range []string{"home", "tmp", "bin", "test", ".tools/e2e"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	if u.python, err = newestPython(u.path, ""); err != nil {
		return nil, err
	}
	artifacts, err := e.makeArtifacts(u.python)
	if err != nil {
		return nil, err
	}
	packages, err := sitePackages(e.root)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(e.root, packages)
	if err != nil {
		return nil, err
	}
	for from, to := range map[string]string{
		artifacts:                            filepath.Join(".tools", "e2e", u.python.runtime),
		packages:                             rel,
		e.examples:                           "examples",
		filepath.Join(e.root, "test", "e2e"): filepath.Join("test", "e2e"),
	} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(from)); err != nil {
			return nil, err
		}
	}
	plain := os.Getenv("LAMINA_BIN_PLAIN") // without the race detector, whose shadow memory an ordinary user's limits may refuse
	if plain == "" {
		plain = filepath.Join(e.root, "bin", "lamina")
	}
	if err := copyFile(plain, u.lamina); err != nil {
		return nil, err
	}
	base, err := filepath.EvalSymlinks(filepath.Join(e.root, ".tools", "venv", "bin", "python3"))
	if err != nil {
		return nil, err
	}
	return u, script(u.aws1, "PYTHONPATH="+filepath.Join(dir, rel), base, "-S -m awscli")
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o755)
}

// giveAway makes everything below dir the ordinary user's.
func giveAway(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, ordinaryID, ordinaryID)
	})
}

func indent(b []byte) string {
	var s strings.Builder
	for lines := bufio.NewScanner(strings.NewReader(string(b))); lines.Scan(); {
		s.WriteString("    " + lines.Text() + "\n")
	}
	return s.String()
}
