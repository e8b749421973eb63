package merge_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layer/merge"
)

// entries makes entries of paths; one that ends with a slash is a directory, one that ends with "@" a link.
func entries(paths ...string) []archive.Entry {
	var all []archive.Entry
	for _, p := range paths {
		e := archive.Entry{Path: p}
		switch last := p[len(p)-1]; last {
		case '/':
			e.Path, e.Type = p[:len(p)-1], archive.Dir
		case '@':
			e.Path, e.Type = p[:len(p)-1], archive.Symlink
		}
		all = append(all, e)
	}
	return all
}

func TestShadows(t *testing.T) {
	for _, test := range []struct {
		name   string
		layers [][]archive.Entry
		want   []lambda.Shadow
	}{
		{"none", nil, nil},
		{"one layer", [][]archive.Entry{entries("a/", "a/b")}, nil},
		{"directories merge", [][]archive.Entry{entries("a/", "a/x"), entries("a/", "a/y")}, nil},
		{"the later wins", [][]archive.Entry{entries("a/", "a/x"), entries("a/", "a/x")},
			[]lambda.Shadow{{Path: "a/x", Winner: 1, Losers: []int{0}}}},
		{"the last of three wins, losers in order", [][]archive.Entry{entries("x"), entries("x@"), entries("x")},
			[]lambda.Shadow{{Path: "x", Winner: 2, Losers: []int{0, 1}}}},
		{"a file hides a directory and all below it", [][]archive.Entry{entries("a/", "a/b/", "a/b/c"), entries("a")},
			[]lambda.Shadow{{Path: "a", Winner: 1, Losers: []int{0}}, {Path: "a/b", Winner: 1, Losers: []int{0}},
				{Path: "a/b/c", Winner: 1, Losers: []int{0}}}},
		{"a link to a directory hides a directory", [][]archive.Entry{entries("a/", "a/x"), entries("a@")},
			[]lambda.Shadow{{Path: "a", Winner: 1, Losers: []int{0}}, {Path: "a/x", Winner: 1, Losers: []int{0}}}},
		{"a directory hides a file", [][]archive.Entry{entries("a"), entries("a/", "a/x")},
			[]lambda.Shadow{{Path: "a", Winner: 1, Losers: []int{0}}}},
		{"a file in the middle cuts a directory in two", [][]archive.Entry{
			entries("a/", "a/x", "a/y"), entries("a"), entries("a/", "a/x"), entries("a/", "a/z")},
			[]lambda.Shadow{{Path: "a", Winner: 3, Losers: []int{0, 1}}, {Path: "a/x", Winner: 2, Losers: []int{0}},
				{Path: "a/y", Winner: 1, Losers: []int{0}}}},
		{"names that begin alike", [][]archive.Entry{entries("a/", "a/x"), entries("a-b"), entries("ab/", "ab/x")}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, merge.Shadows(test.layers)); diff != "" {
				t.Errorf("shadows (-want +got):\n%s", diff)
			}
		})
	}
}
