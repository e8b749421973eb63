package explain

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
)

// python looks for a python module.
type python struct {
	version string // "3.12"
	arch    string // "x86_64" or "arm64"
	module  string // "a.b"
}

var (
	// tagged is the end of a compiled module's file: ".cpython-312-x86_64-linux-gnu.so", ".abi3.so", ".cp312-win_amd64.pyd".
	tagged  = regexp.MustCompile(`\.(?:cpython-(\d)(\d+)[a-z]*-([a-z0-9_-]+)|cp(\d)(\d+)-([a-z0-9_]+)|abi3|pypy[^/]*)?\.?(so|pyd)$`)
	siteDir = regexp.MustCompile(`(^|/)lib/python(3\.\d+)/site-packages$`)
)

func (p python) site() string { return "python/lib/python" + p.version + "/site-packages" }

func (p python) looked() []string { return []string{"/var/task", "/opt/" + p.site(), "/opt/python"} }

// right reports whether python looks in a folder of a part.
func (p python) right(root, prefix string) bool {
	return slices.Contains(p.looked(), path.Join(root, prefix))
}

// form is what a file or folder of the module's name is.
type form struct {
	stem    string // the path without what makes it a file
	version string // of the python that it was compiled for; "" for any
	system  string // that it was compiled for: "x86_64-linux-gnu", "win_amd64"; "" for any
}

func formOf(e archive.Entry) (form, bool) {
	switch {
	case e.Type == archive.Dir:
		return form{stem: e.Path}, true
	case strings.HasSuffix(e.Path, ".py"):
		return form{stem: strings.TrimSuffix(e.Path, ".py")}, true
	}
	m := tagged.FindStringSubmatchIndex(e.Path)
	if m == nil {
		return form{stem: e.Path}, e.Type == archive.Symlink // a link to a package
	}
	group := func(i int) string {
		if m[2*i] < 0 {
			return ""
		}
		return e.Path[m[2*i]:m[2*i+1]]
	}
	f := form{stem: e.Path[:m[0]], system: group(3) + group(6)}
	if major := group(1) + group(4); major != "" {
		f.version = major + "." + group(2) + group(5)
	}
	if group(7) == "pyd" && f.system == "" {
		f.system = "win"
	}
	return f, true
}

func (p python) hints(parts []Part) []Hint {
	name := strings.ReplaceAll(p.module, ".", "/")
	var hints []Hint
	for _, part := range parts {
		seen := map[string]bool{} // a package and its compiled twin are one place
		for _, e := range part.Entries {
			f, ok := formOf(e)
			if !ok {
				continue
			}
			prefix, ok := under(f.stem, name)
			if !ok {
				if prefix, ok = underFold(f.stem, name); ok && p.right(part.Root, prefix) {
					hints = append(hints, p.twin(part, e, f.stem, prefix))
				}
				continue
			}
			if h, ok := p.judge(parts, part, e, f, prefix); ok && !seen[h.Reason] {
				seen[h.Reason] = true
				hints = append(hints, h)
			}
		}
	}
	if len(hints) == 0 {
		hints = append(hints, p.nothing())
	}
	return hints
}

func (p python) twin(part Part, e archive.Entry, stem, prefix string) Hint {
	return Hint{Part: part.Name, Path: path.Join(part.Root, e.Path), rank: rankCase,
		Reason: "its letters differ and Linux tells them apart",
		Fix:    "import " + strings.ReplaceAll(strings.TrimPrefix(stem[len(prefix):], "/"), "/", ".") + ", or rename it"}
}

// judge says why something of the right name is not found where it lies.
func (p python) judge(parts []Part, part Part, e archive.Entry, f form, prefix string) (Hint, bool) {
	h := Hint{Part: part.Name, Path: path.Join(part.Root, e.Path)}
	if !p.right(part.Root, prefix) {
		if has(part.Entries, prefix+"/__init__.py") || e.Type == archive.Dir && !has(part.Entries, e.Path+"/__init__.py") {
			return h, false // a part of another package, or no package
		}
		p.misplaced(part, prefix, &h)
		return h, true
	}
	if blocked, ok := shutAbove(part.Entries, e.Path); ok {
		return shutHint(part, e, blocked), true
	}
	if p.foreign(f, &h) {
		return h, true
	}
	if p.shadowed(parts, part, prefix, &h) {
		return h, true
	}
	return h, false // a folder that merely has the name, or something that we do not understand
}

