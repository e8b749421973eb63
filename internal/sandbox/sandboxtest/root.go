package sandboxtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/sandbox"
)

func testOnlyMounts(e *env) {
	s := e.create(e.spec(sandbox.Mount{Target: "/var/task", Bind: e.folder("app.sh", "")}, sandbox.Mount{Target: "/opt"}))
	e.equal("root", e.output(s, `ls -A / | tr '\n' ' '`), "bin dev lib lib64 opt proc sbin tmp usr var")
	e.equal("dev", e.output(s, `ls -A /dev | tr '\n' ' '`), "fd full null random stderr stdin stdout tty urandom zero")
	e.equal("devices", e.output(s, `echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c`), "3\n4")
	e.equal("mount points", e.output(s, `cut -d' ' -f2 /proc/mounts | grep -v -e ^/dev/ -e ^/proc/ | sort | tr '\n' ' '`),
		withMountsBelow(e, "/usr", "/", "/opt", "/proc", "/tmp", "/usr", "/var/task"))
	e.equal("all but tmp and proc read-only", e.output(s,
		`while read -r _ at _ options _; do case $options in ro,nosuid*) ;; *) echo $at ${options%,relatime*};; esac; done </proc/mounts | sort | tr '\n' ';'`),
		"/proc rw,nosuid,nodev,noexec;/tmp rw,nosuid,nodev;")
	for _, masked := range []string{"/proc/keys", "/proc/timer_list", "/proc/key-users", "/proc/kcore", "/proc/sysrq-trigger"} {
		if out, exit := e.run(s, "wc -c <"+masked); exit.Code == 0 && out != "0" {
			e.Errorf("%s can be read: %s", masked, out)
		}
	}
}

func testReadOnly(e *env) {
	s := e.create(e.spec(
		sandbox.Mount{Target: "/var/task", Bind: e.folder("app.sh", "x")},
		sandbox.Mount{Target: "/opt", Overlay: []string{e.folder("a", "x"), e.folder("b", "x")}},
		sandbox.Mount{Target: "/etc/passwd", File: []byte("x")},
		sandbox.Mount{Target: "/mnt", Empty: true},
	))
	for _, script := range []string{
		`echo x >/new`, `echo x >/opt/new`, `echo x >/opt/a`, `echo x >/var/task/new`, `echo x >/var/task/app.sh`, `mkdir /mnt/new`,
		`rm /etc/passwd`, `echo x >/etc/passwd`, `touch /usr/new`, `chmod 777 /opt/a`, `mv /opt/a /tmp/a`, `ln /opt/a /opt/c`,
		`chmod 0 /dev/null`, `mkdir /dev/shm`,
	} {
		out, exit := e.run(s, script)
		if exit.Code == 0 || !strings.Contains(out, "Read-only file system") && !strings.Contains(out, "Permission denied") &&
			!strings.Contains(out, "Operation not permitted") {
			e.Errorf("%s: %v, %q", script, exit, out)
		}
	}
	e.equal("writing to tmp", e.output(s, `echo x >/tmp/new && cat /tmp/new`), "x")
}

func testParts(e *env) {
	s := e.create(e.spec(
		sandbox.Mount{Target: "/etc/passwd", File: []byte("sbx:x:993:990\n")},
		sandbox.Mount{Target: "/etc/empty", File: []byte{}},
		sandbox.Mount{Target: "/a/b/link", Link: "../../etc/passwd"},
		sandbox.Mount{Target: "/one.txt", Bind: filepath.Join(e.folder("one.txt", "one"), "one.txt")},
		// Over what an earlier mount shows.
		sandbox.Mount{Target: "/usr/share", Empty: true},
		sandbox.Mount{Target: "/usr/bin/env", File: []byte("covered")},
	))
	e.equal("file", e.output(s, `cat /etc/passwd; stat -c %a /etc/passwd; wc -c </etc/empty`), "sbx:x:993:990\n644\n0")
	e.equal("link", e.output(s, `cat /a/b/link`), "sbx:x:993:990")
	e.equal("bound file", e.output(s, `cat /one.txt`), "one")
	e.equal("mask", e.output(s, `ls -A /usr/share`), "")
	e.equal("covered file", e.output(s, `cat /usr/bin/env`), "covered")
}

