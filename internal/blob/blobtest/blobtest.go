// Package blobtest is the suite that every driver of blobs has to pass: the promises of blob.Driver, as tests.
package blobtest

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

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
