package archive_test

import (
	"bytes"
	"hash/crc32"
	"io"
	"testing"

	"github.com/klauspost/compress/flate"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambdatest"
)

func TestOpenPacked(t *testing.T) {
	const text = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	zip := lambdatest.ZipOf(
		lambdatest.Entry{Name: "d/", Mode: 0o755},
		lambdatest.Entry{Name: "deflated", Content: text, Mode: 0o644},
		lambdatest.Entry{Name: "stored", Content: text, Mode: 0o644, Store: true})
	a, err := archive.Open(bytes.NewReader(zip), int64(len(zip)), archive.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range a.Entries() {
		p, r, err := a.OpenPacked(e)
		if e.Type == archive.Dir {
			if err == nil {
				t.Errorf("%s: a directory has packed bytes", e.Path)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var content io.Reader = r
		if p.Method == 8 {
			content = flate.NewReader(r)
		}
		got, err := io.ReadAll(content)
		if err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", e.Path, got, err)
		}
		want := archive.Packed{Method: p.Method, CRC: crc32.ChecksumIEEE([]byte(text)), Size: int64(len(text)), PackedSize: r.Size()}
		if p != want {
			t.Errorf("%s: %+v, want %+v", e.Path, p, want)
		}
	}
}