func testManyFiles(e *env) {
	large := strings.Repeat("0123456789abcdef", 32<<10)
	root := []sandbox.Mount{{Target: "/large", File: []byte(large)}}
	for i := range 300 {
		root = append(root, sandbox.Mount{Target: fmt.Sprintf("/many/%d", i), File: []byte(strings.Repeat("x", 1000))})
	}
	layer := e.folder("f", "f")
	for i := range 150 {
		root = append(root, sandbox.Mount{Target: fmt.Sprintf("/bound/%d", i), Bind: layer})
	}
	s := e.create(e.spec(root...))
	e.equal("large file", e.output(s, `wc -c </large; tail -c 16 /large`), "524288\n0123456789abcdef")
	e.equal("many files", e.output(s, `cat /many/* | wc -c`), "300000")
	e.equal("many folders", e.output(s, `cat /bound/*/f | wc -c`), "150")
}

func testOptional(e *env) {
	missing := filepath.Join(e.state, "missing")
	s := e.create(e.spec(
		sandbox.Mount{Target: "/missing", Bind: missing, Optional: true},
		sandbox.Mount{Target: "/layers", Overlay: []string{missing}, Optional: true},
		sandbox.Mount{Target: "/some", Overlay: []string{missing, e.folder("a", "a")}, Optional: true},
	))
	e.equal("root", e.output(s, `ls -A / | tr '\n' ' '`), "bin dev lib lib64 proc sbin some tmp usr")
	e.equal("what exists", e.output(s, `cat /some/a`), "a")
}

func testOverlayOrder(e *env) {
	first := e.folder("same", "first", "first", "", "folder/one", "1", "clash", "a file")
	second := e.folder("same", "second", "second", "", "folder/two", "2", "clash/inner", "a folder")
	third := e.folder("same", "third", "third", "", "folder/one", "3", "folder/three", "3")
	s := e.create(e.spec(
		sandbox.Mount{Target: "/opt", Overlay: []string{first, second, third}},
		sandbox.Mount{Target: "/turned", Overlay: []string{third, second, first}},
	))
	e.equal("first on top", e.output(s, `cat /opt/same /opt/folder/one; ls /opt/folder | tr '\n' ' '`), "first1one three two")
	e.equal("turned round", e.output(s, `cat /turned/same /turned/folder/one; ls /turned/folder | tr '\n' ' '`), "third3one three two")
	e.equal("merged", e.output(s, `ls /opt | tr '\n' ' '`), "clash first folder same second third")
	e.equal("a file over a folder", e.output(s, `cat /opt/clash`), "a file")
	e.equal("a folder over a file", e.output(s, `cat /turned/clash/inner`), "a folder")
}

func testSmallOverlays(e *env) {
	s := e.create(e.spec(
		sandbox.Mount{Target: "/one", Overlay: []string{e.folder("a", "a")}},
		sandbox.Mount{Target: "/none", Overlay: []string{}},
		sandbox.Mount{Target: "/nil"},
		sandbox.Mount{Target: "/strange", Overlay: []string{e.strangeFolder(), e.folder("b", "b")}},
	))
	e.equal("one", e.output(s, `ls /one; cat /one/a`), "a\na")
	e.equal("none", e.output(s, `ls -A /none /nil`), "/nil:\n\n/none:")
	e.equal("a name with colon, comma, backslash and space", e.output(s, `cat /strange/a /strange/b`), "ab")
}

func (e *env) strangeFolder() string {
	e.Helper()
	dir := filepath.Join(e.TempDir(), `a:b,c\d e`)
	if err := os.Rename(e.folder("a", "a"), dir); err != nil {
		e.Fatal(err)
	}
	return dir
}

func testOwner(e *env) {
	dir := e.folder("secret", "s", "tool", "#!/bin/sh\necho ran")
	for name, mode := range map[string]fs.FileMode{"secret": 0o600, "tool": 0o755} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			e.Fatal(err)
		}
	}
	// The folder above is closed to others: only who created the sandbox must be able to reach a source.
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		e.Fatal(err)
	}
	s := e.create(e.spec(
		sandbox.Mount{Target: "/opt", Overlay: []string{dir}},
		sandbox.Mount{Target: "/var/task", Bind: dir},
	))
	for _, at := range []string{"/opt", "/var/task"} {
		e.equal("program in "+at, e.output(s, at+"/tool"), "ran")
		if e.single() {
			// The only user there is owns the files.
			e.equal("owner in "+at, e.output(s, `stat -c '%u %g %a' `+at+`/secret`), "993 990 600")
			continue
		}
		e.equal("owner in "+at, e.output(s, `stat -c '%u %g %a' `+at+`/secret`), "0 0 600")
		if out, exit := e.run(s, "cat "+at+"/secret"); exit.Code == 0 || !strings.Contains(out, "Permission denied") {
			e.Errorf("root's own file in %s: %v, %q", at, exit, out)
		}
	}
}

