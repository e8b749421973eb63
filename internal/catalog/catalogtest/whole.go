package catalogtest

import (
	"context"
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testAccount(t *testing.T, p Place) {
	c := open(t, p)
	for _, want := range []catalog.Account{
		{ID: "111111111111"},
		{ID: "111111111111", Organisation: "o-aaaaaaaaaa"},
		{ID: "111111111111", Organisation: "o-bbbbbbbbbb"},
	} {
		if want.Organisation != "" {
			if err := c.UpdateAccount(t.Context(), want); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.Account(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "account", got, want)
	}
	other, err := c.Account(t.Context(), "222222222222")
	if err != nil || other.Organisation != "" {
		t.Errorf("another account: got %+v, %v", other, err)
	}
}

func testQuota(t *testing.T, p Place) {
	c := open(t, p)
	publish(t, c, layer("libs"))
	publish(t, c, layer("libs")) // the same bytes count again
	f := insert(t, c, sample(function("f")))
	storage := func() int64 {
		n, err := c.CodeStorage(t.Context(), here)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const want = 100 + 100 + 1000
	if got := storage(); got != want {
		t.Errorf("got %d bytes, want %d", got, want)
	}
	if n, err := c.CodeStorage(t.Context(), elsewhere[2]); err != nil || n != 0 {
		t.Errorf("elsewhere: got %d bytes, %v", n, err)
	}

	v := catalog.LayerVersion{ARN: lambda.LayerVersionARN{LayerKey: layer("libs")}, Content: content(50), Created: moment}
	_, err := c.InsertLayerVersion(t.Context(), v, want+49)
	wantKind(t, "a version over the quota", err, lambda.OverQuota)
	g := sample(function("g"))
	_, err = c.InsertFunction(t.Context(), g, want+999)
	wantKind(t, "a function over the quota", err, lambda.OverQuota)
	bigger := func(f *catalog.Function) error {
		f.Latest.Number, f.Latest.Code = 0, content(1050)
		return nil
	}
	_, err = c.UpdateFunction(t.Context(), f.Key, want+49, bigger)
	wantKind(t, "an update over the quota", err, lambda.OverQuota)
	if got := storage(); got != want {
		t.Errorf("after refusals: got %d bytes, want %d", got, want)
	}

	if _, err := c.UpdateFunction(t.Context(), f.Key, want+50, bigger); err != nil {
		t.Errorf("an update up to the quota: %v", err)
	}
	_, err = c.UpdateFunction(t.Context(), f.Key, 1, func(f *catalog.Function) error {
		f.Latest.Number, f.Latest.Config.Timeout = 0, 9
		return nil
	})
	if err != nil {
		t.Errorf("an update without code when the quota is exceeded: %v", err)
	}
	if v, err = c.InsertLayerVersion(t.Context(), v, want+100); err != nil || v.ARN.Version != 3 {
		t.Errorf("a version up to the quota: got %v, %v; want version 3, a refused one takes no number", v.ARN, err)
	}
	if err := c.DeleteFunction(t.Context(), f.Key); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteLayerVersion(t.Context(), v.ARN); err != nil {
		t.Fatal(err)
	}
	if got := storage(); got != 200 {
		t.Errorf("after deletions: got %d bytes, want 200", got)
	}
}

// testCodeStorage: what comes and goes is counted, whatever the way.
func testCodeStorage(t *testing.T, p Place) {
	c := open(t, p)
	var libs catalog.LayerVersion
	k := function("f")
	revise := func(size int64) func(*catalog.Function) error {
		return func(f *catalog.Function) error {
			f.Latest.Number, f.Latest.Code = 0, content(size)
			return nil
		}
	}
	for _, step := range []struct {
		what string
		do   func() error
		want int64
	}{
		{"a layer version", func() error { libs = publish(t, c, layer("libs")); return nil }, 100},
		{"a function with a version", func() error {
			f := active(k)
			f.Newest = 1
			insert(t, c, f)
			return nil
		}, 100 + 2*1000},
		{"smaller code", func() error { _, err := c.UpdateFunction(t.Context(), k, 0, revise(300)); return err }, 100 + 1000 + 300},
		{"another version", func() error { publishVersion(t, c, k, ""); return nil }, 100 + 1000 + 2*300},
		{"a revision and its version at once", func() error {
			_, _, err := c.PublishVersion(t.Context(), k, 0, func(f *catalog.Function, _ *catalog.Version) (*catalog.Version, error) {
				return &catalog.Version{State: lambda.StateActive}, revise(500)(f)
			})
			return err
		}, 100 + 1000 + 300 + 2*500},
		{"a version less", func() error { return c.DeleteVersion(t.Context(), k, 1) }, 100 + 300 + 2*500},
		{"a version that is gone", func() error { return c.DeleteVersion(t.Context(), k, 1) }, 100 + 300 + 2*500},
		{"a change that fails", func() error {
			_, err := c.UpdateFunction(t.Context(), k, 1, revise(700))
			wantKind(t, "an update over the quota", err, lambda.OverQuota)
			return nil
		}, 100 + 300 + 2*500},
		{"no layer version", func() error { return c.DeleteLayerVersion(t.Context(), libs.ARN) }, 300 + 2*500},
		{"a layer version that is gone", func() error { return c.DeleteLayerVersion(t.Context(), libs.ARN) }, 300 + 2*500},
		{"no function", func() error { return c.DeleteFunction(t.Context(), k) }, 0},
		{"a function again", func() error { insert(t, c, active(k)); return nil }, 1000},
	} {
		ok(t, step.do())
		if n, err := c.CodeStorage(t.Context(), here); err != nil || n != step.want {
			t.Errorf("with %s: got %d bytes, %v, want %d", step.what, n, err, step.want)
		}
	}
}

// testSequence: every change takes the next number, and what changes nothing takes none.
func testSequence(t *testing.T, p Place) {
	c := open(t, p)
	v := publish(t, c, layer("libs"))
	f := insert(t, c, sample(function("f")))
	start := sequence(t, c)
	if f.Sequence != start {
		t.Errorf("the newest function has number %d, the catalog %d", f.Sequence, start)
	}
	for i, change := range []func() error{
		func() error { return c.UpdateAccount(t.Context(), catalog.Account{ID: "111111111111"}) },
		func() error {
			f, err := c.UpdateFunction(t.Context(), f.Key, 0, func(*catalog.Function) error { return nil })
			if f.Sequence != start+2 {
				t.Errorf("the updated function has number %d, want %d", f.Sequence, start+2)
			}
			return err
		},
		func() error { return c.DeleteLayerVersion(t.Context(), v.ARN) },
		func() error { return c.DeleteFunction(t.Context(), f.Key) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if got, want := sequence(t, c), start+int64(i)+1; got != want {
			t.Errorf("change %d: got number %d, want %d", i, got, want)
		}
	}
	end := sequence(t, c)
	if err := c.DeleteLayerVersion(t.Context(), v.ARN); err != nil {
		t.Fatal(err)
	}
	if got := sequence(t, c); got != end {
		t.Errorf("to delete what is not there took number %d", got)
	}
}

func testBadTexts(t *testing.T, p Place) {
	c := open(t, p)
	f := insert(t, c, sample(function("f")))
	for name, bad := range map[string]string{"NUL": "a\x00b", "not UTF-8": "a\xffb"} {
		v := catalog.LayerVersion{ARN: lambda.LayerVersionARN{LayerKey: layer("libs")}, Description: &bad, Created: moment}
		_, err := c.InsertLayerVersion(t.Context(), v, 0)
		wantKind(t, name+" in a description", err, lambda.Invalid)
		_, err = c.UpdateFunction(t.Context(), f.Key, 0, func(f *catalog.Function) error {
			f.StateReason.Text = bad
			return nil
		})
		wantKind(t, name+" in a reason", err, lambda.Invalid)
		_, err = c.GetFunction(t.Context(), function(lambda.FunctionName(bad)))
		wantKind(t, name+" in a question", err, lambda.Invalid)
	}
	for name, change := range map[string]func(*catalog.Function){
		"variable": func(f *catalog.Function) { f.Latest.Config.Environment.Map["X"] = "\\\x00" },
		"tag":      func(f *catalog.Function) { f.Tags["a\x00"] = "" },
		"handler":  func(f *catalog.Function) { f.Latest.Config.Handler = `\` + "\x00" },
	} {
		g := sample(function("g"))
		change(&g)
		_, err := c.InsertFunction(t.Context(), g, 0)
		wantKind(t, "NUL in a "+name, err, lambda.Invalid)
	}
	g := sample(function("g"))
	g.Latest.Config.Description = `\u0000 is no NUL, and \\u0000 is none`
	insert(t, c, g)
}

// testReopen: what was answered is there when the catalog is opened again, beside one that was never closed.
func testReopen(t *testing.T, p Place) {
	c := open(t, p)
	v := publish(t, c, layer("libs"))
	f := insert(t, c, sample(function("f")))
	again := open(t, p)
	gotVersion, err := again.GetLayerVersion(t.Context(), v.ARN)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "layer version", gotVersion, v)
	gotFunction, err := again.GetFunction(t.Context(), f.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "function", gotFunction, f)
	if got, want := sequence(t, again), sequence(t, c); got != want {
		t.Errorf("got sequence %d, want %d", got, want)
	}
	if next := publish(t, again, layer("libs")); next.ARN.Version != 2 {
		t.Errorf("got version %d, want 2", next.ARN.Version)
	}
}

// testCancelled: a call whose context has ended changes nothing.
func testCancelled(t *testing.T, p Place) {
	c := open(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.InsertFunction(ctx, sample(function("f")), 0)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	_, err = c.GetFunction(t.Context(), function("f"))
	wantKind(t, "get", err, lambda.NotFound)
}
