package layerstore_test

import (
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// TestDirectoriesThatShutTheirOwnerOut unpacks and removes directories without rwx for their owner. Root is not kept out
// by them, so as root the test runs itself again as an ordinary user.
func TestDirectoriesThatShutTheirOwnerOut(t *testing.T) {
	if os.Geteuid() == 0 {
		runAsOrdinaryUser(t)
		return
	}
	zip := func(content string) []byte {
		return lambdatest.ZipOf(
			lambdatest.Entry{Name: "shut/", Mode: fs.ModeDir},
			lambdatest.Entry{Name: "shut/inner/", Mode: fs.ModeDir | 0o111},
			lambdatest.Entry{Name: "shut/inner/f", Content: content, Mode: 0o444},
			lambdatest.Entry{Name: "readonly/", Mode: fs.ModeDir | 0o555},
			lambdatest.Entry{Name: "readonly/f", Mode: 0o644})
	}
	base := t.TempDir()
	f := openFixture(t, base)
	c := f.put(t, zip("honest"))
	l := f.lower(t, c)
	for name, want := range map[string]fs.FileMode{"shut": 0, "readonly": 0o555} {
		info, err := os.Stat(filepath.Join(l.Path, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %s = %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	l.Release()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	// Without its marker the tree is removed at the next start.
	if err := os.Remove(filepath.Join(f.tree(c), "complete")); err != nil {
		t.Fatal(err)
	}
	f = openFixture(t, base)
	// A zip that shows only at its end that it is damaged: what was unpacked is removed.
	broken := zip("honest")
	at := len(broken) - 200
	for at > 0 && string(broken[at:at+4]) != "PK\x01\x02" {
		at--
	}
	broken[at+16] ^= 0xff // the checksum of the last entry
	if _, err := f.Import(t.Context(), f.stage(t, broken), layerstore.ImportLimits{}); err == nil {
		t.Error("Import of a damaged zip gave no error")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"tmp", "trees"} {
		if left := listing(t, filepath.Join(f.dir, sub)); len(left) != 1 {
			t.Errorf("%s holds %v", sub, left)
		}
	}
}

// runAsOrdinaryUser runs the calling test in a copy of this program that nobody is kept from.
func runAsOrdinaryUser(t *testing.T) {
	t.Helper()
	const nobody = 65534
	dir, err := os.MkdirTemp("", "layerstore")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "test")
	for _, err := range []error{os.Chmod(dir, 0o755), copyProgram(program), os.Mkdir(filepath.Join(dir, "tmp"), 0o755),
		os.Chown(filepath.Join(dir, "tmp"), nobody, nobody)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + filepath.Join(dir, "tmp"), "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("as an ordinary user: %v\n%s", err, out)
	}
}

func copyProgram(to string) error {
	src, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err := dst.Close(); err != nil {
		return err
	}
	return err
}
