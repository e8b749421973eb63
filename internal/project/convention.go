package project

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// The files where people have their handler, most usual first.
var (
	stems       = []string{"app", "lambda_function", "main", "index", "handler", "function"}
	scriptEnds  = []string{".mjs", ".js", ".cjs"}
	pythonEntry = regexp.MustCompile(`(?m)^(?:async[ \t]+)?def[ \t]+(lambda_handler|handler)[ \t]*\(`)
	pythonValue = regexp.MustCompile(`(?m)^(lambda_handler|handler)[ \t]*=[^=]`)
	nodeEntry   = regexp.MustCompile(`(?m)^[ \t]*(?:export[ \t]+(?:async[ \t]+)?(?:function|const|let|var)[ \t]+|(?:module\.)?exports\.)(lambdaHandler|lambda_handler|handler)\b`)
	nodeList    = regexp.MustCompile(`(?:export|exports[ \t]*=)[ \t]*\{[^}]*\b(lambdaHandler|lambda_handler|handler)\b`)
	pyVersion   = regexp.MustCompile(`^3\.\d+`)
	nodeMajor   = regexp.MustCompile(`^[v^~=]*(\d+)(?:\.[x\d*]+)*$`)
)

// usualFiles names the files that are looked at, for an error message.
func usualFiles(runtime string) string {
	switch {
	case strings.HasPrefix(runtime, "nodejs"):
		return "index.mjs, app.js, …"
	case strings.HasPrefix(runtime, "python"):
		return "app.py, lambda_function.py, main.py, …"
	}
	return "file"
}

// guess fills in what is missing from what such folders usually look like.
func (f *Function) guess(dir string) {
	f.guessCode(dir)
	if f.Layers == nil {
		f.Layers = usualLayers(dir)
		for _, l := range f.Layers {
			rel, _ := filepath.Rel(dir, l)
			f.assume("layer %s", rel)
		}
	}
}

// guessCode fills in handler and runtime. A given one of the two narrows the search for the other.
func (f *Function) guessCode(dir string) {
	family := strings.TrimRight(strings.SplitN(f.Runtime, ".", 2)[0], "0123456789")
	if f.Handler != "" && f.Runtime == "" {
		family = familyOfHandler(dir, f.Handler)
	}
	if family == "" || family == "provided" {
		if info, err := os.Stat(filepath.Join(dir, "bootstrap")); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 || family == "provided" {
			f.provided()
			return
		}
	}
	handler, found := entry(dir, family)
	if f.Handler == "" && handler != "" {
		f.Handler = handler
		f.assume("handler %s", handler)
	}
	family = cmp.Or(family, found, familyByFiles(dir))
	if f.Runtime == "" && family != "" {
		var why string
		f.Runtime, why = version(dir, family)
		f.assume("runtime %s (%s)", f.Runtime, why)
	}
}

func (f *Function) provided() {
	if f.Runtime == "" {
		f.Runtime = "provided.al2023"
		f.assume("runtime provided.al2023 (there is an executable bootstrap)")
	}
	if f.Handler == "" {
		f.Handler = "bootstrap"
	}
}

// entry looks for a handler, of one family or of any.
func entry(dir, family string) (handler, found string) {
	for _, stem := range stems {
		if family == "" || family == "python" {
			if name := declared(filepath.Join(dir, stem+".py"), pythonEntry, pythonValue); name != "" {
				return stem + "." + name, "python"
			}
		}
		for _, end := range scriptEnds {
			if family != "" && family != "nodejs" {
				break
			}
			if name := declared(filepath.Join(dir, stem+end), nodeEntry, nodeList); name != "" {
				return stem + "." + name, "nodejs"
			}
		}
	}
	return "", ""
}

// declared gives the name that a file declares as handler, "" when it declares none.
func declared(path string, forms ...*regexp.Regexp) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for _, form := range forms {
		if m := form.FindSubmatch(b); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// familyOfHandler sees which file a handler names.
func familyOfHandler(dir, handler string) string {
	module, _, ok := cutLast(handler, ".")
	if !ok {
		return ""
	}
	if isFile(filepath.Join(dir, strings.ReplaceAll(module, ".", "/")+".py")) || isFile(filepath.Join(dir, strings.ReplaceAll(module, ".", "/"), "__init__.py")) {
		return "python"
	}
	for _, end := range scriptEnds {
		if isFile(filepath.Join(dir, module+end)) {
			return "nodejs"
		}
	}
	return ""
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func familyByFiles(dir string) string {
	for _, row := range []struct{ file, family string }{
		{"requirements.txt", "python"}, {"pyproject.toml", "python"}, {".python-version", "python"}, {"Pipfile", "python"},
		{"package.json", "nodejs"}, {".nvmrc", "nodejs"},
	} {
		if isFile(filepath.Join(dir, row.file)) {
			return row.family
		}
	}
	return ""
}

// version gives a runtime of the family: the version that a file asks for, else the family alone, and the reason.
func version(dir, family string) (runtime, why string) {
	switch family {
	case "python":
		if v := pyVersion.FindString(firstLine(filepath.Join(dir, ".python-version"))); v != "" {
			return "python" + v, ".python-version says so"
		}
	case "nodejs":
		if m := nodeMajor.FindStringSubmatch(firstLine(filepath.Join(dir, ".nvmrc"))); m != nil {
			return "nodejs" + m[1] + ".x", ".nvmrc says so"
		}
		if m := nodeMajor.FindStringSubmatch(engine(filepath.Join(dir, "package.json"))); m != nil {
			return "nodejs" + m[1] + ".x", "package.json says so"
		}
	}
	return family, "the newest of this machine"
}

func engine(path string) string {
	var p struct {
		Engines struct {
			Node string `json:"node"`
		} `json:"engines"`
	}
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &p) != nil {
		return ""
	}
	return strings.TrimSpace(p.Engines.Node)
}

func firstLine(path string) string {
	b, _ := os.ReadFile(path)
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// usualLayers are layer, layer.zip, and what lies in layers.
func usualLayers(dir string) []string {
	var found []string
	for _, name := range []string{"layer", "layer.zip"} {
		if p := filepath.Join(dir, name); isLayer(p) {
			found = append(found, p)
		}
	}
	all := filepath.Join(dir, "layers")
	if looksLikeLayer(all) {
		return append(found, all)
	}
	entries, _ := os.ReadDir(all) // sorted by name
	for _, e := range entries {
		if p := filepath.Join(all, e.Name()); isLayer(p) && !strings.HasPrefix(e.Name(), ".") {
			found = append(found, p)
		}
	}
	return found
}

func isLayer(path string) bool {
	if strings.HasSuffix(path, ".zip") {
		return isFile(path)
	}
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0
}

// looksLikeLayer: it has a folder that has a meaning in a layer alone.
func looksLikeLayer(dir string) bool {
	for _, name := range []string{"python", "nodejs", "java", "ruby", "extensions"} {
		if isDir(filepath.Join(dir, name)) {
			return true
		}
	}
	return false
}
