package linuxsandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"
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

func TestWithoutRanges(t *testing.T) {
	s := &identities{accounts: map[string]int{}}
	if id, err := s.of("any"); err != nil || id.mapped() {
		t.Errorf("%v, %v", id, err)
	}
}
