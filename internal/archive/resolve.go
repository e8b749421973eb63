package archive

import (
	"slices"
	"strings"
)

// resolve turns records into entries: the last of several records with one path counts, directories that are only implied
// are added, and nothing may lie below what is not a directory.
func (a *Archive) resolve(lim Limits) error {
	last := make(map[string]int, len(a.records))
	for i := range a.records {
		last[a.records[i].entry.Path] = i
	}
	delete(last, "") // "./", the root itself
	if len(last) == 0 {
		return refuse(Empty, "", "no entries")
	}
	a.entries = make([]Entry, 0, len(last)+len(last)/8)
	for i := range a.records {
		e := a.records[i].entry
		if n, ok := last[e.Path]; !ok || n != i {
			continue
		}
		e.file = i + 1
		a.entries = append(a.entries, e)
		a.unzipped += e.Size
		if lim.UnzippedSize > 0 && a.unzipped > lim.UnzippedSize {
			return refuse(TooLarge, "", "more than %d bytes unzipped", lim.UnzippedSize)
		}
		if a.unzipped > maxSize {
			return refuse(Corrupt, "", "impossible size %d", a.unzipped)
		}
	}
	if err := a.implyParents(last, lim.Entries); err != nil {
		return err
	}
	slices.SortFunc(a.entries, func(x, y Entry) int { return strings.Compare(x.Path, y.Path) })
	return nil
}

func (a *Archive) implyParents(last map[string]int, limit int) error {
	done := make(map[string]bool)
	implied := 0
	for _, e := range a.entries {
		for path := parent(e.Path); path != "" && !done[path]; path = parent(path) {
			done[path] = true
			if i, ok := last[path]; ok {
				if t := a.records[i].entry.Type; t != Dir {
					return refuse(Unsafe, e.Path, "lies below %q, which is a %s", path, t)
				}
				continue
			}
			if implied++; limit > 0 && implied > limit {
				return refuse(Unsafe, "", "more than %d directories", limit)
			}
			a.entries = append(a.entries, Entry{Path: path, Type: Dir, Mode: 0o755})
		}
	}
	return nil
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '/'))]
}
