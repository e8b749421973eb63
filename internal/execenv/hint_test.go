package execenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

// TestHints asks real functions whose imports fail for the line that says why.
func TestHints(t *testing.T) {
	b, python := newLinuxBench(t)
	layer := func(name string, files map[string]string) lambda.LayerRef {
		arn, err := lambda.ParseLayerVersionARN("arn:aws:lambda:eu-west-1:123456789012:layer:" + name + ":3")
		if err != nil {
			t.Fatal(err)
		}
		return lambda.LayerRef{ARN: arn, Content: b.tree(files)}
	}
	for _, tt := range []struct {
		name, handler, code, hint string
	}{
		{"while it initialises", "app.handler", "import tools\ndef handler(e, c): pass\n", `LAMINA_HINT cannot import "tools": layer common:3 holds it at /opt/tools, but the layer has no python/ folder around it: zip it as python/tools (looked in /var/task, `},
		{"in the handler", "app.handler", "def handler(e, c):\n    import tools.deep\n", `LAMINA_HINT cannot import "tools": layer common:3 holds it at /opt/tools,`},
		{"of the handler itself", "main.handler", "def handler(e, c): pass\n",
			`LAMINA_HINT cannot import "main": the handler main.handler means /var/task/main.py, and the code holds app.py: `},
		{"AWS's SDK", "app.handler", "import six.moves\ndef handler(e, c): pass\n", `LAMINA_HINT six is part of AWS's SDK, which `},
		{"a library for another processor", "app.handler", "import foreign\ndef handler(e, c): pass\n",
			`LAMINA_HINT cannot load "foreign.so": layer common:3 holds it at /opt/python/foreign.so, but it was built for another processor (EM_RISCV)`},
		{"a library that is misplaced", "app.handler", "import ctypes\ndef handler(e, c):\n    ctypes.CDLL('libfoo.so.1')\n",
			`LAMINA_HINT cannot load "libfoo.so.1": layer common:3 holds it at /opt/python/libfoo.so.1, but the loader does not look in /opt/python`},
		{"another error", "app.handler", "def handler(e, c):\n    raise ValueError(\"No module named 'tools'\")\n", ""},
		{"no error", "app.handler", "def handler(e, c):\n    return 1\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rev := b.revision(tt.handler)
			rev.Config.Runtime = python
			rev.Code = b.tree(map[string]string{"app.py": tt.code})
			rev.Layers = []lambda.LayerRef{layer("common", map[string]string{"tools/__init__.py": "", "tools/deep.py": "", "python/foreign.so": riscv, "python/libfoo.so.1": ""}), layer("other", map[string]string{"x": ""})}
			log := string(b.invoke(rev, "id-1", "{}", true).LogTail)
			want := 1
			if tt.hint == "" {
				want = 0
			}
			if strings.Count(log, "LAMINA_HINT") != want || !strings.Contains(log, tt.hint) {
				t.Errorf("want %d hints, %q; got\n%s", want, tt.hint, log)
			}
		})
	}
}

// TestHintOfMode asks a real function for the line that says which mode of a file forbids its use.
func TestHintOfMode(t *testing.T) {
	b, python := newLinuxBench(t)
	dir := t.TempDir()
	code := "import subprocess\ndef handler(e, c):\n    subprocess.run(['/var/task/tool'])\n"
	for name, text := range map[string]string{"app.py": code, "tool": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rev := b.revision("app.handler")
	rev.Config.Runtime, rev.Code = python, b.folder(dir)
	log := string(b.invoke(rev, "id-1", "{}", true).LogTail)
	const want = `LAMINA_HINT cannot use "/var/task/tool": the function's code holds it at /var/task/tool, but it may not be executed (mode 0644): chmod a+x`
	if !strings.Contains(log, want) {
		t.Errorf("want %q; got\n%s", want, log)
	}
}

// riscv is the beginning of a library that no machine of ours can load.
const riscv = "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\xf3\x00\x01\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x40\x00\x38\x00\x00\x00\x40\x00\x00\x00\x00\x00"
