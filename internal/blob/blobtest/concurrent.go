package blobtest

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

func testConcurrentCommits(t *testing.T, p place) {
	stores := []*blob.Store{p.store(t), p.store(t)}
	var g sync.WaitGroup
	for i := range 16 {
		g.Go(func() {
			s := stores[i%2]
			st, err := s.Stage(t.Context(), strings.NewReader([]string{"same", "other"}[i/2%2]))
			if err == nil {
				err = st.Commit(t.Context())
			}
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	g.Wait()
	want := map[digest.Digest]int64{digest.Of([]byte("same")): 4, digest.Of([]byte("other")): 5}
	if diff := cmp.Diff(want, list(t, stores[0])); diff != "" {
		t.Errorf("blobs (-want +got):\n%s", diff)
	}
}

func testConcurrentReaders(t *testing.T, p place) {
	s := p.store(t)
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	d := put(t, s, string(content))
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			b := make([]byte, 1000)
			off := i * 9000
			if _, err := r.ReadAt(b, int64(off)); err != nil || !bytes.Equal(b, content[off:off+1000]) {
				t.Errorf("reading at %d: %v, %.20q", off, err, b)
			}
		})
	}
	g.Wait()
}
