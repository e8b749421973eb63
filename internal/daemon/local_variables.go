package daemon

import (
	"maps"
	"regexp"
	"slices"

	"github.com/laminadev/lamina/internal/control"
)

var variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// RefusedVariables gives the names, sorted, with which Lambda would not take these variables of a function: reserved are those that
// it sets itself, and malformed those that are too short or have other characters.
func RefusedVariables(env map[string]string) (reserved, malformed []string) {
	names := slices.Sorted(maps.Keys(env))
	reserved = control.ReservedVariables(names)
	for _, name := range names {
		if !variableName.MatchString(name) && !slices.Contains(reserved, name) {
			malformed = append(malformed, name)
		}
	}
	return reserved, malformed
}
