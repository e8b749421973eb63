package catalogtest

import (
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

// active is a sample that no change is under way of.
func active(k lambda.FunctionKey) catalog.Function {
	f := sample(k)
	f.State, f.StateReason, f.UpdateStatus = lambda.StateActive, catalog.Reason{}, lambda.UpdateSuccessful
	return f
}

// publishVersion publishes what $LATEST is.
func publishVersion(t *testing.T, c catalog.Store, k lambda.FunctionKey, description string) (catalog.Function, catalog.Version) {
	t.Helper()
	f, v, err := c.PublishVersion(t.Context(), k, 0, func(f *catalog.Function, _ *catalog.Version) (*catalog.Version, error) {
		return &catalog.Version{Description: description, State: f.State, StateReason: f.StateReason}, nil
	})
	if err != nil {
		t.Fatalf("PublishVersion: %v", err)
	}
	return f, v
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testVersions(t *testing.T, p Place) {
	c := open(t, p)
	f := insert(t, c, active(function("f")))
	after, one := publishVersion(t, c, f.Key, "first")
	wantSame(t, "version 1", one, catalog.Version{Number: 1, Revision: f.Latest, Description: "first", RevisionID: one.RevisionID, State: lambda.StateActive})
	if after.RevisionID == f.RevisionID || one.RevisionID == "" || one.RevisionID == after.RevisionID || after.Newest != 1 {
		t.Errorf("the function has %+v, the version %s", after, one.RevisionID)
	}
	got, err := c.GetVersion(t.Context(), f.Key, 1)
	ok(t, err)
	wantSame(t, "what is read", got, one)
	read, err := c.GetFunction(t.Context(), f.Key)
	ok(t, err)
	wantSame(t, "the function", read, after)

	// Nothing to publish: nothing happens, and the newest version is told.
	before := sequence(t, c)
	same, again, err := c.PublishVersion(t.Context(), f.Key, 0, func(_ *catalog.Function, newest *catalog.Version) (*catalog.Version, error) {
		wantSame(t, "the newest version", *newest, one)
		return nil, nil
	})
	ok(t, err)
	wantSame(t, "the version again", again, one)
	wantSame(t, "the function again", same, after)
	if n := sequence(t, c); n != before {
		t.Errorf("nothing took number %d", n)
	}
	cause := errors.New("no")
	_, _, err = c.PublishVersion(t.Context(), f.Key, 0, func(*catalog.Function, *catalog.Version) (*catalog.Version, error) { return nil, cause })
	if err != cause {
		t.Errorf("got %v, want publish's own error", err)
	}

	// A new revision and its version at once.
	revised, two, err := c.PublishVersion(t.Context(), f.Key, 0, func(f *catalog.Function, _ *catalog.Version) (*catalog.Version, error) {
		f.Latest.Number, f.Latest.Code, f.UpdateStatus = 0, content(2000), lambda.UpdateInProgress
		return &catalog.Version{State: lambda.StatePending}, nil
	})
	ok(t, err)
	if two.Number != 2 || revised.Latest.Number != 2 || two.Revision.Number != 2 || two.State != lambda.StatePending {
		t.Errorf("got %+v of %+v", two, revised)
	}
	got, err = c.GetVersion(t.Context(), f.Key, 1)
	ok(t, err)
	wantSame(t, "a version stays as it was", got, one)

	for _, row := range []struct {
		name  string
		after int64
		limit int
		want  []catalog.Version
	}{
		{"all", 0, 50, []catalog.Version{one, two}}, {"a page", 0, 1, []catalog.Version{one}},
		{"the next", 1, 50, []catalog.Version{two}}, {"after the last", 2, 50, nil},
	} {
		list, err := c.ListVersions(t.Context(), f.Key, row.after, row.limit)
		ok(t, err)
		wantSame(t, row.name, list, row.want)
	}
	for _, s := range elsewhere {
		k := lambda.FunctionKey{Scope: s, Name: "f"}
		_, err := c.GetVersion(t.Context(), k, 1)
		wantKind(t, "get in "+s.String(), err, lambda.NotFound)
		ok(t, c.DeleteVersion(t.Context(), k, 1))
	}
	_, _, err = c.PublishVersion(t.Context(), function("gone"), 0, func(*catalog.Function, *catalog.Version) (*catalog.Version, error) { return nil, nil })
	wantKind(t, "a function that is not there", err, lambda.NotFound)

	ok(t, c.DeleteVersion(t.Context(), f.Key, 2))
	ok(t, c.DeleteVersion(t.Context(), f.Key, 2))
	_, err = c.GetVersion(t.Context(), f.Key, 2)
	wantKind(t, "a deleted version", err, lambda.NotFound)
	_, three := publishVersion(t, c, f.Key, "")
	if three.Number != 3 {
		t.Errorf("after the deletion of version 2: got %d, want 3", three.Number)
	}
}

// testVersionsSettle: versions end their change with the function, those of its newest revision alone.
func testVersionsSettle(t *testing.T, p Place) {
	c := open(t, p)
	for name, row := range map[lambda.FunctionName]struct {
		settle func(*catalog.Function)
		state  lambda.State
		reason catalog.Reason
	}{
		"active": {func(f *catalog.Function) { f.State, f.UpdateStatus = lambda.StateActive, lambda.UpdateSuccessful }, lambda.StateActive, catalog.Reason{}},
		"failed": {func(f *catalog.Function) {
			f.State, f.StateReason = lambda.StateFailed, catalog.Reason{Text: "t", Code: "c"}
		},
			lambda.StateFailed, catalog.Reason{Text: "t", Code: "c"}},
		"update failed": {func(f *catalog.Function) {
			f.State, f.UpdateStatus, f.UpdateReason = lambda.StateActive, lambda.UpdateFailed, catalog.Reason{Text: "u", Code: "d"}
		}, lambda.StateFailed, catalog.Reason{Text: "u", Code: "d"}},
	} {
		f := sample(function(name))
		f.Newest = 1
		f = insert(t, c, f)
		if f.Newest != 1 {
			t.Errorf("%s: the function was inserted with version %d", name, f.Newest)
		}
		before, err := c.GetVersion(t.Context(), f.Key, 1)
		ok(t, err)
		wantSame(t, "inserted", before, catalog.Version{Number: 1, Revision: f.Latest, Description: "<ü>", RevisionID: before.RevisionID,
			State: lambda.StatePending, StateReason: f.StateReason})
		_, err = c.UpdateFunction(t.Context(), f.Key, 0, func(f *catalog.Function) error {
			f.StateReason = catalog.Reason{}
			row.settle(f)
			return nil
		})
		ok(t, err)
		after, err := c.GetVersion(t.Context(), f.Key, 1)
		ok(t, err)
		want := before
		want.State, want.StateReason, want.RevisionID = row.state, row.reason, after.RevisionID
		wantSame(t, string(name), after, want)
		if after.RevisionID == before.RevisionID {
			t.Errorf("%s: the revision ID stayed", name)
		}
	}
}

// testVersionNumbers: a name never gives a number twice, not even to another function.
func testVersionNumbers(t *testing.T, p Place) {
	c := open(t, p)
	k := function("f")
	insert(t, c, active(k))
	publishVersion(t, c, k, "")
	ok(t, c.DeleteFunction(t.Context(), k))
	_, err := c.GetVersion(t.Context(), k, 1)
	wantKind(t, "a version of a deleted function", err, lambda.NotFound)
	insert(t, c, active(k))
	if _, v := publishVersion(t, c, k, ""); v.Number != 2 {
		t.Errorf("got number %d, want 2", v.Number)
	}
	other := active(lambda.FunctionKey{Scope: elsewhere[1], Name: "f"})
	other.Newest = 7
	if f := insert(t, c, other); f.Newest != 1 {
		t.Errorf("another account's first version is %d", f.Newest)
	}
}

func testAliases(t *testing.T, p Place) {
	c := open(t, p)
	k := function("f")
	_, err := c.InsertAlias(t.Context(), catalog.Alias{Key: k, Name: "live"})
	wantKind(t, "an alias of no function", err, lambda.NotFound)
	insert(t, c, active(k))
	publishVersion(t, c, k, "")
	publishVersion(t, c, k, "")
	add := func(name lambda.Qualifier, version int64, share *catalog.Share) catalog.Alias {
		t.Helper()
		a, err := c.InsertAlias(t.Context(), catalog.Alias{Key: k, Name: name, Version: version, Description: "d", Share: share})
		ok(t, err)
		return a
	}
	live, latest := add("live", 1, &catalog.Share{Version: 2, Weight: 0.25}), add("dev", 0, nil)
	got, err := c.GetAlias(t.Context(), k, "live")
	ok(t, err)
	wantSame(t, "what is read", got, live)
	wantSame(t, "what is inserted", live, catalog.Alias{Key: k, Name: "live", Version: 1, Description: "d",
		Share: &catalog.Share{Version: 2, Weight: 0.25}, RevisionID: live.RevisionID})
	_, err = c.InsertAlias(t.Context(), catalog.Alias{Key: k, Name: "live"})
	wantKind(t, "a second one", err, lambda.Conflict)
	for name, bad := range map[string]catalog.Alias{"version": {Version: 9}, "share": {Version: 1, Share: &catalog.Share{Version: 9, Weight: 1}}} {
		bad.Key, bad.Name = k, "bad"
		_, err = c.InsertAlias(t.Context(), bad)
		wantKind(t, "an unknown "+name, err, lambda.NotFound)
		_, err = c.UpdateAlias(t.Context(), k, "dev", func(a *catalog.Alias) error { a.Version, a.Share = bad.Version, bad.Share; return nil })
		wantKind(t, "an update to an unknown "+name, err, lambda.NotFound)
	}
	for _, row := range []struct {
		name    string
		version int64
		after   lambda.Qualifier
		limit   int
		want    []catalog.Alias
	}{
		{"all", -1, "", 50, []catalog.Alias{latest, live}}, {"a page", -1, "", 1, []catalog.Alias{latest}}, {"the next", -1, "dev", 1, []catalog.Alias{live}},
		{"of a version", 1, "", 50, []catalog.Alias{live}}, {"of a share", 2, "", 50, []catalog.Alias{live}}, {"of $LATEST", 0, "", 50, []catalog.Alias{latest}},
	} {
		list, err := c.ListAliases(t.Context(), k, row.version, row.after, row.limit)
		ok(t, err)
		wantSame(t, row.name, list, row.want)
	}
	wantKind(t, "delete a version that an alias means", c.DeleteVersion(t.Context(), k, 1), lambda.Conflict)
	wantKind(t, "delete a version that has a share", c.DeleteVersion(t.Context(), k, 2), lambda.Conflict)
	updated, err := c.UpdateAlias(t.Context(), k, "live", func(a *catalog.Alias) error {
		wantSame(t, "what change is given", *a, live)
		a.Version, a.Share = 2, nil
		return nil
	})
	ok(t, err)
	if updated.RevisionID == live.RevisionID {
		t.Error("the revision ID stayed")
	}
	got, err = c.GetAlias(t.Context(), k, "live")
	ok(t, err)
	wantSame(t, "after the update", got, catalog.Alias{Key: k, Name: "live", Version: 2, Description: "d", RevisionID: updated.RevisionID})
	_, err = c.UpdateAlias(t.Context(), k, "none", func(*catalog.Alias) error { return nil })
	wantKind(t, "update what is not there", err, lambda.NotFound)
	ok(t, c.DeleteVersion(t.Context(), k, 1))
	ok(t, c.DeleteAlias(t.Context(), k, "live"))
	ok(t, c.DeleteAlias(t.Context(), k, "live"))
	_, err = c.GetAlias(t.Context(), k, "live")
	wantKind(t, "a deleted alias", err, lambda.NotFound)
	ok(t, c.DeleteFunction(t.Context(), k))
	_, err = c.GetAlias(t.Context(), k, "dev")
	wantKind(t, "an alias of a deleted function", err, lambda.NotFound)
}
