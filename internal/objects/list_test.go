package objects_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

// TestList compares pages of every size with what a list should be, worked out from the names alone.
func TestList(t *testing.T) {
	t.Cleanup(objects.SetBatch(4))
	p := newParts(t)
	p.bucket("bucket")
	names := []string{"a", "a/1", "a/2", "a/b/1", "a/b/2", "a/\U0010FFFFx", "b", "b/1", "c//x", "c/y", "ü/1", "\uD7FF/1", "\uE000"}
	for i := range 10 { // more than are read at once
		names = append(names, fmt.Sprintf("many/%03d", i))
	}
	for _, n := range names {
		p.put("bucket", n, n)
	}
	slices.Sort(names)
	for _, in := range []objects.ListInput{
		{}, {Prefix: "a"}, {Prefix: "a/"}, {Prefix: "none"}, {Delimiter: "/"}, {Prefix: "a/", Delimiter: "/"}, {Prefix: "many/", Delimiter: "/"},
		{Delimiter: "b"}, {Delimiter: "//"}, {Prefix: "ü", Delimiter: "/"}, {After: "a/1"}, {After: "a/1", Delimiter: "/"}, {After: "b", Prefix: "a"},
	} {
		items, prefixes := wanted(names, in)
		for _, limit := range []int{1, 2, 3, 7, 1000} {
			page := in
			page.Bucket, page.Limit = "bucket", limit
			var gotItems, gotPrefixes []string
			for more := true; more; {
				got, err := p.List(t.Context(), here, page)
				must(t, err)
				if n := len(got.Items) + len(got.Prefixes); n > limit || n == 0 && got.More {
					t.Fatalf("%+v: a page of %d", page, n)
				}
				for _, o := range got.Items {
					gotItems = append(gotItems, o.Name)
				}
				gotPrefixes = append(gotPrefixes, got.Prefixes...)
				page.After, more = got.Next, got.More
			}
			if diff := cmp.Diff([][]string{items, prefixes}, [][]string{gotItems, gotPrefixes}); diff != "" {
				t.Errorf("%+v by %d (-want +got):\n%s", in, limit, diff)
			}
		}
	}
	none, err := p.List(t.Context(), here, objects.ListInput{Bucket: "bucket"})
	if err != nil || none.More || len(none.Items) > 0 {
		t.Errorf("a limit of 0: got %+v, %v", none, err)
	}
}

func wanted(names []string, in objects.ListInput) (items, prefixes []string) {
	for _, n := range names {
		rest, ok := strings.CutPrefix(n, in.Prefix)
		if !ok || n <= in.After {
			continue
		}
		if i := strings.Index(rest, in.Delimiter); in.Delimiter != "" && i >= 0 {
			if p := in.Prefix + rest[:i+len(in.Delimiter)]; !slices.Contains(prefixes, p) {
				prefixes = append(prefixes, p)
			}
			continue
		}
		items = append(items, n)
	}
	return items, prefixes
}

// TestListVersions walks versions in pages of every size.
func TestListVersions(t *testing.T) {
	t.Cleanup(objects.SetBatch(4))
	p := newParts(t)
	p.bucket("bucket")
	must(t, p.UpdateBucket(t.Context(), here, "bucket", func(b *catalog.Bucket) { b.Versioning = catalog.VersioningEnabled }))
	var want []string
	for _, name := range []string{"a", "b", "c/1", "d"} {
		var versions []string
		for i := range 3 {
			o := p.put("bucket", name, fmt.Sprint(i))
			versions = append(versions, fmt.Sprintf("%s %s %v", name, o.VersionID, i == 2))
		}
		slices.Reverse(versions)
		want = append(want, versions...)
	}
	for _, in := range []objects.ListInput{{}, {Prefix: "b"}, {Delimiter: "/"}} {
		var wantHere, wantPrefixes []string
		for _, v := range want {
			switch {
			case in.Delimiter != "" && strings.HasPrefix(v, "c/"):
				wantPrefixes = []string{"c/"}
			case strings.HasPrefix(v, in.Prefix):
				wantHere = append(wantHere, v)
			}
		}
		for limit := 1; limit < 14; limit++ {
			page := in
			page.Bucket, page.Limit = "bucket", limit
			var got, prefixes []string
			for more := true; more; {
				list, err := p.ListVersions(t.Context(), here, page)
				must(t, err)
				page.Below = ""
				for _, v := range list.Items {
					got = append(got, fmt.Sprintf("%s %s %v", v.Name, v.VersionID, v.Latest))
					if v.Name == list.Next {
						page.Below = v.VersionID
					}
				}
				prefixes = append(prefixes, list.Prefixes...)
				page.After, more = list.Next, list.More
			}
			if diff := cmp.Diff([][]string{wantHere, wantPrefixes}, [][]string{got, prefixes}); diff != "" {
				t.Fatalf("%+v by %d (-want +got):\n%s", in, limit, diff)
			}
		}
	}
	_, err := p.ListVersions(t.Context(), here, objects.ListInput{Bucket: "bucket", After: "a", Below: "none", Limit: 10})
	wantCode(t, "after a version that is not there", err, objects.InvalidArgument)
}