func testBadRoot(e *env) {
	for name, m := range map[string]sandbox.Mount{
		"missing folder":   {Target: "/opt", Bind: "/does/not/exist"},
		"missing layer":    {Target: "/opt", Overlay: []string{e.folder(), "/does/not/exist"}},
		"two sources":      {Target: "/opt", Bind: "/usr", Empty: true},
		"relative target":  {Target: "opt", Empty: true},
		"target goes up":   {Target: "/opt/../usr", Empty: true},
		"the root":         {Target: "/", Empty: true},
		"proc":             {Target: "/proc/self", Empty: true},
		"tmp":              {Target: "/tmp", Empty: true},
		"nothing to cover": {Target: "/usr/does/not/exist", Empty: true},
		"link over a file": {Target: "/usr/bin/env", Link: "x"},
	} {
		s, err := e.driver.Create(e.Context(), e.spec(m))
		if err == nil {
			s.Close()
			e.Errorf("%s: no error", name)
		}
		if strings.HasPrefix(name, "missing") && !errors.Is(err, fs.ErrNotExist) {
			e.Errorf("%s: %v", name, err)
		}
	}
	bad := e.spec()
	bad.ID = "../up"
	if _, err := e.driver.Create(e.Context(), bad); err == nil {
		e.Error("bad ID: no error")
	}
}

func testTmp(e *env) {
	spec := e.spec()
	spec.TmpSize = 8 << 20
	s := e.create(spec)
	// A file system on a disk keeps some of it for itself.
	e.equal("mode and size", e.output(s, `stat -c '%a %u %g' /tmp; b=$(stat -f -c %b /tmp); echo $(stat -f -c %S /tmp) $((b > 1900 && b <= 2048))`),
		"1777 "+e.owner()+"\n4096 1")
	e.equal("nothing in it", e.output(s, `ls -A /tmp`), "")
	e.equal("room for its size", e.output(s, `head -c 7700000 /dev/zero >/tmp/a && wc -c </tmp/a`), "7700000")
	out, exit := e.run(s, `head -c 2000000 /dev/zero >/tmp/b`)
	if exit.Code == 0 || !strings.Contains(out, "No space left on device") {
		e.Errorf("full /tmp: %v, %q", exit, out)
	}
	e.equal("programs run there", e.output(s, `rm /tmp/*; printf '#!/bin/sh\necho ran' >/tmp/x; chmod +x /tmp/x; /tmp/x`), "ran")
	e.onDisk()
}

// onDisk writes more to /tmp than the sandbox may have of memory, where /tmp is not memory.
func (e *env) onDisk() {
	e.Helper()
	spec := e.spec()
	spec.TmpSize, spec.Memory = 200<<20, 48<<20
	s := e.create(spec)
	if e.output(s, `stat -f -c %T /tmp`) == "tmpfs" {
		e.Log("NOT RUN: /tmp is memory here, so it cannot hold more than the sandbox may")
		return
	}
	e.equal("more than memory", e.output(s, `head -c 150000000 /dev/zero >/tmp/a && wc -c </tmp/a`), "150000000")
	if err := s.KillAll(e.Context()); err != nil {
		e.Fatalf("kill all: %v", err)
	}
	e.equal("after a reset", e.output(s, `wc -c </tmp/a`), "150000000")
	if u := s.Usage(); u.OOMKilled || u.Peak >= spec.Memory {
		e.Errorf("usage: %+v", u)
	}
}

// owner is whose the folders are that a sandbox has of its own.
func (e *env) owner() string {
	e.Helper()
	if e.single() {
		return "993 990"
	}
	return "0 0"
}

// single tells whether sandboxes have one user here, who owns everything.
func (e *env) single() bool {
	e.Helper()
	first, _, _ := strings.Cut(e.output(e.create(e.spec()), `read -r first _ </proc/self/uid_map; echo $first`), " ")
	return first != "0"
}
