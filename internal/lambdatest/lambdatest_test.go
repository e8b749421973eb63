package lambdatest_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"testing"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layer"
)

func TestBenchLayer(t *testing.T) {
	var b bytes.Buffer
	if err := lambdatest.BenchLayer(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > lambda.MaxZipSize {
		t.Errorf("zip of %d bytes, want at most %d", b.Len(), lambda.MaxZipSize)
	}
	l, err := layer.FromZip(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range l.Entries() {
		if e.Type == archive.File {
			files++
		}
	}
	if files != lambdatest.BenchFiles || l.UnzippedSize() != lambdatest.BenchSize {
		t.Errorf("%d files of %d bytes, want %d of %d", files, l.UnzippedSize(), lambdatest.BenchFiles, lambdatest.BenchSize)
	}
}

// hashAfter hashes the first bytes of what is written, then ends the writing.
type hashAfter struct {
	hash.Hash
	left int
}

func (h *hashAfter) Write(p []byte) (int, error) {
	n := min(len(p), h.left)
	h.Hash.Write(p[:n])
	if h.left -= n; h.left == 0 {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func TestBenchLayerIsTheSameEachTime(t *testing.T) {
	sum := func() []byte {
		h := &hashAfter{sha256.New(), 4 << 20}
		if err := lambdatest.BenchLayer(h); !errors.Is(err, io.ErrShortWrite) {
			t.Fatal(err)
		}
		return h.Sum(nil)
	}
	if first, second := sum(), sum(); !bytes.Equal(first, second) {
		t.Errorf("two runs differ: %x, %x", first, second)
	}
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
