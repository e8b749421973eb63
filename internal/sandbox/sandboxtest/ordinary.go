package sandboxtest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// nobody is the ordinary user that root becomes for the second run.
const nobody = 65534

// SubordinateVariable says that the user who runs the test has subordinate IDs.
const SubordinateVariable = "LAMINA_TEST_SUBORDINATE"

// RunWithSubordinateIDs runs the named test of this test program again, as a user with subordinate IDs: in a mount namespace
// whose /etc knows such a user.
func RunWithSubordinateIDs(t *testing.T, test string) {
	if os.Getenv(SubordinateVariable) == "" {
		enterEtc(t)
		return
	}
	for name, text := range map[string]string{
		"passwd": fmt.Sprintf("root:x:0:0::/root:/bin/sh\nnobody:x:%d:%d::/nonexistent:/bin/sh\n", nobody, nobody),
		"subuid": "other:100000:65536\nnobody:300000:65536\n",
		"subgid": "nobody:400000:65536\n",
	} {
		show(t, filepath.Join("/etc", name), text)
	}
	RunAsOrdinaryUser(t, test)
}

// enterEtc runs the calling test again in a mount namespace of its own.
func enterEtc(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("user %d cannot change /etc; with a line in /etc/subuid it has run the other tests with subordinate IDs", os.Geteuid())
	}
	// Of a container's root, who has few IDs or may not do as it likes with them, nobody else gets any.
	if ids, err := os.ReadFile("/proc/self/uid_map"); err != nil || strings.Join(strings.Fields(string(ids)), " ") != "0 0 4294967295" {
		t.Skipf("NOT RUN: this root has not all user IDs, but %q (%v)", ids, err)
	}
	if _, err := exec.LookPath("newuidmap"); err != nil {
		t.Fatal("there is no newuidmap: install uidmap")
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.timeout", "5m", "-test.v")
	cmd.Env = append(os.Environ(), SubordinateVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	m := regexp.MustCompile(fmt.Sprintf(`(?m)^(sandboxtest: .* ran as user %d, .*) \(`, nobody)).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("with subordinate IDs: %v\n%s", err, out)
	}
	fmt.Printf("%s (%s)\n", m[1], t.Name())
}

// show covers a file in this mount namespace.
func show(t *testing.T, path, text string) {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(file, path, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(path, syscall.MNT_DETACH) })
}

var ranLine = regexp.MustCompile(`(?m)^sandboxtest: (\d+) cases ran as user (\d+), (\d+) could not$`)

// RunAsOrdinaryUser runs the named test of this test program again, as a user without privileges. An ordinary user has
// run it already, so then there is nothing to do.
func RunAsOrdinaryUser(t *testing.T, test string) {
	if os.Geteuid() != 0 {
		t.Skipf("%s has run as user %d; there is no root here to run it as another one", test, os.Geteuid())
	}
	dir := publicFolder(t)
	program := filepath.Join(dir, "sandbox.test")
	copyProgram(t, program)
	args := []string{"-test.run", "^" + test + "$", "-test.timeout", "5m"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("as user %d: %v\n%s", nobody, err, out)
	}
	m := ranLine.FindStringSubmatch(string(out))
	if m == nil || number(m[1])+number(m[3]) != len(cases) || number(m[1]) < leastCases {
		t.Fatalf("as user %d not every case ran:\n%s", nobody, out)
	}
	fmt.Printf("%s (%s)\n", m[0], test)
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// publicFolder is one that the other user may enter and write to, unlike the test's own.
func publicFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("/var/tmp", "sandboxtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyProgram(t *testing.T, to string) {
	from, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, from); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
