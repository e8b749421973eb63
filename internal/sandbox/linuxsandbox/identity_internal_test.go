package linuxsandbox

import (
	"io"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/sandbox"
)

func TestAccountsHaveTheirOwnRanges(t *testing.T) {
	s := &identities{mapped: true, accounts: map[string]int{}}
	got := map[string]int{}
	for _, account := range []string{"first", "second", "first", "third", "second"} {
		id, err := s.of(account)
		if err != nil {
			t.Fatal(err)
		}
		got[account] = id.base
	}
	want := map[string]int{"first": 100000, "second": 165536, "third": 231072}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	if s.first().base != want["first"] {
		t.Errorf("the account that comes first: %d", s.first().base)
	}
	if last := firstID + ranges*rangeSize; last >= 1<<32-1 {
		t.Errorf("the last range ends at %d", last)
	}
}

// TestRootWithoutRanges is root in a container, who has too few IDs to give any away.
func TestRootWithoutRanges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("this needs root; user %d never has ranges", os.Geteuid())
	}
	d := open(t)
	d.ids.mapped = false
	s, err := d.Create(t.Context(), sandbox.Spec{ID: "few", TmpSize: 1 << 20, Processes: 16, Memory: 64 << 20, Root: []sandbox.Mount{
		{Target: "/usr", Bind: "/usr"}, {Target: "/lib", Link: "usr/lib"}, {Target: "/lib64", Link: "usr/lib64"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = s.Spawn(t.Context(), sandbox.Command{Path: "/usr/bin/id", Args: []string{"id"}, Stdout: w})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if got, want := string(out), "uid=993 gid=990 groups=990\n"; got != want || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestWithoutRanges(t *testing.T) {
	s := &identities{accounts: map[string]int{}}
	if id, err := s.of("any"); err != nil || id.mapped() {
		t.Errorf("%v, %v", id, err)
	}
}
