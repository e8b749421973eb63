package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
)

// statuses are those that AWS sends where its model says another.
var statuses = map[string]int{"DeleteFunction": 204}

// TestRoutes compares the route table with the model.
func TestRoutes(t *testing.T) {
	m := readModel(t)
	routes := map[string]lambdaapi.Route{}
	for _, r := range lambdaapi.Routes {
		routes[r.Name] = r
	}
	if len(routes) != len(m.Operations) {
		t.Errorf("%d routes for %d operations", len(routes), len(m.Operations))
	}
	for name, o := range m.Operations {
		path, query, _ := strings.Cut(o.HTTP.RequestURI, "?")
		type line struct {
			Method, Path, Query string
			Status              int
			Errors              []string
		}
		want := line{o.HTTP.Method, path, query, o.HTTP.ResponseCode, []string{}}
		if s := statuses[name]; s != 0 {
			want.Status = s
		}
		for _, e := range o.Errors {
			want.Errors = append(want.Errors, e.Shape)
		}
		slices.Sort(want.Errors)
		r := routes[name]
		if diff := cmp.Diff(want, line{r.Method, r.Path, r.Query, r.Status, slices.Sorted(slices.Values(r.Errors))}); diff != "" {
			t.Errorf("%s: -model +route\n%s", name, diff)
		}
	}
}

// TestWhatIsNotClaimed prints the operations that lamina does not have.
func TestWhatIsNotClaimed(t *testing.T) {
	var missing []string
	for _, r := range lambdaapi.Routes {
		if !lambdaapi.Built(r.Name) {
			missing = append(missing, r.Name)
		}
	}
	t.Logf("%d of %d operations are not claimed: %s", len(missing), len(lambdaapi.Routes), strings.Join(missing, ", "))
	if len(missing) == len(lambdaapi.Routes) {
		t.Error("nothing is claimed")
	}
}
