package digest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"testing/iotest"

	"github.com/laminadev/lamina/internal/digest"
)

func TestForms(t *testing.T) {
	d := digest.Of([]byte("abc"))
	if got, want := d.String(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if got, want := d.Base64(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="; got != want {
		t.Errorf("Base64() = %s, want %s", got, want)
	}
	back, err := digest.Parse(d.String())
	if err != nil || back != d {
		t.Errorf("Parse(String()) = %v, %v", back, err)
	}
	for _, bad := range []string{"", "sha256:", "sha256:zz", d.Hex(), d.String() + "00"} {
		if _, err := digest.Parse(bad); err == nil {
			t.Errorf("Parse(%q) succeeded", bad)
		}
	}
}

func TestJSON(t *testing.T) {
	for _, want := range []digest.Digest{{}, digest.Of([]byte("x"))} {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got := digest.Of([]byte("other"))
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Errorf("through %s: %v, %v", b, got, err)
		}
	}
}

func TestReader(t *testing.T) {
	body := []byte("the bytes of a layer")
	d := digest.Of(body)
	for name, row := range map[string]struct {
		body []byte
		size int64
		ok   bool
	}{
		"whole":   {body, int64(len(body)), true},
		"short":   {body[:5], int64(len(body)), false},
		"long":    {append(bytes.Clone(body), 'x'), int64(len(body)), false},
		"changed": {bytes.ToUpper(body), int64(len(body)), false},
	} {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.DataErrReader, iotest.OneByteReader} {
			_, err := io.ReadAll(digest.NewReader(wrap(bytes.NewReader(row.body)), d, row.size))
			if (err == nil) != row.ok {
				t.Errorf("%s: err = %v", name, err)
			}
		}
	}
}
