package invoke_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambda"
)

// versioned is a catalog of one function with two versions and some aliases.
type versioned struct {
	functions
	versions map[int64]catalog.Version
	aliases  map[lambda.Qualifier]catalog.Alias
}

func (v versioned) GetVersion(ctx context.Context, k lambda.FunctionKey, number int64) (catalog.Version, error) {
	if found, ok := v.versions[number]; ok {
		return found, nil
	}
	return v.functions.GetVersion(ctx, k, number)
}

func (v versioned) GetAlias(ctx context.Context, k lambda.FunctionKey, name lambda.Qualifier) (catalog.Alias, error) {
	if found, ok := v.aliases[name]; ok {
		return found, nil
	}
	return v.functions.GetAlias(ctx, k, name)
}

func newVersioned() versioned {
	version := func(n int64, s lambda.State) catalog.Version {
		return catalog.Version{Number: n, Revision: lambda.Revision{Key: key("f"), Number: n * 10}, State: s}
	}
	return versioned{
		catalogOf(function("f", lambda.StateActive, 30)),
		map[int64]catalog.Version{1: version(1, lambda.StateActive), 2: version(2, lambda.StateActive), 3: version(3, lambda.StatePending)},
		map[lambda.Qualifier]catalog.Alias{
			"one":   {Version: 1},
			"dev":   {},
			"both":  {Version: 1, Share: &catalog.Share{Version: 2, Weight: 0.25}},
			"never": {Version: 1, Share: &catalog.Share{Version: 2}},
			"all":   {Version: 1, Share: &catalog.Share{Version: 2, Weight: 1}},
			"new":   {Version: 3},
		},
	}
}

func TestTargets(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
	for _, tc := range []struct {
		q       lambda.Qualifier
		rand    float64
		version string
		arn     string
	}{
		{"", 0, "$LATEST", arn},
		{"$LATEST", 0, "$LATEST", arn + ":$LATEST"},
		{"1", 0, "1", arn + ":1"},
		{"2", 0, "2", arn + ":2"},
		{"one", 0, "1", arn + ":one"},
		{"dev", 0, "$LATEST", arn + ":dev"},
		{"both", 0.24, "2", arn + ":both"},
		{"both", 0.25, "1", arn + ":both"},
		{"both", 0.99, "1", arn + ":both"},
		{"never", 0, "1", arn + ":never"},
		{"all", 0.999, "2", arn + ":all"},
	} {
		p := &pool{}
		s := invoke.New(invoke.Options{Catalog: newVersioned(), Pool: p, Rand: func() float64 { return tc.rand }})
		got, err := s.Invoke(t.Context(), invoke.Input{Ref: ref("f", tc.q)})
		if err != nil {
			t.Fatalf("%q: %v", tc.q, err)
		}
		ran := [3]string{got.ExecutedVersion, p.got[0].Version, p.got[0].InvokedARN}
		if diff := cmp.Diff([3]string{tc.version, tc.version, tc.arn}, ran); diff != "" {
			t.Errorf("%q with %v (-want +got):\n%s", tc.q, tc.rand, diff)
		}
		if want := map[string]int64{"$LATEST": 30, "1": 10, "2": 20}[tc.version]; p.revisions[0] != want {
			t.Errorf("%q ran revision %d, want %d", tc.q, p.revisions[0], want)
		}
	}
}

func TestTargetsThatDoNotRun(t *testing.T) {
	s := invoke.New(invoke.Options{Catalog: newVersioned(), Pool: &pool{}})
	for q, kind := range map[lambda.Qualifier]lambda.Kind{
		"3": lambda.NotReady, "new": lambda.NotReady, "4": lambda.NotFound, "99999999999999999999": lambda.NotFound, "none": lambda.NotFound,
	} {
		if _, err := s.Invoke(t.Context(), invoke.Input{Ref: ref("f", q)}); !lambda.IsKind(err, kind) {
			t.Errorf("%q: got %v, want kind %q", q, err, kind)
		}
	}
}
