package lambdatest_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"testing"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layer"
)

// TestBenchLayer looks at a fifteenth of the layer; the benchmarks themselves refuse a whole one that is too large.
func TestBenchLayer(t *testing.T) {
	const files, size = lambdatest.BenchFiles / 15, lambdatest.BenchSize / 15
	var b bytes.Buffer
	if err := lambdatest.BenchLayerOf(&b, files, size); err != nil {
		t.Fatal(err)
	}
	if b.Len() > lambda.MaxZipSize/15 {
		t.Errorf("zip of %d bytes, want at most %d", b.Len(), lambda.MaxZipSize/15)
	}
	l, err := layer.FromZip(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, e := range l.Entries() {
		if e.Type == archive.File {
			got++
		}
	}
	if got != files || l.UnzippedSize() != size {
		t.Errorf("%d files of %d bytes, want %d of %d", got, l.UnzippedSize(), files, size)
	}

	again := &same{want: b.Bytes()[:1<<20]}
	if err := lambdatest.BenchLayerOf(again, files, size); err != errEnough {
		t.Errorf("a second time: %v", err)
	}
}

// same compares what is written with what it wants, and ends the writing when it has seen enough.
type same struct{ want []byte }

var errEnough = errors.New("enough")

func (s *same) Write(p []byte) (int, error) {
	n := min(len(p), len(s.want))
	if !bytes.Equal(p[:n], s.want[:n]) {
		return 0, errors.New("the bytes differ")
	}
	if s.want = s.want[n:]; len(s.want) == 0 {
		return n, errEnough
	}
	return n, nil
}

func TestZip(t *testing.T) {
	zip := lambdatest.Zip(map[string]string{"bootstrap": "#!/bin/sh\n", "a.py": "x", "d/": ""})
	a, err := archive.Open(bytes.NewReader(zip), int64(len(zip)), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{"bootstrap": 0o755, "a.py": 0o644, "d": 0o755}
	for _, e := range a.Entries() {
		if e.Mode != want[e.Path] {
			t.Errorf("mode of %q = %v, want %v", e.Path, e.Mode, want[e.Path])
		}
	}
}

// TestChangeTenth: what a republication is measured with is a tenth of the files and, within a bit, of the bytes.
func TestChangeTenth(t *testing.T) {
	const files, size = 8_000, 8_000_000
	var b bytes.Buffer
	if err := lambdatest.BenchLayerOf(&b, files, size); err != nil {
		t.Fatal(err)
	}
	again, err := lambdatest.ChangeTenth(b.Bytes(), 1)
	if err != nil {
		t.Fatal(err)
	}
	before, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	after, err := zip.NewReader(bytes.NewReader(again), int64(len(again)))
	if err != nil {
		t.Fatal(err)
	}
	changed, bytes := 0, uint64(0)
	for i, f := range before.File {
		if f.Name != after.File[i].Name {
			t.Fatalf("file %d is %q, was %q", i, after.File[i].Name, f.Name)
		}
		if f.CRC32 != after.File[i].CRC32 {
			changed++
			bytes += f.UncompressedSize64
		}
	}
	if changed != files/10 || bytes < size*8/100 || bytes > size*12/100 {
		t.Errorf("%d files of %d bytes changed, want a tenth of %d and of %d", changed, bytes, files, size)
	}
}
