package layerstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
)

// keep is a CollectOptions.Keep of what is given.
func keep(contents ...lambda.Content) func(context.Context) ([]lambda.Content, error) {
	return func(context.Context) ([]lambda.Content, error) { return contents, nil }
}

func (f *fixture) collect(t *testing.T, o layerstore.CollectOptions) layerstore.Collected {
	t.Helper()
	got, err := f.Collect(t.Context(), o)
	if err != nil {
		t.Fatalf("Collect: %v", err)
	}
	return got
}

// has reports whether a content's zip and its tree are there.
func (f *fixture) has(t *testing.T, c lambda.Content) (zip, tree bool) {
	t.Helper()
	r, err := f.OpenZip(t.Context(), c.Digest)
	if err == nil {
		r.Close()
	}
	_, gone := os.Lstat(f.tree(c))
	return err == nil, gone == nil
}

func (f *fixture) wantThere(t *testing.T, name string, c lambda.Content, wantZip, wantTree bool) {
	t.Helper()
	if zip, tree := f.has(t, c); zip != wantZip || tree != wantTree {
		t.Errorf("%s: zip %v, tree %v; want %v, %v", name, zip, tree, wantZip, wantTree)
	}
}

func TestCollectFreesWhatNothingNeeds(t *testing.T) {
	f := newFixture(t)
	kept := f.putFor(t, alice, withOwn("kept"))
	f = f.settled(t)
	gone := f.putFor(t, alice, withOwn("gone"))
	f = f.settled(t)
	all := layerstore.CollectOptions{Keep: keep(kept), Age: -time.Minute}

	dry := all
	dry.DryRun = true
	foreseen := f.collect(t, dry)
	f.wantThere(t, "after a dry run", gone, true, true)

	got := f.collect(t, all)
	want := layerstore.Collected{Zips: 1, Trees: 1, Files: 1, Bytes: gone.Size + int64(len("gone")) + int64(len("small"))} // the link, and "own" of two names
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("collected (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(got, foreseen); diff != "" {
		t.Errorf("a dry run foresees (-done +foreseen):\n%s", diff)
	}
	f.wantThere(t, "needed", kept, true, true)
	f.wantThere(t, "not needed", gone, false, false)
	checkTree(t, f, kept)
	if again := f.collect(t, all); again != (layerstore.Collected{}) {
		t.Errorf("a second time: %+v", again)
	}
	checkTree(t, f, f.putFor(t, alice, withOwn("gone"))) // and it can come back
	if _, err := f.Lower(t.Context(), gone); err != nil {
		t.Error(err)
	}
}

func TestCollectLeavesWhatIsInUse(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	l := f.lower(t, c)
	want := listing(t, l.Path)
	other := openFixture(t, filepath.Dir(f.dir)) // as of another process
	other.collect(t, layerstore.CollectOptions{Keep: keep(), Age: -time.Minute})
	if diff := cmp.Diff(want, listing(t, l.Path)); diff != "" {
		t.Errorf("a tree in use (-want +got):\n%s", diff)
	}
	l.Release()
	other.collect(t, layerstore.CollectOptions{Keep: keep(), Age: -time.Minute})
	f.wantThere(t, "released", c, false, false)
}

func TestCollectLeavesWhatIsYoung(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	f.lower(t, c).Release()
	f.collect(t, layerstore.CollectOptions{Keep: keep(), Age: time.Hour})
	f.wantThere(t, "young", c, true, true)
}

// TestCollectAsksAgain records a content, and publishes another one again, while a collection has found neither needed.
func TestCollectAsksAgain(t *testing.T) {
	f := newFixture(t)
	recorded, republished, gone := f.put(t, withOwn("recorded")), f.put(t, withOwn("republished")), f.put(t, withOwn("gone"))
	f = f.settled(t)
	makeOld(t, f, recorded, republished, gone)
	asked := 0
	f.collect(t, layerstore.CollectOptions{Age: time.Hour, Grace: time.Millisecond, Keep: func(context.Context) ([]lambda.Content, error) {
		asked++
		if asked == 1 {
			return nil, nil
		}
		f.put(t, withOwn("republished"))
		return []lambda.Content{recorded}, nil
	}})
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	f.wantThere(t, "recorded", recorded, true, true)
	f.wantThere(t, "gone", gone, false, false)
	if zip, _ := f.has(t, republished); !zip {
		t.Error("the zip that was published again is gone")
	}
}

// makeOld makes zips and trees two hours old.
func makeOld(t *testing.T, f *fixture, contents ...lambda.Content) {
	t.Helper()
	old := time.Now().Add(-2 * time.Hour)
	for _, c := range contents {
		name := c.Digest.Hex()
		for _, p := range []string{
			filepath.Join(filepath.Dir(f.dir), "blobs", "sha256", name[:2], name), filepath.Join(f.tree(c), "complete"),
		} {
			if err := os.Chtimes(p, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCollectThatCannotKnowWhatIsNeeded(t *testing.T) {
	f := newFixture(t)
	c := f.put(t, sampleZip())
	f.lower(t, c).Release()
	broken := errors.New("the catalog is away")
	asked := 0
	for _, failAt := range []int{1, 2} {
		asked = 0
		_, err := f.Collect(t.Context(), layerstore.CollectOptions{Age: -time.Minute, Keep: func(context.Context) ([]lambda.Content, error) {
			if asked++; asked == failAt {
				return nil, broken
			}
			return nil, nil
		}})
		if !errors.Is(err, broken) {
			t.Errorf("Collect: %v", err)
		}
		f.wantThere(t, "unknown", c, true, true)
	}
	var blobs []digest.Digest
	if err := f.blobs.List(t.Context(), func(i blob.Info) error { blobs = append(blobs, i.Digest); return nil }); err != nil || len(blobs) != 1 {
		t.Errorf("blobs: %v, %v", blobs, err)
	}
}
