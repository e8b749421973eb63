package s3api_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/s3api"
)

// TestCompatibilityList compares the list of doc/compatibility.md with the table of routes.
func TestCompatibilityList(t *testing.T) {
	b, err := os.ReadFile("../../../doc/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "## Operations of Amazon S3 that work\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	var documented []string
	for _, m := range regexp.MustCompile(`(?m)^- (\w+)$`).FindAllStringSubmatch(section, -1) {
		documented = append(documented, m[1])
	}
	works := s3api.Operations()
	slices.Sort(works)
	if diff := cmp.Diff(documented, works); diff != "" {
		t.Errorf("document(-) routes(+):\n%s", diff)
	}
}
