package archive_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/archive"
)

func source(path string, t archive.Type, mode fs.FileMode, content string) archive.Source {
	return archive.Source{Path: path, Type: t, Mode: mode, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(content)), nil
	}}
}

func write(t *testing.T, sources []archive.Source) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := archive.Write(&b, sources); err != nil {
		t.Fatalf("Write: %v", err)
	}
	return b.Bytes()
}

func TestWriteIsReproducible(t *testing.T) {
	sources := []archive.Source{
		source("bin/tool", archive.File, 0o755, "#!/bin/sh\n"),
		source("a", archive.File, 0o640, strings.Repeat("a", 100000)),
		source("lib", archive.Dir, 0o700, ""),
		source("lib/l", archive.Symlink, 0o777, "../a"),
		source("naïve", archive.File, 0, ""),
	}
	first := write(t, sources)
	slices.Reverse(sources)
	if !bytes.Equal(first, write(t, sources)) {
		t.Error("the order of the sources changes the zip")
	}

	a := open(t, first, archive.Limits{})
	fixed := time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	want := []archive.Entry{
		{Path: "a", Mode: 0o640, ModTime: fixed, Size: 100000},
		{Path: "bin", Type: archive.Dir, Mode: 0o755},
		{Path: "bin/tool", Mode: 0o755, ModTime: fixed, Size: 10},
		{Path: "lib", Type: archive.Dir, Mode: 0o700, ModTime: fixed},
		{Path: "lib/l", Type: archive.Symlink, Mode: 0o777, ModTime: fixed, Size: 4},
		{Path: "naïve", ModTime: fixed},
	}
	if diff := cmp.Diff(want, a.Entries(), ignoreOrigin); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	got, err := readAll(a)
	if err != nil || got["bin/tool"] != "#!/bin/sh\n" || got["lib/l"] != "../a" {
		t.Errorf("content %.100q, %v", got, err)
	}
}

func TestWriteKeepsTimesThatAreGiven(t *testing.T) {
	s := source("a", archive.File, 0o644, "x")
	s.ModTime = time.Date(2021, 5, 6, 7, 8, 9, 0, time.UTC)
	a := open(t, write(t, []archive.Source{s}), archive.Limits{})
	if got := a.Entries()[0].ModTime; got != s.ModTime {
		t.Errorf("ModTime = %v, want %v", got, s.ModTime)
	}
}

func TestWriteRefuses(t *testing.T) {
	broken := archive.Source{Path: "a", Open: func() (io.ReadCloser, error) { return nil, errDisk }}
	for _, test := range []struct {
		name    string
		sources []archive.Source
		want    error
	}{
		{"twice", []archive.Source{source("a", archive.File, 0o644, ""), source("a", archive.File, 0o644, "")}, nil},
		{"dotdot", []archive.Source{source("../a", archive.File, 0o644, "")}, fs.ErrInvalid},
		{"not clean", []archive.Source{source("a//b", archive.File, 0o644, "")}, fs.ErrInvalid},
		{"not UTF-8", []archive.Source{source("a\xff", archive.File, 0o644, "")}, fs.ErrInvalid},
		{"root", []archive.Source{source("", archive.Dir, 0o755, "")}, fs.ErrInvalid},
		{"content that cannot be opened", []archive.Source{broken}, errDisk},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := archive.Write(io.Discard, test.sources)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}
