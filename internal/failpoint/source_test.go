package failpoint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
)

// store is where what must not be lost is written.
var store = []string{"blob/diskblob", "blob/s3blob", "layerstore", "database", "catalog/sqlcatalog", "daemon/data_folder.go", "daemon/backup.go",
	"daemon/restore.go", "daemon/leftover.go", "runtimes/sdk.go", "logstream"}

// reads are functions of os and unix that change nothing. What is in neither list nor in package failpoint is a finding.
var reads = map[string][]string{
	"os": {"Open", "OpenFile:0", "ReadFile", "ReadDir", "Lstat", "Stat", "SameFile", "Geteuid", "Getpid", "IsNotExist", "NewFile"},
	"unix": {"Open:0", "Openat:0", "Close", "Flock", "FcntlFlock", "Fstat", "Fstatat", "Lstat", "Fgetxattr", "Statfs",
		"SyncFileRange"}, // a hint, of which nothing depends on
}

// changes are methods that change a file or commit. Hashes and the like have some too: exempt says which.
var changes = []string{"Write", "WriteAt", "WriteString", "ReadFrom", "Sync", "Truncate", "Chmod", "Chown", "Commit", "PutObject", "CopyObject",
	"RemoveObject"}

// exempt are calls that look as if they changed the disk past a fail point, with the reason that they don't.
var exempt = map[string]string{
	"blob/s3blob/request.go: d.core.PutObject":         "stands behind s3blob.upload",
	"blob/s3blob/request.go: d.core.Client.CopyObject": "stands behind s3blob.copy",
	"blob/s3blob/request.go: d.core.RemoveObject":      "stands behind s3blob.delete",
	"blob/s3blob/transport.go: c.Conn.Write":           "a connection",
	"database/transaction.go: tx.Commit":               "stands behind database.commit",
	"layerstore/import.go: st.Commit":                  "is the driver's, which has its own",
	"daemon/restore.go: st.Commit":                     "likewise",
	"layerstore/packed.go: h.Write":                    "a hash",
	"layerstore/unpack.go: w.hash.Write":               "a hash",
}

// TestNothingGoesPast walks the source of the store and looks for what changes the disk without a fail point.
func TestNothingGoesPast(t *testing.T) {
	var got []string
	used := map[string]bool{}
	for _, place := range store {
		failpointtest.Walk(t, filepath.Join("..", place), func(set *token.FileSet, file *ast.File) {
			name := strings.TrimPrefix(filepath.ToSlash(set.File(file.Pos()).Name()), "../")
			for _, call := range past(file) {
				key := name + ": " + call.text
				if strings.Contains(name, "pgtest/") {
					continue // serves tests
				}
				if exempt[key] == "" {
					got = append(got, fmt.Sprintf("%s (%s)", key, set.Position(call.pos)))
				}
				used[key] = true
			}
		})
	}
	for _, finding := range got {
		t.Errorf("%s changes the disk past a fail point: use package failpoint, or say why not", finding)
	}
	for key := range exempt {
		if !used[key] {
			t.Errorf("%s is exempt and not there any more", key)
		}
	}
}

type call struct {
	text string
	pos  token.Pos
}

// past gives the calls of a file that are neither known to read only nor fail points.
func past(file *ast.File) []call {
	var all []call
	ast.Inspect(file, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		text := textOf(sel)
		from, name := text[:strings.LastIndexByte(text, '.')], sel.Sel.Name
		switch known, isPackage := reads[from]; {
		case isPackage && (slices.Contains(known, name) || slices.Contains(known, name+":0") && !makes(c)):
		case isPackage && ast.IsExported(name) && !isType(name), !isPackage && from != "failpoint" && slices.Contains(changes, name):
			all = append(all, call{text, c.Pos()})
		}
		return true
	})
	return all
}

// isType tells conversions from calls.
func isType(name string) bool {
	return slices.Contains([]string{"FileMode", "Stat_t", "Flock_t", "Timespec"}, name)
}

// makes reports whether the flags of an open can change something.
func makes(c *ast.CallExpr) bool {
	found := false
	for _, arg := range c.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && slices.Contains([]string{"O_CREAT", "O_CREATE", "O_TRUNC", "O_APPEND", "O_WRONLY"}, id.Name) {
				found = true
			}
			return true
		})
	}
	return found
}

// textOf writes a selector as it stands in the source.
func textOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return textOf(e.X) + "." + e.Sel.Name
	case *ast.CallExpr:
		return textOf(e.Fun) + "()"
	}
	return "…"
}

// TestPastSees shows that calls of each kind are found.
func TestPastSees(t *testing.T) {
	const source = `package x
func f() {
	os.Rename(a, b)
	os.Open(a)
	os.OpenFile(a, os.O_RDWR, 0)
	os.OpenFile(a, os.O_RDWR|os.O_CREATE, 0)
	unix.Linkat(1, a, 2, b, 0)
	unix.Openat(1, a, unix.O_RDONLY, 0)
	x.f.Sync()
	tx.Commit()
	failpoint.Sync("x.sync", f)
	os.WhateverComesNext()
}`
	file, err := parser.ParseFile(token.NewFileSet(), "x.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range past(file) {
		got = append(got, c.text)
	}
	want := []string{"os.Rename", "os.OpenFile", "unix.Linkat", "x.f.Sync", "tx.Commit", "os.WhateverComesNext"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestPoints wants one place for each name, and the name of its package before it.
func TestPoints(t *testing.T) {
	places := map[string]string{}
	for _, p := range failpointtest.Points(t, "..") {
		if p.Package == "failpoint" {
			continue
		}
		if first, twice := places[p.Name]; twice {
			t.Errorf("%s: the fail point %s stands at %s too", p.Place, p.Name, first)
		}
		places[p.Name] = p.Place
		if !strings.HasPrefix(p.Name, p.Package+".") {
			t.Errorf("%s: the fail point %s does not begin with its package", p.Place, p.Name)
		}
	}
	if len(places) < 70 {
		t.Errorf("only %d fail points were found: the test does not see them", len(places))
	}
}

// TestOnlyTestsArm: what ships can't be made to fail. Package failpointtest does not ship: internal/floors sees to that.
func TestOnlyTestsArm(t *testing.T) {
	failpointtest.Walk(t, "../..", func(set *token.FileSet, file *ast.File) {
		if file.Name.Name == "failpointtest" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && (textOf(sel) == "failpoint.Arm" || textOf(sel) == "failpoint.Record") {
				t.Errorf("%s: only tests may arm a fail point", set.Position(sel.Pos()))
			}
			return true
		})
	})
}
