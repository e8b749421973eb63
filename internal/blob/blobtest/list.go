package blobtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

func testList(t *testing.T, p place) {
	s := p.store(t)
	want := make(map[digest.Digest]int64)
	for i := range 20 {
		want[put(t, s, strings.Repeat("x", i))] = int64(i)
	}
	if diff := cmp.Diff(want, list(t, s)); diff != "" {
		t.Errorf("blobs (-want +got):\n%s", diff)
	}
}

func testListEnds(t *testing.T, p place) {
	s := p.store(t)
	put(t, s, "a")
	put(t, s, "b")
	enough := errors.New("enough")
	calls := 0
	err := s.List(t.Context(), func(blob.Info) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("List: %v after %d calls, want %v after 1", err, calls, enough)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.List(ctx, func(blob.Info) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("List with a context that is over: %v", err)
	}
}
