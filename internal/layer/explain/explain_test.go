package explain_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer"
	"github.com/laminadev/lamina/internal/layer/explain"
)

// part makes what a function sees of a list of files; "=0600" behind a name is its mode, a slash at its end makes a folder.
func part(t *testing.T, name, root string, files ...string) explain.Part {
	t.Helper()
	dir := t.TempDir()
	for _, f := range append(files, ".keep") {
		f, mode, _ := strings.Cut(f, "=")
		path := filepath.Join(dir, f)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if mode != "" {
			var m fs.FileMode
			for _, c := range mode {
				m = m<<3 | fs.FileMode(c-'0')
			}
			if err := os.Chmod(path, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := layer.FromFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return explain.Part{Name: name, Root: root, Entries: l.Entries()}
}

func TestPython(t *testing.T) {
	for name, tt := range map[string]struct {
		module string
		code   []string
		layers [][]string
		path   string // of the first hint
		says   string // part of its reason and its fix
	}{
		"no python folder":         {"mod", nil, [][]string{{"mod.py"}}, "/opt/mod.py", "no python/ folder around it; zip it as python/mod"},
		"no python folder, dotted": {"pkg.sub", nil, [][]string{{"pkg/__init__.py", "pkg/sub.py"}}, "/opt/pkg/sub.py", "no python/ folder around it; zip it as python/pkg"},
		"outer folder":             {"mod", nil, [][]string{{"build/python/mod.py"}}, "/opt/build/python/mod.py", "inside build/; zip what is in build/, not the folder itself"},
		"double nesting":           {"pkg", nil, [][]string{{"python/python/pkg/__init__.py"}}, "/opt/python/python/pkg", "inside python/"},
		"other minor version": {"pkg", nil, [][]string{{"python/lib/python3.9/site-packages/pkg/__init__.py"}},
			"/opt/python/lib/python3.9/site-packages/pkg", "that folder is python3.9's alone, and the function runs on python3.12"},
		"a virtual environment": {"pkg", nil, [][]string{{"venv/lib/python3.12/site-packages/pkg/__init__.py"}}, "/opt/venv/lib/python3.12/site-packages/pkg", "zip what is in venv/lib/python3.12/site-packages as python/"},
		"elsewhere":             {"mod", nil, [][]string{{"python/src/mod.py"}}, "/opt/python/src/mod.py", "python does not look in /opt/python/src"},
		"another ABI": {"pkg._fast", nil, [][]string{{"python/pkg/__init__.py", "python/pkg/_fast.cpython-39-x86_64-linux-gnu.so"}},
			"/opt/python/pkg/_fast.cpython-39-x86_64-linux-gnu.so", "it was compiled for python3.9, and the function runs on python3.12; pip install --target python --only-binary"},
		"another processor": {"pkg._fast", nil, [][]string{{"python/pkg/__init__.py", "python/pkg/_fast.cpython-312-aarch64-linux-gnu.so"}},
			"/opt/python/pkg/_fast.cpython-312-aarch64-linux-gnu.so", "compiled for another processor (aarch64-linux-gnu), and this is x86_64"},
		"macOS":   {"fast", nil, [][]string{{"python/fast.cpython-312-darwin.so"}}, "/opt/python/fast.cpython-312-darwin.so", "compiled for another system (darwin)"},
		"Windows": {"fast", nil, [][]string{{"python/fast.cp312-win_amd64.pyd"}}, "/opt/python/fast.cp312-win_amd64.pyd", "compiled for another system (win_amd64)"},
		"case":    {"mod", nil, [][]string{{"python/Mod.py"}}, "/opt/python/Mod.py", "its letters differ and Linux tells them apart; import Mod"},
		"shut":    {"mod", nil, [][]string{{"python/mod.py=600"}}, "/opt/python/mod.py", "only its owner may read /opt/python/mod.py (mode 0600)"},
		"shut above": {"pkg.mod", nil, [][]string{{"python/pkg/mod.py", "python/pkg/__init__.py", "python/pkg/=700"}}, "/opt/python/pkg/mod.py",
			"only its owner may read /opt/python/pkg (mode 0700)"},
		"shadowed by the code": {"pkg.sub", []string{"pkg/__init__.py"}, [][]string{{"python/pkg/__init__.py", "python/pkg/sub.py"}},
			"/opt/python/pkg/sub.py", "/var/task/pkg of the function's code is found first and hides it"},
		"shadowed by a file": {"pkg.sub", []string{"pkg.py"}, [][]string{{"python/pkg/__init__.py", "python/pkg/sub.py"}},
			"/opt/python/pkg/sub.py", "/var/task/pkg.py of the function's code is found first"},
		"shadowed by another layer": {"pkg.sub", nil, [][]string{{"python/lib/python3.12/site-packages/pkg/__init__.py"}, {"python/pkg/__init__.py", "python/pkg/sub.py"}},
			"/opt/python/pkg/sub.py", "/opt/python/lib/python3.12/site-packages/pkg of layer l0 is found first"},
		"below the code":        {"mod", []string{"src/mod.py"}, nil, "/var/task/src/mod.py", "python looks in /var/task itself, not in /var/task/src; move it up, import it as src.mod"},
		"nowhere":               {"yaml", nil, [][]string{{"python/other.py"}}, "", "neither the code nor a layer holds anything named yaml; pip install --target LAYER/python pyyaml"},
		"SDK":                   {"boto3.session", nil, nil, "", "lamina runtime add python3.12"},
		"not another's part":    {"json5", nil, [][]string{{"python/big/__init__.py", "python/big/json5.py"}}, "", "holds anything named json5"},
		"not a folder of data":  {"data", []string{"files/data/x.csv"}, nil, "", "holds anything named data"},
		"the likeliest first":   {"mod", []string{"src/mod.py"}, [][]string{{"mod.py"}}, "/opt/mod.py", "no python/ folder"},
		"the end of a name":     {"mod", nil, [][]string{{"python/amod.py"}}, "", "holds anything named mod"},
		"another name's folder": {"a.b", nil, [][]string{{"python/xa/b.py"}}, "", "holds anything named a"},
	} {
		t.Run(name, func(t *testing.T) { check(t, tt.module, "python3.12", tt.code, tt.layers, tt.path, tt.says) })
	}
}

func TestNode(t *testing.T) {
	pkg := func(prefix string) []string { return []string{prefix + "/index.js", prefix + "/package.json"} }
	for name, tt := range map[string]struct {
		module string
		code   []string
		layers [][]string
		path   string
		says   string
	}{
		"no nodejs folder":   {"pkg/sub", nil, [][]string{pkg("node_modules/pkg")}, "/opt/node_modules/pkg", "no nodejs/ folder around node_modules; zip it as nodejs/node_modules/pkg"},
		"no node_modules":    {"@s/pkg", nil, [][]string{pkg("nodejs/@s/pkg")}, "/opt/nodejs/@s/pkg", "no node_modules folder around it"},
		"outer folder":       {"pkg", nil, [][]string{pkg("out/nodejs/node_modules/pkg")}, "/opt/out/nodejs/node_modules/pkg", "inside out/"},
		"double nesting":     {"pkg", nil, [][]string{pkg("nodejs/nodejs/node_modules/pkg")}, "/opt/nodejs/nodejs/node_modules/pkg", "inside nodejs/"},
		"other version":      {"pkg", nil, [][]string{pkg("nodejs/node18/node_modules/pkg")}, "/opt/nodejs/node18/node_modules/pkg", "nodejs18.x's alone, and the function runs on nodejs22.x"},
		"case":               {"pkg", nil, [][]string{pkg("nodejs/node_modules/Pkg")}, "/opt/nodejs/node_modules/Pkg", "its letters differ"},
		"in the code":        {"pkg", pkg("lib/node_modules/pkg"), nil, "/var/task/lib/node_modules/pkg", "move it to node_modules at the root of the code"},
		"elsewhere":          {"pkg", nil, [][]string{pkg("packages/pkg")}, "/opt/packages/pkg", "node does not look in /opt/packages"},
		"not a dependency's": {"pkg", nil, [][]string{pkg("nodejs/node_modules/a/node_modules/pkg")}, "", "anything named pkg; npm install --prefix LAYER/nodejs pkg"},
		"old SDK":            {"aws-sdk", nil, nil, "", "import @aws-sdk/client-…"},
		"SDK":                {"@aws-sdk/client-s3", nil, nil, "", "lamina runtime add nodejs22.x"},
		"a file's ending":    {"./util", []string{"util.mjs"}, nil, "/var/task/util.mjs", "names the file with its ending; import it as ./util.mjs"},
		"a file's letters":   {"./util.js", []string{"Util.js"}, nil, "/var/task/Util.js", "its letters differ"},
		"no such file":       {"./util.js", []string{"other.js"}, nil, "", "anything named util.js"},
	} {
		t.Run(name, func(t *testing.T) { check(t, tt.module, "nodejs22.x", tt.code, tt.layers, tt.path, tt.says) })
	}
}

func check(t *testing.T, module string, r lambda.Runtime, code []string, layers [][]string, path, says string) {
	t.Helper()
	parts := []explain.Part{part(t, "the function's code", "/var/task", code...)}
	for i, files := range layers {
		parts = append(parts, part(t, "layer l"+string(rune('0'+i)), "/opt", files...))
	}
	res, ok := explain.Import(module, r, "x86_64", parts)
	if !ok || len(res.Hints) == 0 {
		t.Fatalf("no hint: %+v", res)
	}
	h := res.Hints[0]
	if got := h.Reason + "; " + h.Fix; h.Path != path || !strings.Contains(got, says) {
		t.Errorf("got %q at %q\nwant %q at %q", got, h.Path, says, path)
	}
	if line := res.String(); !strings.HasPrefix(line, "cannot import \""+module+"\": ") || strings.Contains(line, "\n") || !strings.Contains(line, h.Reason) {
		t.Errorf("the line is %q", line)
	}
}

func TestSDK(t *testing.T) {
	for module, want := range map[string]bool{"boto3.session": true, "dateutil": true, "yaml": false, "misplaced": false} {
		if res, _ := explain.Import(module, "python3.12", "x86_64", []explain.Part{part(t, "layer l", "/opt", "misplaced.py")}); res.SDK != want {
			t.Errorf("%s: got %+v", module, res)
		}
	}
	for module, want := range map[string]bool{"@aws-sdk/client-s3": true, "@smithy/types": true, "aws-sdk": false, "pkg": false} {
		if res, _ := explain.Import(module, "nodejs22.x", "x86_64", nil); res.SDK != want {
			t.Errorf("%s: got %+v", module, res)
		}
	}
	layer := part(t, "layer l", "/opt", "boto3/__init__.py")
	if res, _ := explain.Import("boto3", "python3.12", "x86_64", []explain.Part{layer}); res.SDK {
		t.Errorf("it is there, in the wrong place: %+v", res)
	}
}

func TestOtherRuntimes(t *testing.T) {
	if res, ok := explain.Import("x", "provided.al2023", "arm64", nil); ok {
		t.Errorf("got %+v", res)
	}
}

func TestMissing(t *testing.T) {
	for message, want := range map[string]string{
		"Unable to import module 'app': No module named 'a.b'":                              "a.b",
		"No module named 'a.b'; 'a' is not a package":                                       "a.b",
		"Error: Cannot find module 'pkg/sub'\nRequire stack:\n- /var/task/index.js":         "pkg/sub",
		"Cannot find package '@s/pkg' imported from /var/task/index.mjs":                    "@s/pkg",
		"Cannot find module '/var/task/util' imported from /var/task/index.mjs":             "./util",
		"Unable to import module 'app': cannot import name 'x' from 'y' (/opt/python/y.py)": "",
		"division by zero": "",
	} {
		got, ok := explain.Missing(message)
		if diff := cmp.Diff(got, want); diff != "" || ok != (want != "") {
			t.Errorf("%q: got(-) want(+):\n%s", message, diff)
		}
	}
}
