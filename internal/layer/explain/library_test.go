package explain_test

import (
	"encoding/binary"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer/explain"
)

// library is the beginning of an ELF file.
func library(class byte, machine uint16) string {
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

// holding makes a layer of files with their content.
func holding(name string, files map[string]string) explain.Part {
	p := explain.Part{Name: name, Root: "/opt"}
	content := fstest.MapFS{}
	for path, text := range files {
		mode := fs.FileMode(0o644)
		if rest, ok := strings.CutSuffix(path, "=0600"); ok {
			path, mode = rest, 0o600
		}
		content[path] = &fstest.MapFile{Data: []byte(text), Mode: mode}
		p.Entries = append(p.Entries, archive.Entry{Path: path, Type: archive.File, Mode: mode})
	}
	slices.SortFunc(p.Entries, func(a, b archive.Entry) int { return strings.Compare(a.Path, b.Path) })
	p.Files = content
	return p
}

func TestLibrary(t *testing.T) {
	const (
		x86, arm = 62, 183
		so       = "/opt/python/lib/_x.so"
		absent   = ": cannot open shared object file: No such file or directory"
	)
	at := func(text string) map[string]string { return map[string]string{"python/lib/_x.so": text} }
	for name, tc := range map[string]struct {
		message string
		runtime lambda.Runtime
		files   map[string]string
		says    string // "": nothing
	}{
		"another processor": {so + absent, "", at(library(2, arm)), "layer l:1 holds it at " + so + ", but it was built for another processor (aarch64), and this is x86_64: pip install --target python"},
		"32 bits":           {so + ": wrong ELF class: ELFCLASS32", "", at(library(1, 3)), "another processor (i686)"},
		"macOS":             {so + ": invalid ELF header", "", at("\xcf\xfa\xed\xfe"), "it was built for macOS"},
		"Windows":           {so + ": invalid ELF header", "", at("MZ\x90"), "it was built for Windows"},
		"a pointer":         {so + ": file too short", "", at("version https://git-lfs"), "pointer of Git LFS"},
		"empty":             {so + ": file too short", "", at(""), "cut off or packed"},
		"shut":              {so + ": cannot open shared object file: Permission denied", "", map[string]string{"python/lib/_x.so=0600": library(2, x86)}, "only its owner may read it (mode 0600)"},
		"a newer system": {"/lib64/libc.so.6: version `GLIBC_2.99' not found (required by " + so + ")", "", at(library(2, x86)),
			"it asks for version 2.99 of the GNU C library: pip install --target python --only-binary :all: --python-version 3.12 --platform manylinux2014_x86_64"},
		"another Python":  {so + ": undefined symbol: _PyGen_Send", "", at(library(2, x86)), "_PyGen_Send, which python3.12 does not have: it was compiled for another Python"},
		"another version": {so + ": undefined symbol: ssl_new", "", at(library(2, x86)), "built against another version of what it uses"},
		"another node": {"The module '/opt/nodejs/node_modules/m/m.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 93. This version of Node.js requires\nNODE_MODULE_VERSION 127.",
			"nodejs22.x", map[string]string{"nodejs/node_modules/m/m.node": library(2, x86)}, "compiled for another major version of Node.js: npm install --os=linux --cpu=x64 --libc=glibc PACKAGE, with node 22"},
		"misplaced":             {"Unable to import module 'app': libfoo.so.1" + absent, "", map[string]string{"python/libfoo.so.1": library(2, x86)}, "holds it at /opt/python/libfoo.so.1, but the loader does not look in /opt/python: zip it as lib/libfoo.so.1"},
		"in place, unfit":       {"libfoo.so.1" + absent, "", map[string]string{"lib/libfoo.so.1": library(2, arm)}, "holds it at /opt/lib/libfoo.so.1, but it was built for another processor (aarch64)"},
		"nowhere":               {"libfoo.so.1" + absent, "", nil, `cannot load "libfoo.so.1": neither the system, the code, nor a layer holds libfoo.so.1: put it`},
		"Alpine":                {"libc.musl-x86_64.so.1" + absent, "", nil, "was built with musl"},
		"a shell":               {"libfoo.so.1" + absent, "provided.al2023", map[string]string{"lib/libfoo.so.1": library(2, arm)}, "build it on Amazon Linux for x86_64"},
		"nothing wrong with it": {so + absent, "", at(library(2, x86)), ""},
		"another error":         {"No module named 'x'", "", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.runtime == "" {
				tc.runtime = "python3.12"
			}
			got, ok := explain.Library(tc.message, tc.runtime, "x86_64", []explain.Part{holding("layer l:1", tc.files)})
			if ok != (tc.says != "") || ok && !strings.Contains(got.String(), tc.says) {
				t.Errorf("got %v %q, want %q", ok, got.String(), tc.says)
			}
		})
	}
}
