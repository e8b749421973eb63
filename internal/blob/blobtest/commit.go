package blobtest

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

func testRoundTrip(t *testing.T, p place) {
	s := p.store(t)
	for name, content := range map[string]string{
		"empty": "", "small": "lambda", "large": strings.Repeat("0123456789abcdef", 1<<20),
	} {
		d := put(t, s, content)
		if want := digest.Of([]byte(content)); d != want {
			t.Errorf("%s: digest %s, want %s", name, d, want)
		}
		if got := get(t, s, d); got != content {
			t.Errorf("%s: %d bytes come back as %d others", name, len(content), len(got))
		}
	}
	r, err := s.Open(t.Context(), digest.Of([]byte("lambda")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 10)
	if n, err := r.ReadAt(b, 3); n != 3 || err != io.EOF || string(b[:n]) != "bda" {
		t.Errorf("ReadAt over the end = %d, %v, %q", n, err, b[:n])
	}
}

func testReadBeforeCommit(t *testing.T, p place) {
	content := strings.Repeat("lambda", 100_000)
	st := stage(t, p.store(t), content)
	if st.Size() != int64(len(content)) || st.Digest() != digest.Of([]byte(content)) {
		t.Errorf("staged %d bytes, %s", st.Size(), st.Digest())
	}
	if got := read(t, st, st.Size()); got != content {
		t.Errorf("%d bytes are staged as %d others", len(content), len(got))
	}
}

func testNothingBeforeCommit(t *testing.T, p place) {
	s := p.store(t)
	st := stage(t, s, "staged")
	wantAbsent(t, s, st.Digest())
	if got := list(t, s); len(got) != 0 {
		t.Errorf("a staged blob is listed: %v", got)
	}
}

func testDiscard(t *testing.T, p place) {
	s := p.store(t)
	st := stage(t, s, "discarded")
	for range 2 {
		if err := st.Discard(); err != nil {
			t.Errorf("Discard: %v", err)
		}
	}
	wantAbsent(t, s, st.Digest())
	if err := st.Commit(t.Context()); err == nil {
		t.Error("Commit after Discard gave no error")
	}

	st = stage(t, s, "committed")
	if err := st.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if err := st.Discard(); err != nil {
		t.Errorf("Discard after Commit: %v", err)
	}
	if got := get(t, s, st.Digest()); got != "committed" {
		t.Errorf("Discard after Commit leaves %q", got)
	}
}

func testCommitTwice(t *testing.T, p place) {
	s := p.store(t)
	first := put(t, s, "same")
	r, err := s.Open(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if second := put(t, s, "same"); second != first {
		t.Errorf("digests %s and %s", first, second)
	}
	if got := read(t, r, r.Size()); got != "same" {
		t.Errorf("an open reader sees %q", got)
	}
	if diff := cmp.Diff(map[digest.Digest]int64{first: 4}, list(t, s)); diff != "" {
		t.Errorf("blobs (-want +got):\n%s", diff)
	}
}

func testReopen(t *testing.T, p place) {
	d, err := p()
	if err != nil {
		t.Fatal(err)
	}
	first := blob.New(d)
	sum := put(t, first, "kept")
	if err := first.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if got := get(t, p.store(t), sum); got != "kept" {
		t.Errorf("after reopening the blob is %q", got)
	}
}

func testStagedSurvivesAnOpen(t *testing.T, p place) {
	s := p.store(t)
	st := stage(t, s, "on its way")
	other := p.store(t) // another process starts and cleans up
	if err := st.Commit(t.Context()); err != nil {
		t.Fatalf("Commit after another driver was opened: %v", err)
	}
	if got := get(t, other, st.Digest()); got != "on its way" {
		t.Errorf("the other driver sees %q", got)
	}
}

// endsBadly gives some bytes and then an error.
type endsBadly struct{ io.Reader }

var errBody = errors.New("the body ends badly")

func (r endsBadly) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		err = errBody
	}
	return n, err
}

func testFailingReader(t *testing.T, p place) {
	s := p.store(t)
	if _, err := s.Stage(t.Context(), endsBadly{strings.NewReader("half")}); err != errBody {
		t.Errorf("Stage: %v, want %v as it is", err, errBody)
	}
	wantAbsent(t, s, digest.Of([]byte("half")))
}
