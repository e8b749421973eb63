package runtimes_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/runtimes/ldcache"
	"github.com/laminadev/lamina/internal/sandbox"
)

// hostFiles makes a host: names that end in "/" are folders, "a -> b" are links, others are files.
func hostFiles(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		name, to, link := strings.Cut(name, " -> ")
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(to, file)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(file, 0o755)
		default:
			err = os.WriteFile(file, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// describe writes what each target shows, without the files of /etc.
func shown(dir string, mounts []sandbox.Mount) []string {
	var lines []string
	for _, m := range mounts {
		switch {
		case m.File != nil:
		case m.Link != "":
			lines = append(lines, m.Target+" -> "+m.Link)
		case m.Empty:
			lines = append(lines, m.Target+" empty")
		case m.Overlay != nil:
			lines = append(lines, m.Target+" overlay "+strings.ReplaceAll(strings.Join(m.Overlay, ":"), dir, ""))
		case strings.TrimPrefix(m.Bind, dir) == m.Target:
			lines = append(lines, m.Target)
		default:
			lines = append(lines, m.Target+" bind "+strings.TrimPrefix(m.Bind, dir))
		}
	}
	return lines
}

func TestRoot(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"Debian", []string{"bin -> usr/bin", "lib -> usr/lib", "lib64 -> usr/lib64", "sbin -> usr/sbin", "usr/bin/", "usr/sbin/", "usr/share/", "usr/libexec/", "usr/local/lib/",
			"usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2 -> /lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
			"usr/lib/python3/dist-packages/", "usr/lib/python3.11/dist-packages/", "etc/ssl/certs/ca-certificates.crt", "etc/alternatives/", "home/", "opt/"},
			[]string{"/usr/bin", "/usr/lib", "/usr/libexec", "/usr/share", "/usr/sbin", "/usr/lib64 bind /usr/lib/x86_64-linux-gnu", "/bin -> usr/bin", "/lib -> usr/lib",
				"/sbin -> usr/sbin", "/lib64 -> usr/lib64", "/usr/lib/python3/dist-packages empty", "/usr/lib/python3.11/dist-packages empty",
				"/etc/localtime -> /usr/share/zoneinfo/UTC", "/etc/alternatives", "/etc/ssl/certs", "/etc/pki/tls/certs/ca-bundle.crt -> /etc/ssl/certs/ca-certificates.crt"}},
		{"loader outside of the folder", []string{"bin -> usr/bin", "lib64 -> usr/lib64", "usr/bin/", "usr/lib/x86_64-linux-gnu/libc.so.6", "usr/lib64/ld-linux-x86-64.so.2"},
			[]string{"/usr/bin", "/usr/lib", "/usr/lib64 overlay /usr/lib/x86_64-linux-gnu:/usr/lib64", "/bin -> usr/bin", "/lib64 -> usr/lib64",
				"/etc/localtime -> /usr/share/zoneinfo/UTC"}},
		{"Fedora", []string{"bin -> usr/bin", "lib -> usr/lib", "lib64 -> usr/lib64", "sbin -> usr/sbin", "usr/bin/", "usr/sbin -> bin", "usr/lib/", "usr/lib64/libc.so.6",
			"usr/lib64/python3.13/site-packages/", "etc/pki/", "etc/ssl/certs -> ../pki/tls/certs"},
			[]string{"/usr/bin", "/usr/lib", "/usr/sbin -> bin", "/usr/lib64", "/bin -> usr/bin", "/lib -> usr/lib", "/sbin -> usr/sbin", "/lib64 -> usr/lib64",
				"/usr/lib64/python3.13/site-packages empty", "/etc/localtime -> /usr/share/zoneinfo/UTC", "/etc/pki"}},
		{"an old Debian", []string{"bin/sh", "lib/x86_64-linux-gnu/", "lib64/ld-linux-x86-64.so.2", "sbin/", "usr/bin/", "usr/lib/x86_64-linux-gnu/libc.so.6"},
			[]string{"/usr/bin", "/usr/lib", "/usr/lib64 bind /usr/lib/x86_64-linux-gnu", "/bin", "/lib", "/sbin", "/lib64 overlay /lib64:/usr/lib/x86_64-linux-gnu",
				"/etc/localtime -> /usr/share/zoneinfo/UTC"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := hostFiles(t, c.files...)
			if diff := cmp.Diff(shown(dir, runtimes.Root(dir)), c.want); diff != "" {
				t.Errorf("-got +want:\n%s", diff)
			}
		})
	}
}

// TestLoaderCache: the cache names what sandboxes show, and the interpreters' libraries before the host's of the same name:
// an interpreter of pyenv that gets the libpython of Debian's cannot load its own modules.
func TestLoaderCache(t *testing.T) {
	dir := hostFiles(t, "usr/bin/", "etc/")
	host := ldcache.Write([]ldcache.Entry{{Name: "libc.so.6", Path: "/lib/x86_64-linux-gnu/libc.so.6", Flags: 0x303},
		{Name: "libpython3.11.so.1.0", Path: "/lib/x86_64-linux-gnu/libpython3.11.so.1.0", Flags: 0x303},
		{Name: "libmine.so", Path: "/usr/local/lib/libmine.so", Flags: 0x303}, {Name: "libhome.so", Path: "/home/x/libhome.so", Flags: 0x303}})
	if err := os.WriteFile(filepath.Join(dir, "etc/ld.so.cache"), host, 0o644); err != nil {
		t.Fatal(err)
	}
	mounts := runtimes.Root(dir)
	i := slices.IndexFunc(mounts, func(m sandbox.Mount) bool { return m.Target == "/etc/ld.so.cache" })
	got, err := ldcache.Parse(mounts[i].File)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range got {
		paths = append(paths, e.Path)
	}
	want := []string{"/var/lang/lib/libpython3.14.so.1.0", "/var/lang/lib/libpython3.13.so.1.0", "/var/lang/lib/libpython3.12.so.1.0", "/var/lang/lib/libpython3.11.so.1.0",
		"/lib/x86_64-linux-gnu/libpython3.11.so.1.0", "/var/lang/lib/libpython3.10.so.1.0", "/var/lang/lib/libpython3.9.so.1.0", "/var/lang/lib/libpython3.8.so.1.0", "/lib/x86_64-linux-gnu/libc.so.6"}
	if diff := cmp.Diff(paths, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
