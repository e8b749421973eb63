// Package blobtest is the suite that every driver of blobs has to pass: the promises of blob.Driver, as tests.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
)

// Run runs the suite. newPlace makes an empty place for blobs and gives a function that opens a driver on it; what that
// opens is closed by the suite, and may be open several times at once.
func Run(t *testing.T, newPlace func(t *testing.T) func() (blob.Driver, error)) {
	for name, test := range map[string]func(*testing.T, place){
		"RoundTrip":            testRoundTrip,
		"ReadBeforeCommit":     testReadBeforeCommit,
		"Absent":               testAbsent,
		"NothingBeforeCommit":  testNothingBeforeCommit,
		"Discard":              testDiscard,
		"CommitTwice":          testCommitTwice,
		"Delete":               testDelete,
		"DeleteBefore":         testDeleteBefore,
		"OpenSurvivesDelete":   testOpenSurvivesDelete,
		"List":                 testList,
		"ListEnds":             testListEnds,
		"Reopen":               testReopen,
		"StagedSurvivesAnOpen": testStagedSurvivesAnOpen,
		"ConcurrentCommits":    testConcurrentCommits,
		"FailingReader":        testFailingReader,
		"ConcurrentReaders":    testConcurrentReaders,
	} {
		t.Run(name, func(t *testing.T) { test(t, place(newPlace(t))) })
	}
}

type place func() (blob.Driver, error)

// store opens a store that the test's end closes.
func (p place) store(t *testing.T) *blob.Store {
	t.Helper()
	d, err := p()
	if err != nil {
		t.Fatalf("cannot open the driver: %v", err)
	}
	s := blob.New(d)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func stage(t *testing.T, s *blob.Store, content string) *blob.Staged {
	t.Helper()
	st, err := s.Stage(t.Context(), strings.NewReader(content))
	if err != nil {
		t.Fatalf("Stage: %v", err)
	}
	t.Cleanup(func() { st.Discard() })
	return st
}

func put(t *testing.T, s *blob.Store, content string) digest.Digest {
	t.Helper()
	st := stage(t, s, content)
	if err := st.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return st.Digest()
}

func get(t *testing.T, s *blob.Store, d digest.Digest) string {
	t.Helper()
	r, err := s.Open(t.Context(), d)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer r.Close()
	return read(t, r, r.Size())
}

func read(t *testing.T, r io.ReaderAt, size int64) string {
	t.Helper()
	b, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if err != nil {
		t.Fatalf("cannot read: %v", err)
	}
	return string(b)
}

func wantAbsent(t *testing.T, s *blob.Store, d digest.Digest) {
	t.Helper()
	r, err := s.Open(t.Context(), d)
	if err == nil {
		r.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of an absent blob: error %v, want fs.ErrNotExist", err)
	}
}

func list(t *testing.T, s *blob.Store) map[digest.Digest]int64 {
	t.Helper()
	sizes := make(map[digest.Digest]int64)
	err := s.List(t.Context(), func(i blob.Info) error {
		if age := time.Since(i.Created); age < -time.Hour || age > time.Hour {
			t.Errorf("blob %s was created at %v", i.Digest, i.Created)
		}
		if _, ok := sizes[i.Digest]; ok {
			t.Errorf("blob %s is listed twice", i.Digest)
		}
		sizes[i.Digest] = i.Size
		return nil
	})
	if err != nil {
		t.Fatalf("List: %v", err)
	}
	return sizes
}

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

func testAbsent(t *testing.T, p place) {
	s := p.store(t)
	wantAbsent(t, s, digest.Of([]byte("never stored")))
	if err := s.Delete(t.Context(), digest.Of([]byte("never stored"))); err != nil {
		t.Errorf("Delete of an absent blob: %v", err)
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
