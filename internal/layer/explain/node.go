package explain

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
)

// node looks for a package of node.
type node struct {
	major  string // "22"
	module string // as it was imported
}

var majorDir = regexp.MustCompile(`(^|/)node(\d+)/node_modules$`)

func (n node) looked() []string {
	return []string{"/var/task/node_modules", "/opt/nodejs/node" + n.major + "/node_modules", "/opt/nodejs/node_modules"}
}

// pkg is the package of the module: "@scope/name" or "name".
func (n node) pkg() string {
	parts := strings.SplitN(n.module, "/", 3)
	if strings.HasPrefix(n.module, "@") && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// file reports an import of a file rather than of a package.
func (n node) file() bool {
	return strings.HasPrefix(n.module, ".") || strings.HasPrefix(n.module, "/")
}

func (n node) hints(parts []Part) []Hint {
	if n.file() {
		return n.files(parts)
	}
	pkg := n.pkg()
	var hints []Hint
	for _, part := range parts {
		for _, e := range part.Entries {
			if e.Type == archive.File {
				continue // a package is a folder, or a link to one
			}
			prefix, ok := under(e.Path, pkg)
			if !ok {
				if prefix, ok = underFold(e.Path, pkg); ok && n.right(part.Root, prefix) {
					hints = append(hints, Hint{Part: part.Name, Path: path.Join(part.Root, e.Path), rank: rankCase,
						Reason: "its letters differ and Linux tells them apart", Fix: "import " + e.Path[len(prefix)+1:]})
				}
				continue
			}
			if h, ok := n.judge(part, e, prefix); ok {
				hints = append(hints, h)
			}
		}
	}
	if len(hints) == 0 {
		hints = append(hints, n.nothing())
	}
	return hints
}

func (n node) right(root, prefix string) bool {
	return slices.Contains(n.looked(), path.Join(root, prefix))
}

func (n node) judge(part Part, e archive.Entry, prefix string) (Hint, bool) {
	h := Hint{Part: part.Name, Path: path.Join(part.Root, e.Path)}
	if n.right(part.Root, prefix) {
		blocked, ok := shutAbove(part.Entries, e.Path)
		if ok {
			return shutHint(part, e, blocked), true
		}
		return h, false
	}
	major := majorDir.FindStringSubmatch(prefix)
	// A folder that merely has the name is none of ours, unless it looks like a package.
	if path.Base(prefix) != "node_modules" && !has(part.Entries, e.Path+"/package.json") {
		return h, false
	}
	if path.Base(prefix) == "node_modules" && strings.Contains(prefix, "node_modules/") {
		return h, false // a dependency's own dependency
	}
	switch {
	case part.Root != "/opt":
		h.rank, h.Reason = rankElsewhere, "node looks in node_modules beside and above the file that imports it"
		h.Fix = "move it to node_modules at the root of the code"
	case major != nil && major[2] != n.major && strings.HasPrefix(prefix, "nodejs/"):
		h.rank, h.Reason = rankVersion, fmt.Sprintf("that folder is nodejs%s.x's alone, and the function runs on nodejs%s.x", major[2], n.major)
		h.Fix = "put it into nodejs/node_modules, which serves all versions"
	case prefix == "node_modules":
		h.rank, h.Reason = rankRoot, "the layer has no nodejs/ folder around node_modules"
		h.Fix = "zip it as nodejs/node_modules/" + n.pkg()
	case prefix == "nodejs":
		h.rank, h.Reason = rankRoot, "there is no node_modules folder around it"
		h.Fix = "zip it as nodejs/node_modules/" + n.pkg()
	case strings.HasSuffix(prefix, "/nodejs/node_modules"):
		outer := strings.TrimSuffix(prefix, "/nodejs/node_modules")
		h.rank, h.Reason = rankNesting, "nodejs/ is not at the root of the layer but inside "+outer+"/"
		h.Fix = "zip what is in " + outer + "/, not the folder itself"
	default:
		h.rank, h.Reason = rankElsewhere, "node does not look in "+path.Join(part.Root, prefix)
		h.Fix = "move it to nodejs/node_modules in the layer"
	}
	return h, true
}

func has(entries []archive.Entry, p string) bool {
	_, ok := slices.BinarySearchFunc(entries, p, func(e archive.Entry, s string) int { return strings.Compare(e.Path, s) })
	return ok
}

// files looks for a file that was named by its path, in other letters or with another ending.
func (n node) files(parts []Part) []Hint {
	want := path.Base(n.module)
	for _, part := range parts {
		for _, e := range part.Entries {
			base := path.Base(e.Path)
			stem := strings.TrimSuffix(base, path.Ext(base))
			if e.Type == archive.Dir || !strings.EqualFold(base, want) && !strings.EqualFold(stem, want) || strings.Contains(e.Path, "node_modules/") {
				continue
			}
			h := Hint{Part: part.Name, Path: path.Join(part.Root, e.Path), rank: rankElsewhere, Reason: "that is not the path that was imported"}
			switch {
			case base != want && stem != want:
				h.rank, h.Reason = rankCase, "its letters differ and Linux tells them apart"
			case base != want:
				h.Reason, h.Fix = "an import of an ES module names the file with its ending", "import it as "+n.module+path.Ext(base)
			}
			return []Hint{h}
		}
	}
	return []Hint{nothing(want, "")}
}

// sdk reports a package that comes with AWS's SDK.
func (n node) sdk() bool {
	return strings.HasPrefix(n.module, "@aws-sdk/") || strings.HasPrefix(n.module, "@smithy/")
}

func (n node) nothing() Hint {
	pkg := n.pkg()
	switch {
	case pkg == "aws-sdk":
		return nothing(pkg, "version 2 of AWS's SDK is not part of nodejs18.x and later: import @aws-sdk/client-…, or bring aws-sdk in a layer")
	case n.sdk():
		return nothing(pkg, "lamina runtime add nodejs"+n.major+".x adds AWS's SDK, as it is on Lambda")
	}
	return nothing(pkg, "npm install --prefix LAYER/nodejs "+pkg)
}
