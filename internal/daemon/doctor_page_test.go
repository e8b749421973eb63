package daemon_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheMachinesPageHasEveryFix reads the doctor's source: whatever it prints as the line that mends something has to be
// explained in doc/machines.md.
func TestTheMachinesPageHasEveryFix(t *testing.T) {
	page, err := os.ReadFile("../../doc/machines.md")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, pattern := range []string{"doctor*.go", "../sandbox/linuxsandbox/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	fixes := map[string]string{} // and where they stand
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			for _, fix := range fixesIn(t, name) {
				fixes[fix] = name
			}
		}
	}
	if len(fixes) < 15 {
		t.Errorf("only %d lines were found; has the doctor changed its form? %q", len(fixes), slices.Sorted(maps.Keys(fixes)))
	}
	for fix, name := range fixes {
		if !strings.Contains(string(page), fix) {
			t.Errorf("%s: the page lacks %q", name, fix)
		}
	}
}

// fixesIn gives the texts that a file sets as Fix: in assignments, in literals of Check and Finding, in constants and
// functions whose names say so.
func fixesIn(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if s, ok := to.(*ast.SelectorExpr); ok && s.Sel.Name == "Fix" && i < len(n.Rhs) {
					all = append(all, texts(n.Rhs[i])...)
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Fix" {
				all = append(all, texts(n.Value)...)
			}
		case *ast.CompositeLit: // Check{name, state, detail, degrade, fix}
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Check" && len(n.Elts) == 5 {
				all = append(all, texts(n.Elts[4])...)
			}
		case *ast.ValueSpec:
			if strings.HasSuffix(n.Names[0].Name, "Fix") && len(n.Values) == 1 {
				all = append(all, texts(n.Values[0])...)
			}
		case *ast.FuncDecl:
			if strings.HasSuffix(n.Name.Name, "Fix") {
				all = append(all, texts(n.Body)...)
			}
		}
		return true
	})
	return all
}

var (
	verb   = regexp.MustCompile(`%[a-z]`)
	sysctl = regexp.MustCompile(`^(kernel|user)/`) // how the line that is made of it names a setting
)

// texts are the parts of a text that do not depend on the machine. Short ones say nothing.
func texts(n ast.Node) []string {
	var all []string
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return true
		}
		value, err := strconv.Unquote(lit.Value)
		if err != nil {
			return true
		}
		for _, part := range verb.Split(value, -1) {
			if part = strings.TrimSpace(part); len(part) >= 8 && !strings.HasPrefix(part, "/") && !strings.Contains(part, "://USER") {
				all = append(all, sysctl.ReplaceAllString(part, "$1."))
			}
		}
		return true
	})
	return all
}
