package explain

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
)

// denied is what Python and node say of a file that a function may not read, or may not execute.
var denied = regexp.MustCompile(`(?i)permission denied(?:, \w+|:) '((?:/opt|/var/task)/[^']+)'`)

// Refused reports whether a message tells of a file of the code or of a layer that is there and may not be used.
func Refused(message string) bool { return denied.MatchString(message) }

// Denied says why the file that a message names may not be used. ok is false when the modes do not explain it.
func Denied(message string, parts []Part) (_ Result, ok bool) {
	m := denied.FindStringSubmatch(message)
	if m == nil {
		return Result{}, false
	}
	for _, part := range slices.Backward(parts) {
		rel, ok := strings.CutPrefix(m[1], part.Root+"/")
		if !ok {
			continue
		}
		at, ok := sort.Find(len(part.Entries), func(i int) int { return strings.Compare(rel, part.Entries[i].Path) })
		if !ok {
			continue
		}
		hint, ok := refusal(part, part.Entries[at])
		return Result{Module: m[1], File: true, Hints: []Hint{hint}}, ok
	}
	return Result{}, false
}

func refusal(part Part, e archive.Entry) (Hint, bool) {
	if above, ok := shutAbove(part.Entries, e.Path); ok {
		return shutHint(part, e, above), true
	}
	if e.Type == archive.File && e.Mode.Perm()&0o111 == 0 {
		return Hint{Part: part.Name, Path: path.Join(part.Root, e.Path),
			Reason: fmt.Sprintf("it may not be executed (mode %04o)", e.Mode.Perm()), Fix: "chmod a+x before you zip it"}, true
	}
	return Hint{}, false
}
