// Package failpointtest reads the source: which fail points there are, so that tests can go through all of them.
package failpointtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Point is a place where this module's source hits a fail point.
type Point struct {
	Name    string
	Package string // the last part of its path
	Place   string // file:line
}

// Points gives every point below a folder of the source. One whose name is not a text in the source is an error.
func Points(t testing.TB, root string) []Point {
	t.Helper()
	var all []Point
	Walk(t, root, func(set *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !isPoint(call) {
				return true
			}
			place := set.Position(call.Pos()).String()
			name := ""
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				name, _ = strconv.Unquote(lit.Value)
			}
			if name == "" {
				t.Errorf("%s: the name of a fail point has to be a text", place)
				return true
			}
			all = append(all, Point{name, file.Name.Name, place})
			return true
		})
	})
	return all
}

func isPoint(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == "failpoint" && sel.Sel.Name != "Arm" && sel.Sel.Name != "Record"
}

// Walk parses every file below a folder that ships.
func Walk(t testing.TB, root string, f func(*token.FileSet, *ast.File)) {
	t.Helper()
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && e.Name() == "testdata":
			return fs.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err == nil {
			f(set, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
