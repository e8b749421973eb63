package linuxsandbox

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/sandbox"
)

func TestParseSubordinate(t *testing.T) {
	for name, test := range map[string]struct {
		file string
		want idRange
	}{
		"by name":         {"root:1:2\nada:100000:65536\nbob:165536:65536\n", idRange{100000, 65536}},
		"by number":       {"1000:5:10\n", idRange{5, 10}},
		"the largest":     {"ada:5:10\nada:50:100\n1000:20:11\n", idRange{50, 100}},
		"without newline": {"ada:5:10", idRange{5, 10}},
		"of others":       {"adam:5:10\nad:1:2\n", idRange{}},
		"nonsense":        {"ada\nada:x:1\nada:1:-1\nada:0:10\nada:1:2:3\n\n#ada:1:2", idRange{}},
	} {
		got := parseSubordinate([]byte(test.file), "ada", "1000")
		if diff := cmp.Diff(got, test.want, cmp.AllowUnexported(idRange{})); diff != "" {
			t.Errorf("%s: -got +want\n%s", name, diff)
		}
	}
}

func TestAccountsHaveTheirOwnSubordinateIDs(t *testing.T) {
	s := &identities{accounts: map[string]int{}, subordinate: &subordinate{uids: idRange{100, 2}, gids: idRange{500, 10}}}
	for _, test := range []struct {
		account string
		want    identity
	}{{"first", identity{uid: 101, gid: 509}}, {"second", identity{uid: 100, gid: 508}}, {"first", identity{uid: 101, gid: 509}}} {
		if got, err := s.of(test.account); got != test.want || err != nil {
			t.Errorf("%s: got %+v, %v, want %+v", test.account, got, err, test.want)
		}
	}
	if id, err := s.of("third"); err == nil {
		t.Errorf("no ID is left, and the third account got %+v", id)
	}
	if got, want := s.first(), (identity{uid: 101, gid: 509}); got != want {
		t.Errorf("the account that comes first: got %+v, want %+v", got, want)
	}
}

// TestSubordinateThatFail has IDs on paper that newuidmap will not give.
func TestSubordinateThatFail(t *testing.T) {
	for _, prepared := range []int{0, 2} {
		d, err := New(Options{StateDir: t.TempDir(), Prepared: prepared})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		d.ids.mapped = false
		d.ids.subordinate = &subordinate{uids: idRange{1, 5}, gids: idRange{1, 5}, newuidmap: "/bin/false", newgidmap: "/bin/false"}
		if err := d.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"one", "two"} {
			if got, want := mapInside(t, d, id), "993"; got != want {
				t.Errorf("%d prepared: the first user of %s is %q, want %q", prepared, id, got, want)
			}
		}
		if _, why := d.ids.shared(); why == nil {
			t.Error("there is no reason")
		}
		for _, f := range d.Probe(t.Context()) {
			if f.Name == "user IDs" && (f.OK || f.Fix == "") {
				t.Errorf("got %+v", f)
			}
		}
	}
}

// TestSubordinateThatFailLater has a newuidmap that fails after it has worked: then accounts must not become one user.
func TestSubordinateThatFailLater(t *testing.T) {
	d, err := New(Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.ids.mapped = false
	d.ids.subordinate = &subordinate{uids: idRange{1, 5}, gids: idRange{1, 5}, newuidmap: "/bin/false", newgidmap: "/bin/false"}
	d.ids.subordinate.given.Store(true)
	if err := d.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "one", TmpSize: 1 << 20, Root: []sandbox.Mount{{Target: "/usr", Bind: "/usr"}}})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, errSubordinate) {
		t.Errorf("got %v, want %v", err, errSubordinate)
	}
	if still, why := d.ids.shared(); still == nil {
		t.Errorf("it gave up: %v", why)
	}
}

// mapInside gives the first user that there is in a sandbox.
func mapInside(t *testing.T, d *Driver, id string) string {
	t.Helper()
	s, err := d.Create(context.Background(), sandbox.Spec{ID: id, TmpSize: 1 << 20, Root: []sandbox.Mount{
		{Target: "/usr", Bind: "/usr"}, {Target: "/lib", Link: "usr/lib"}, {Target: "/lib64", Link: "usr/lib64"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = s.Spawn(t.Context(), sandbox.Command{
		Path: "/usr/bin/bash", Args: []string{"bash", "-c", `read -r first _ </proc/self/uid_map; printf %s "$first"`}, Stdout: w,
	})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
