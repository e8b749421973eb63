package objfile_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/objfile"
)

// TestReadHost reads what this machine runs on.
func TestReadHost(t *testing.T) {
	f, err := os.Open("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := objfile.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if got.Format != objfile.ELF || got.Machine != machine || got.Bits != 64 {
		t.Errorf("got %+v", got)
	}
	if !slices.ContainsFunc(got.Needs, func(s string) bool { return strings.HasPrefix(s, "libc.") }) || got.Glibc == "" && !got.Musl {
		t.Errorf("got %+v", got)
	}
}

// elf is a header without anything behind it.
func elfHeader(class byte, machine uint16) string {
	b := make([]byte, 64)
	copy(b, "\x7fELF")
	b[4], b[5], b[6] = class, 1, 1
	binary.LittleEndian.PutUint16(b[16:], 3)
	binary.LittleEndian.PutUint16(b[18:], machine)
	binary.LittleEndian.PutUint32(b[20:], 1)
	if class == 2 {
		binary.LittleEndian.PutUint16(b[52:], 64)
		binary.LittleEndian.PutUint16(b[54:], 56)
		binary.LittleEndian.PutUint16(b[58:], 64)
	} else {
		binary.LittleEndian.PutUint16(b[40:], 52)
	}
	return string(b)
}

func TestRead(t *testing.T) {
	for name, tc := range map[string]struct {
		data string
		want objfile.File
		fail bool
	}{
		"x86_64":        {data: elfHeader(2, 62), want: objfile.File{Format: objfile.ELF, Machine: "x86_64", Bits: 64}},
		"aarch64":       {data: elfHeader(2, 183), want: objfile.File{Format: objfile.ELF, Machine: "aarch64", Bits: 64}},
		"32 bits":       {data: elfHeader(1, 3), want: objfile.File{Format: objfile.ELF, Machine: "i686", Bits: 32}},
		"cut off":       {data: "\x7fELF", fail: true},
		"macOS":         {data: "\xcf\xfa\xed\xfe....", want: objfile.File{Format: objfile.MachO}},
		"Windows":       {data: "MZ\x90\x00", want: objfile.File{Format: objfile.PE}},
		"a git pointer": {data: "version https://git-lfs.github.com/spec/v1\n", want: objfile.File{Format: objfile.Text}},
		"a zip":         {data: "PK\x03\x04", want: objfile.File{Format: objfile.Other}},
		"empty":         {want: objfile.File{Format: objfile.Other}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := objfile.Read(strings.NewReader(tc.data))
			if (err != nil) != tc.fail || got.Format != tc.want.Format || got.Machine != tc.want.Machine || got.Bits != tc.want.Bits {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func TestNewer(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want bool
	}{{"2.34", "2.4", true}, {"2.4", "2.34", false}, {"2.2.5", "2.2", true}, {"2.2", "", true}, {"PRIVATE", "2.2", false}, {"2.2", "2.2", false}} {
		if got := objfile.Newer(tc.a, tc.b); got != tc.want {
			t.Errorf("%q newer than %q: %v", tc.a, tc.b, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(elfHeader(2, 62)))
	f.Add([]byte(elfHeader(1, 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := objfile.Read(bytes.NewReader(b)); err == nil && got.Format == "" {
			t.Errorf("got %+v", got)
		}
	})
}
