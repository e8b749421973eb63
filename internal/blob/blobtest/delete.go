package blobtest

import (
	"io"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

func testAbsent(t *testing.T, p place) {
	s := p.store(t)
	wantAbsent(t, s, digest.Of([]byte("never stored")))
	if err := s.Delete(t.Context(), digest.Of([]byte("never stored"))); err != nil {
		t.Errorf("Delete of an absent blob: %v", err)
	}
}

func testDelete(t *testing.T, p place) {
	s := p.store(t)
	gone, stays := put(t, s, "goes"), put(t, s, "stays")
	for range 2 {
		if err := s.Delete(t.Context(), gone); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	wantAbsent(t, s, gone)
	if got := get(t, s, stays); got != "stays" {
		t.Errorf("the other blob is %q", got)
	}
	if put(t, s, "goes"); get(t, s, gone) != "goes" {
		t.Error("a deleted blob does not come back")
	}
}

// testDeleteBefore deletes what is old, and nothing that was committed again.
func testDeleteBefore(t *testing.T, p place) {
	s := p.store(t)
	old, again := put(t, s, "old"), put(t, s, "again")
	between := created(t, s)[old]
	if at := created(t, s)[again]; at.After(between) {
		between = at
	}
	between = between.Add(time.Nanosecond)
	for !created(t, s)[again].After(between) { // until the place's clock has gone on
		put(t, s, "again")
	}
	for _, tt := range []struct {
		sum    digest.Digest
		before time.Time
		want   bool
	}{
		{old, between.Add(-time.Hour), false},
		{old, between, true},
		{old, between, false},
		{again, between, false},
		{digest.Of([]byte("never")), between, false},
	} {
		got, err := s.DeleteBefore(t.Context(), tt.sum, tt.before)
		if err != nil || got != tt.want {
			t.Errorf("DeleteBefore(%s, %v) = %v, %v, want %v", tt.sum, tt.before, got, err, tt.want)
		}
	}
	wantAbsent(t, s, old)
	if got := get(t, s, again); got != "again" {
		t.Errorf("what was committed again holds %q", got)
	}
}

func created(t *testing.T, s *blob.Store) map[digest.Digest]time.Time {
	t.Helper()
	all := map[digest.Digest]time.Time{}
	if err := s.List(t.Context(), func(i blob.Info) error { all[i.Digest] = i.Created; return nil }); err != nil {
		t.Fatalf("List: %v", err)
	}
	return all
}

func testOpenSurvivesDelete(t *testing.T, p place) {
	s := p.store(t)
	d := put(t, s, "still read")
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	// A driver may give the bytes or an error, but no others.
	b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err == nil && string(b) != "still read" {
		t.Errorf("a deleted blob reads as %q", b)
	}
}
