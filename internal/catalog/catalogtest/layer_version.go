package catalogtest

import (
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testLayerVersionNumbers(t *testing.T, p Place) {
	c := open(t, p)
	for want := int64(1); want <= 3; want++ {
		v := publish(t, c, layer("libs"))
		if v.ARN.Version != want {
			t.Errorf("got version %d, want %d", v.ARN.Version, want)
		}
	}
	if v := publish(t, c, layer("other")); v.ARN.Version != 1 {
		t.Errorf("another layer begins with version %d, want 1", v.ARN.Version)
	}
	for n := int64(1); n <= 4; n++ { // the fourth was never there
		if err := c.DeleteLayerVersion(t.Context(), lambda.LayerVersionARN{LayerKey: layer("libs"), Version: n}); err != nil {
			t.Errorf("DeleteLayerVersion %d: %v", n, err)
		}
	}
	if v := publish(t, c, layer("libs")); v.ARN.Version != 4 {
		t.Errorf("after the deletion of all: got version %d, want 4", v.ARN.Version)
	}
	_, err := c.GetLayerVersion(t.Context(), lambda.LayerVersionARN{LayerKey: layer("libs"), Version: 3})
	wantKind(t, "a deleted version", err, lambda.NotFound)
	_, err = c.GetLayerVersion(t.Context(), lambda.LayerVersionARN{LayerKey: layer("unknown"), Version: 1})
	wantKind(t, "an unknown layer", err, lambda.NotFound)
}

func testLayerVersionMembers(t *testing.T, p Place) {
	c := open(t, p)
	for _, row := range []struct {
		name   string
		change func(*catalog.LayerVersion)
	}{
		{"nothing sent", func(*catalog.LayerVersion) {}},
		{"sent empty", func(v *catalog.LayerVersion) {
			v.Description, v.LicenseInfo, v.Runtimes, v.Architectures = new(""), new(""), []string{}, []string{}
		}},
		{"all sent", func(v *catalog.LayerVersion) {
			v.Description, v.LicenseInfo = new("common <libraries>, 日本"), new("MIT")
			v.Runtimes, v.Architectures = []string{"python3.13", "nodejs22.x"}, []string{"x86_64", "arm64"}
		}},
	} {
		inserted := publish(t, c, layer("libs"), row.change)
		want := catalog.LayerVersion{ARN: inserted.ARN, Content: content(100), Created: moment.Truncate(1e6)}
		row.change(&want)
		wantSame(t, row.name+": what was inserted", inserted, want)
		got, err := c.GetLayerVersion(t.Context(), inserted.ARN)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		wantSame(t, row.name+": what was read", got, want)
	}
}

func testLayerVersionScopes(t *testing.T, p Place) {
	c := open(t, p)
	v := publish(t, c, layer("libs"))
	for _, s := range elsewhere {
		arn := lambda.LayerVersionARN{LayerKey: lambda.LayerKey{Scope: s, Name: "libs"}, Version: 1}
		_, err := c.GetLayerVersion(t.Context(), arn)
		wantKind(t, "get in "+s.String(), err, lambda.NotFound)
		if list, err := c.ListLayers(t.Context(), s, catalog.LayerFilter{}, "", 10); err != nil || len(list) != 0 {
			t.Errorf("ListLayers in %s: got %d layers, %v", s, len(list), err)
		}
		if list, err := c.ListLayerVersions(t.Context(), arn.LayerKey, catalog.LayerFilter{}, 0, 10); err != nil || len(list) != 0 {
			t.Errorf("ListLayerVersions in %s: got %d versions, %v", s, len(list), err)
		}
		if err := c.DeleteLayerVersion(t.Context(), arn); err != nil {
			t.Errorf("delete in %s: %v", s, err)
		}
		if there := publish(t, c, arn.LayerKey); there.ARN != arn {
			t.Errorf("published %s, want %s", there.ARN, arn)
		}
	}
	if _, err := c.GetLayerVersion(t.Context(), v.ARN); err != nil {
		t.Errorf("after deletions elsewhere: %v", err)
	}
}

func versions(list []catalog.LayerVersion) []int64 {
	var n []int64
	for _, v := range list {
		n = append(n, v.ARN.Version)
	}
	return n
}

func testListLayerVersions(t *testing.T, p Place) {
	c := open(t, p)
	publish(t, c, layer("libs"))
	publish(t, c, layer("libs"), func(v *catalog.LayerVersion) { v.Runtimes = []string{"python3.13", "python3.12"} })
	publish(t, c, layer("libs"), func(v *catalog.LayerVersion) {
		v.Runtimes, v.Architectures = []string{"python3.12"}, []string{"arm64", "x86_64"}
	})
	publish(t, c, layer("libs"), func(v *catalog.LayerVersion) { v.Runtimes, v.Architectures = []string{}, []string{"x86_64"} })
	publish(t, c, layer("libs2"))
	for _, row := range []struct {
		name   string
		layer  lambda.LayerKey
		filter catalog.LayerFilter
		before int64
		limit  int
		want   []int64
	}{
		{"all", layer("libs"), catalog.LayerFilter{}, 0, 50, []int64{4, 3, 2, 1}},
		{"a page", layer("libs"), catalog.LayerFilter{}, 0, 2, []int64{4, 3}},
		{"the next page", layer("libs"), catalog.LayerFilter{}, 3, 2, []int64{2, 1}},
		{"after the last", layer("libs"), catalog.LayerFilter{}, 1, 2, nil},
		{"runtime", layer("libs"), catalog.LayerFilter{Runtime: "python3.12"}, 0, 50, []int64{3, 2}},
		{"part of a runtime", layer("libs"), catalog.LayerFilter{Runtime: "python3.1"}, 0, 50, nil},
		{"other case", layer("libs"), catalog.LayerFilter{Runtime: "Python3.12"}, 0, 50, nil},
		{"architecture", layer("libs"), catalog.LayerFilter{Architecture: "x86_64"}, 0, 50, []int64{4, 3}},
		{"no wildcards", layer("libs"), catalog.LayerFilter{Architecture: "x86%"}, 0, 50, nil},
		{"both", layer("libs"), catalog.LayerFilter{Runtime: "python3.12", Architecture: "arm64"}, 0, 50, []int64{3}},
		{"filter and page", layer("libs"), catalog.LayerFilter{Runtime: "python3.12"}, 3, 50, []int64{2}},
		{"unknown layer", layer("lib"), catalog.LayerFilter{}, 0, 50, nil},
	} {
		list, err := c.ListLayerVersions(t.Context(), row.layer, row.filter, row.before, row.limit)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		wantSame(t, row.name, versions(list), row.want)
	}
}

func testListLayers(t *testing.T, p Place) {
	c := open(t, p)
	withRuntime := func(v *catalog.LayerVersion) { v.Runtimes = []string{"python3.13"} }
	// By bytes, upper case comes before "_" and "_" before lower case, and "-" is not skipped.
	for _, name := range []lambda.LayerName{"b", "a-b", "Z", "_", "ab", "a"} {
		publish(t, c, layer(name), withRuntime)
		publish(t, c, layer(name))
	}
	gone := publish(t, c, layer("gone"))
	newest := lambda.LayerVersionARN{LayerKey: layer("b"), Version: 2}
	for _, arn := range []lambda.LayerVersionARN{gone.ARN, newest} {
		if err := c.DeleteLayerVersion(t.Context(), arn); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct {
		name   string
		filter catalog.LayerFilter
		after  lambda.LayerName
		limit  int
		want   []string
	}{
		{"all", catalog.LayerFilter{}, "", 50, []string{"Z:2", "_:2", "a:2", "a-b:2", "ab:2", "b:1"}},
		{"a page", catalog.LayerFilter{}, "", 2, []string{"Z:2", "_:2"}},
		{"the next page", catalog.LayerFilter{}, "_", 3, []string{"a:2", "a-b:2", "ab:2"}},
		{"after what is gone", catalog.LayerFilter{}, "aa", 50, []string{"ab:2", "b:1"}},
		{"filter", catalog.LayerFilter{Runtime: "python3.13"}, "", 3, []string{"Z:1", "_:1", "a:1"}},
		{"no match", catalog.LayerFilter{Runtime: "ruby3.4"}, "", 50, nil},
	} {
		list, err := c.ListLayers(t.Context(), here, row.filter, row.after, row.limit)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		var got []string
		for _, v := range list {
			got = append(got, v.ARN.String()[len("arn:aws:lambda:us-east-1:000000000000:layer:"):])
		}
		wantSame(t, row.name, got, row.want)
	}
}

func testConcurrentPublish(t *testing.T, p Place) {
	const writers = 20
	catalogs := []catalog.Store{open(t, p), open(t, p)} // as two servers would
	numbers := make([]int64, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			v := catalog.LayerVersion{ARN: lambda.LayerVersionARN{LayerKey: layer("libs")}, Content: content(100), Created: moment}
			v, err := catalogs[i%2].InsertLayerVersion(t.Context(), v, 0)
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
			numbers[i] = v.ARN.Version
		})
	}
	wg.Wait()
	seen := map[int64]int{}
	for _, n := range numbers {
		seen[n]++
	}
	for n := int64(1); n <= writers; n++ {
		if seen[n] != 1 {
			t.Errorf("version %d was given %d times, want once", n, seen[n])
		}
	}
	if got := sequence(t, catalogs[0]); got != writers {
		t.Errorf("got %d changes, want %d", got, writers)
	}
}