// foreign: it was compiled for another python, system or processor.
func (p python) foreign(f form, h *Hint) bool {
	machine := map[string]string{"x86_64": "x86_64", "arm64": "aarch64"}[p.arch]
	h.rank = rankABI
	switch {
	case f.system != "" && !strings.Contains(f.system, "linux"):
		h.Reason = "it was compiled for another system (" + f.system + ")"
	case f.system != "" && machine != "" && !strings.HasPrefix(f.system, machine):
		h.Reason = fmt.Sprintf("it was compiled for another processor (%s), and this is %s", f.system, p.arch)
	case f.version != "" && f.version != p.version:
		h.Reason = fmt.Sprintf("it was compiled for python%s, and the function runs on python%s", f.version, p.version)
	default:
		return false
	}
	h.Fix = fmt.Sprintf("pip install --target python --only-binary :all: --python-version %s --platform manylinux2014_%s PACKAGE", p.version, machine)
	return true
}

// shadowed: the package above it is found first in another place, which lacks it.
func (p python) shadowed(parts []Part, own Part, prefix string, h *Hint) bool {
	top, _, below := strings.Cut(p.module, ".")
	if !below {
		return false
	}
	for _, dir := range p.looked() {
		if dir == path.Join(own.Root, prefix) {
			break // ours comes first
		}
		for _, part := range slices.Backward(parts) {
			for _, e := range part.Entries {
				f, ok := formOf(e)
				if ok && path.Join(part.Root, f.stem) == path.Join(dir, top) {
					h.rank = rankShadowed
					h.Reason = fmt.Sprintf("%s of %s is found first and hides it", path.Join(part.Root, e.Path), part.Name)
					h.Fix = "rename or remove that one, or bring the whole package in one place"
					return true
				}
			}
		}
	}
	return false
}

// misplaced: it lies where python does not look.
func (p python) misplaced(part Part, prefix string, h *Hint) {
	layer := part.Root == "/opt"
	site := siteDir.FindStringSubmatch(prefix)
	switch {
	case !layer:
		h.rank = rankElsewhere
		h.Reason = "python looks in /var/task itself, not in " + path.Join(part.Root, prefix)
		h.Fix = "move it up, import it as " + strings.ReplaceAll(prefix, "/", ".") + "." + p.module + ", or set PYTHONPATH=/var/task/" + prefix
	case site != nil && site[2] != p.version:
		h.rank = rankVersion
		h.Reason = fmt.Sprintf("that folder is python%s's alone, and the function runs on python%s", site[2], p.version)
		h.Fix = "put it into python/, which serves all versions, or build the layer for python" + p.version
	case prefix == "":
		h.rank = rankRoot
		h.Reason = "the layer has no python/ folder around it"
		h.Fix = "zip it as python/" + strings.SplitN(p.module, ".", 2)[0]
	case prefix == "python/python", strings.HasSuffix(prefix, "/python"), strings.HasSuffix(prefix, "/"+p.site()):
		outer, _ := strings.CutSuffix(prefix, "/python")
		outer, _ = strings.CutSuffix(outer, "/"+p.site())
		h.rank = rankNesting
		h.Reason = "python/ is not at the root of the layer but inside " + outer + "/"
		h.Fix = "zip what is in " + outer + "/, not the folder itself"
	case site != nil:
		h.rank = rankRoot
		h.Reason = "site-packages of a layer has to be below python/lib/python" + p.version + "/"
		h.Fix = "zip what is in " + prefix + " as python/"
	default:
		h.rank = rankElsewhere
		h.Reason = "python does not look in " + path.Join(part.Root, prefix)
		h.Fix = "move it to python/ in the layer"
	}
}

// packages are modules whose package has another name.
var packages = map[string]string{"PIL": "pillow", "yaml": "pyyaml", "cv2": "opencv-python-headless", "sklearn": "scikit-learn", "bs4": "beautifulsoup4",
	"Crypto": "pycryptodome", "jwt": "pyjwt", "dotenv": "python-dotenv", "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}

// sdk reports a package that comes with AWS's SDK.
func (p python) sdk() bool {
	top, _, _ := strings.Cut(p.module, ".")
	switch top {
	case "boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six":
		return true
	}
	return false
}

func (p python) nothing() Hint {
	top, _, _ := strings.Cut(p.module, ".")
	if p.sdk() {
		return nothing(top, "lamina runtime add python"+p.version+" adds AWS's SDK, as it is on Lambda")
	}
	pkg := packages[top]
	if pkg == "" {
		pkg = strings.ReplaceAll(top, "_", "-")
	}
	return nothing(top, "pip install --target LAYER/python "+pkg)
}
