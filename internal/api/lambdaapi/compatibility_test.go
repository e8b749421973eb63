package lambdaapi_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
)

// TestCompatibilityList compares the lists of doc/compatibility.md with what is built.
func TestCompatibilityList(t *testing.T) {
	b, err := os.ReadFile("../../../doc/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	var works, missing []string
	for _, r := range lambdaapi.Routes {
		if lambdaapi.Built(r.Name) {
			works = append(works, r.Name)
		} else {
			missing = append(missing, r.Name)
		}
	}
	slices.Sort(works)
	slices.Sort(missing)
	for title, want := range map[string][]string{
		"## Operations of AWS Lambda that work": works,
		"## Operations that are not built":      missing,
	} {
		if diff := cmp.Diff(listBelow(string(b), title), want); diff != "" {
			t.Errorf("%s: document(-) routes(+):\n%s", title, diff)
		}
	}
}

var item = regexp.MustCompile(`(?m)^- (\w+)$`)

// listBelow gives the items between a heading and the next one, sorted.
func listBelow(doc, title string) []string {
	_, rest, _ := strings.Cut(doc, title+"\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	var list []string
	for _, m := range item.FindAllStringSubmatch(section, -1) {
		list = append(list, m[1])
	}
	slices.Sort(list)
	return list
}
