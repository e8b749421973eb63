package ldcache_test

import (
	"debug/elf"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/runtimes/ldcache"
)

func TestOrder(t *testing.T) {
	// From the greatest to the least: digits after letters, and as numbers.
	want := []string{"libb.so.1", "liba.so.10", "liba.so.9", "liba.so.009.1", "liba.so", "liba-1.so", "lib"}
	want[2], want[3] = want[3], want[2] // 9.1 is longer than 9
	var entries []ldcache.Entry
	for _, i := range rand.Perm(len(want)) {
		entries = append(entries, ldcache.Entry{Name: want[i], Path: "/lib/" + want[i], Flags: ldcache.Flags(elf.EM_X86_64)})
	}
	got, err := ldcache.Parse(ldcache.Write(entries))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range got {
		names = append(names, e.Name)
		if e.Path != "/lib/"+e.Name || e.Flags != 0x0303 {
			t.Errorf("got %+v", e)
		}
	}
	if diff := cmp.Diff(names, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// TestHostCache writes this machine's cache anew, from shuffled entries: the order must be the one that ldconfig chose.
func TestHostCache(t *testing.T) {
	b, err := os.ReadFile("/etc/ld.so.cache")
	if err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	all, err := ldcache.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	var want []ldcache.Entry
	for _, e := range all {
		if e.HWCap == 0 {
			want = append(want, e)
		}
	}
	shuffled := append([]ldcache.Entry(nil), want...)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	got, err := ldcache.Parse(ldcache.Write(shuffled))
	if err != nil {
		t.Fatal(err)
	}
	// Entries of one name and one kind may stand in any order.
	for i := range want {
		if i >= len(got) || got[i].Name != want[i].Name || got[i].Flags != want[i].Flags {
			t.Fatalf("entry %d of %d differs: want %+v", i, len(want), want[i])
		}
	}
}

func TestParseBroken(t *testing.T) {
	good := ldcache.Write([]ldcache.Entry{{Name: "liba.so.1", Path: "/lib/liba.so.1"}})
	for name, b := range map[string][]byte{
		"empty": nil, "other": []byte("something else"), "head only": good[:30], "no entries": good[:48], "no text": good[:72], "unfinished text": good[:len(good)-1],
	} {
		if got, err := ldcache.Parse(b); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	old := append([]byte("ld.so-1.7.0\x00\x00\x00\x00\x00"), good...)
	if got, err := ldcache.Parse(old); err != nil || len(got) != 1 || got[0].Path != "/lib/liba.so.1" {
		t.Errorf("after an old cache: got %+v, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(ldcache.Write([]ldcache.Entry{{Name: "liba.so.1", Path: "/lib/liba.so.1"}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ldcache.Parse(b)
		if err != nil {
			return
		}
		if _, err := ldcache.Parse(ldcache.Write(entries)); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
	})
}
