package floors_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/floors"
)

const module = "github.com/laminadev/lamina"

// pkg is a package as its files are.
type pkg struct {
	name    string
	doc     bool
	imports map[string]bool // of the files that ship
}

// TestHouse compares the source tree with the house. What it says of each package is a sentence to act on.
func TestHouse(t *testing.T) {
	got := check(floors.House(), read(t, "../.."))
	for _, problem := range got {
		t.Error(problem)
	}
}

// TestTable checks the table itself.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	rooms := map[string]floors.Room{}
	for _, r := range floors.House() {
		if seen[r.Path] {
			t.Errorf("%s is listed twice", r.Path)
		}
		seen[r.Path] = true
		rooms[r.Path] = r
		if r.Gives == "" {
			t.Errorf("%s: no reason to exist is given", r.Path)
		}
	}
	for _, r := range floors.House() {
		for _, i := range r.Imports {
			to, listed := rooms[i]
			switch {
			case strings.HasSuffix(i, "*"):
			case !listed:
				t.Errorf("%s may import %s, which is not listed", r.Path, i)
			case to.Floor > r.Floor || to.Floor == r.Floor && !to.Level:
				t.Errorf("%s (floor %d) may import %s (floor %d): that goes up", r.Path, r.Floor, i, to.Floor)
			}
		}
	}
}

// TestCheckSees shows that each kind of fault is found.
func TestCheckSees(t *testing.T) {
	house := []floors.Room{
		{Path: "top", Floor: 2, Imports: []string{"mid", "low/*"}},
		{Path: "mid", Floor: 1},
		{Path: "low/a", Floor: 1},
		{Path: "ground", Ground: true},
		{Path: "suite", Floor: 1, Tests: true},
	}
	in := func(paths ...string) map[string]bool {
		m := map[string]bool{}
		for _, p := range paths {
			m[p] = true
		}
		return m
	}
	own := func(p string) string { return module + "/internal/" + p }
	for _, tt := range []struct {
		name string
		tree map[string]pkg
		want []string
	}{
		{"nothing wrong", map[string]pkg{
			"top":   {"top", true, in("fmt", own("mid"), own("low/a"), own("ground"))},
			"suite": {"suite", true, in("testing")},
		}, nil},
		{"not listed", map[string]pkg{"attic": {"attic", true, nil}},
			[]string{"attic is not in the house: give it a row with a floor in internal/floors"}},
		{"up", map[string]pkg{"mid": {"mid", true, in(own("top"))}},
			[]string{"mid (floor 1) must not import top (floor 2): arrows go down"}},
		{"sideways", map[string]pkg{"mid": {"mid", true, in(own("low/a"))}},
			[]string{"mid (floor 1) must not import low/a (floor 1): arrows go down"}},
		{"not beside it", map[string]pkg{"top": {"top", true, in(own("suite"))}},
			[]string{"top must not import suite: it is not listed beside it"}},
		{"unknown import", map[string]pkg{"top": {"top", true, in(own("attic"))}},
			[]string{"top imports attic, which is not in the house"}},
		{"testing ships", map[string]pkg{"mid": {"mid", true, in("testing")}},
			[]string{"mid imports testing, which never ships"}},
		{"no comment", map[string]pkg{"mid": {"mid", false, nil}},
			[]string{"mid has no package comment"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(check(house, tt.tree), tt.want); diff != "" {
				t.Errorf("got(-) want(+):\n%s", diff)
			}
		})
	}
}

// check gives what is wrong with a tree, sorted.
func check(house []floors.Room, tree map[string]pkg) []string {
	rooms := map[string]floors.Room{}
	for _, r := range house {
		rooms[r.Path] = r
	}
	var problems []string
	for p, k := range tree {
		room, listed := rooms[p]
		if !listed {
			problems = append(problems, p+" is not in the house: give it a row with a floor in internal/floors")
			continue
		}
		if !k.doc {
			problems = append(problems, p+" has no package comment")
		}
		for i := range k.imports {
			if problem := checkImport(rooms, room, i); problem != "" {
				problems = append(problems, problem)
			}
		}
	}
	sort.Strings(problems)
	return problems
}

// checkImport gives what is wrong with one import of a package, "" when nothing is.
func checkImport(rooms map[string]floors.Room, from floors.Room, imported string) string {
	if imported == "testing" && !from.Tests {
		return from.Path + " imports testing, which never ships"
	}
	p, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		return ""
	}
	p = strings.TrimPrefix(p, "internal/")
	to, listed := rooms[p]
	switch {
	case !listed:
		return fmt.Sprintf("%s imports %s, which is not in the house", from.Path, p)
	case to.Floor > from.Floor, to.Floor == from.Floor && !to.Level && !to.Ground:
		return fmt.Sprintf("%s (floor %d) must not import %s (floor %d): arrows go down", from.Path, from.Floor, p, to.Floor)
	case to.Ground, from.Tests && !to.Tests:
		return ""
	case to.Tests || !allows(from.Imports, p):
		return fmt.Sprintf("%s must not import %s: it is not listed beside it", from.Path, p)
	}
	return ""
}

func allows(list []string, p string) bool {
	return slices.Contains(list, p) || slices.Contains(list, "*") || slices.Contains(list, path.Dir(p)+"/*")
}

// read walks the packages that the house is about: cmd, client and internal. Reading files rather than asking the go
// command lets go test know what its cached result depends on.
func read(t *testing.T, root string) map[string]pkg {
	t.Helper()
	tree := map[string]pkg{}
	for _, top := range []string{"cmd", "client", "internal"} {
		dir := filepath.Join(root, top)
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), "_")) {
				return fs.SkipDir
			}
			if d.IsDir() || !strings.HasSuffix(file, ".go") {
				return nil
			}
			return readFile(tree, root, file)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func readFile(tree map[string]pkg, root, file string) error {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	if generator(f) {
		return nil
	}
	dir, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		return err
	}
	p := strings.TrimPrefix(filepath.ToSlash(dir), "internal/")
	if strings.HasSuffix(file, "_test.go") {
		return nil
	}
	k, ok := tree[p]
	if !ok {
		k = pkg{name: f.Name.Name, imports: map[string]bool{}}
	}
	k.doc = k.doc || f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != ""
	for _, i := range f.Imports {
		s, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			return err
		}
		k.imports[s] = true
	}
	tree[p] = k
	return nil
}

// generator reports whether the file is a program beside a package that writes its code: "//go:build ignore".
func generator(f *ast.File) bool {
	for _, c := range f.Comments {
		if c.Pos() < f.Package && strings.Contains(c.List[0].Text, "go:build ignore") {
			return true
		}
	}
	return false
}
