package jsonstream_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

func TestBase64(t *testing.T) {
	long := bytes.Repeat([]byte("the bytes of a zip, "), 10_000)
	for text, want := range map[string]string{
		"":                                      "",
		"QQ==":                                  "A",
		"Q\r\nUJ\nD":                            "ABC",
		"QQ==\n":                                "A",
		"QQ\n==":                                "A",
		"//8=":                                  "\xff\xff",
		base64.StdEncoding.EncodeToString(long): string(long),
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "data and end": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(jsonstream.Base64(wrap(strings.NewReader(text))))
			if err != nil || string(got) != want {
				t.Errorf("%s: %.20q gave %.20q, %v", name, text, got, err)
			}
		}
	}
}

func TestBase64RefusesTheRest(t *testing.T) {
	for _, text := range []string{"Q", "QQ", "QQ=", "QQ==QQ==", "QQ===", "=", "====", "Q=Q=", "QUJD QUJD", "_-__", "ü"} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
		} {
			if got, err := io.ReadAll(jsonstream.Base64(wrap(strings.NewReader(text)))); err == nil {
				t.Errorf("%s: %q gave %q", name, text, got)
			}
		}
	}
}
