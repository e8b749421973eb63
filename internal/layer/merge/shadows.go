// Package merge says what becomes of several layers in one folder.
//
// Layers are laid over each other in the order of a function's list, the last on top. Directories merge: what one layer
// brings stays beside what another brings. Everything else replaces: the path belongs to the last layer that has it, and
// with it everything below, so a file (or a link) hides a whole directory of an earlier layer, and a directory hides an
// earlier file. This is what an overlay of their trees shows, and it is decided here alone.
package merge

import (
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
)

// Shadows gives the paths that a layer hides in an earlier one, sorted, with the layer that wins each and those that lose,
// in order. layers holds the entries of each layer in the order of the list, sorted by path as an Archive gives them;
// numbers in the result are indexes of it. A directory that merges is no shadow. Where a file or link stands for a
// directory of an earlier layer, the path of the directory and every path below it are listed.
func Shadows(layers [][]archive.Entry) []lambda.Shadow {
	owners := make(map[string][]owner)
	for i, entries := range layers {
		for _, e := range entries {
			owners[e.Path] = append(owners[e.Path], owner{layer: i, dir: e.Type == archive.Dir})
		}
	}
	var shadows []lambda.Shadow
	for path, own := range owners {
		cut, by := hiddenBelow(owners, path)
		if s, ok := shadow(path, own, cut, by); ok {
			shadows = append(shadows, s)
		}
	}
	slices.SortFunc(shadows, func(a, b lambda.Shadow) int { return strings.Compare(a.Path, b.Path) })
	return shadows
}

// owner is a layer that brings a path.
type owner struct {
	layer int
	dir   bool
}

// hiddenBelow looks for parents of a path that are not directories in some layer: layers before cut do not show anything
// at the path, and by is the layer whose file or link stands in the way.
func hiddenBelow(owners map[string][]owner, path string) (cut, by int) {
	for i := strings.LastIndexByte(path, '/'); i > 0; i = strings.LastIndexByte(path[:i], '/') {
		for _, o := range owners[path[:i]] {
			if !o.dir && o.layer >= cut {
				cut, by = o.layer, o.layer
			}
		}
	}
	return cut, by
}

// shadow decides who wins a path. Owners before cut lose whatever they bring; of the rest the last wins, and directories at
// the end merge.
func shadow(path string, own []owner, cut, by int) (lambda.Shadow, bool) {
	s := lambda.Shadow{Path: path, Winner: by}
	visible := own[:0:0]
	for _, o := range own {
		if o.layer < cut {
			s.Losers = append(s.Losers, o.layer)
		} else {
			visible = append(visible, o)
		}
	}
	if len(visible) > 0 {
		last := len(visible) - 1
		s.Winner = visible[last].layer
		first := last // the first of the directories that merge at the end
		for visible[last].dir && first > 0 && visible[first-1].dir {
			first--
		}
		for _, o := range visible[:first] {
			s.Losers = append(s.Losers, o.layer)
		}
	}
	return s, len(s.Losers) > 0
}
