package catalogtest

import (
	"errors"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testFunctionMembers(t *testing.T, p Place) {
	c := open(t, p)
	bare := catalog.Function{Key: function("bare"), State: lambda.StateActive, UpdateStatus: lambda.UpdateSuccessful, Created: moment}
	bare.Latest.LastModified = moment
	empty := bare
	empty.Key, empty.Tags = function("empty"), map[string]string{}
	empty.Latest.Config.Environment = &lambda.Variables{Map: map[string]string{}}
	for _, f := range []catalog.Function{sample(function("full")), bare, empty} {
		inserted := insert(t, c, f)
		if inserted.ID == "" || inserted.RevisionID == "" || inserted.Sequence == 0 {
			t.Errorf("%s: got %+v without ID, revision ID or sequence", f.Key.Name, inserted)
		}
		want := f
		want.ID, want.RevisionID, want.Sequence = inserted.ID, inserted.RevisionID, inserted.Sequence
		want.Latest.Key, want.Latest.FunctionID, want.Latest.Number = f.Key, inserted.ID, 1
		want.Created, want.Latest.LastModified = moment.Truncate(1e6), moment.Truncate(1e6)
		wantSame(t, "inserted "+string(f.Key.Name), inserted, want)
		got, err := c.GetFunction(t.Context(), f.Key)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "read "+string(f.Key.Name), got, want)
	}
}

func testFunctionExists(t *testing.T, p Place) {
	c := open(t, p)
	first := insert(t, c, sample(function("f")))
	before := sequence(t, c)
	_, err := c.InsertFunction(t.Context(), sample(function("f")), 0)
	wantKind(t, "a second one", err, lambda.Conflict)
	if after := sequence(t, c); after != before {
		t.Errorf("a refused change took number %d", after)
	}
	for _, s := range elsewhere {
		k := lambda.FunctionKey{Scope: s, Name: "f"}
		_, err := c.GetFunction(t.Context(), k)
		wantKind(t, "get in "+s.String(), err, lambda.NotFound)
		wantKind(t, "delete in "+s.String(), c.DeleteFunction(t.Context(), k), lambda.NotFound)
		insert(t, c, sample(k))
	}
	got, err := c.GetFunction(t.Context(), first.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the first one", got, first)
}

func testFunctionAbsent(t *testing.T, p Place) {
	c := open(t, p)
	k := function("f")
	_, err := c.GetFunction(t.Context(), k)
	wantKind(t, "get", err, lambda.NotFound)
	wantKind(t, "delete", c.DeleteFunction(t.Context(), k), lambda.NotFound)
	_, err = c.UpdateFunction(t.Context(), k, 0, func(*catalog.Function) error {
		t.Error("change was called")
		return nil
	})
	wantKind(t, "update", err, lambda.NotFound)
	f := insert(t, c, sample(k))
	_, err = c.GetRevision(t.Context(), k, f.ID, 2)
	wantKind(t, "a revision that is not there", err, lambda.NotFound)
	if err := c.DeleteFunction(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetFunction(t.Context(), k)
	wantKind(t, "get after delete", err, lambda.NotFound)
	_, err = c.GetRevision(t.Context(), k, f.ID, 1)
	wantKind(t, "revision after delete", err, lambda.NotFound)
}

// testFunctionIdentity: a function is not an earlier one of the same name.
func testFunctionIdentity(t *testing.T, p Place) {
	c := open(t, p)
	old := insert(t, c, sample(function("f")))
	if err := c.DeleteFunction(t.Context(), old.Key); err != nil {
		t.Fatal(err)
	}
	f := insert(t, c, sample(function("f")))
	if f.ID == old.ID || f.RevisionID == old.RevisionID || f.Sequence <= old.Sequence {
		t.Errorf("got ID %s, revision ID %s, sequence %d like the earlier one", f.ID, f.RevisionID, f.Sequence)
	}
	_, err := c.GetRevision(t.Context(), f.Key, old.ID, 1)
	wantKind(t, "the earlier one's revision", err, lambda.NotFound)
}

func testUpdateFunction(t *testing.T, p Place) {
	c := open(t, p)
	first := insert(t, c, sample(function("f")))
	settled, err := c.UpdateFunction(t.Context(), first.Key, 0, func(f *catalog.Function) error {
		wantSame(t, "what change is given", *f, first)
		f.State, f.StateReason = lambda.StateActive, catalog.Reason{}
		f.UpdateStatus, f.UpdateReason = lambda.UpdateFailed, catalog.Reason{Text: "why", Code: "Because"}
		f.Tags = nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := first
	want.State, want.StateReason, want.Tags = lambda.StateActive, catalog.Reason{}, nil
	want.UpdateStatus, want.UpdateReason = lambda.UpdateFailed, catalog.Reason{Text: "why", Code: "Because"}
	want.RevisionID, want.Sequence = settled.RevisionID, first.Sequence+1
	wantSame(t, "an update of the state", settled, want)
	if settled.RevisionID == first.RevisionID {
		t.Error("the revision ID stayed")
	}

	revised, err := c.UpdateFunction(t.Context(), first.Key, 0, func(f *catalog.Function) error {
		f.Latest.Number = 0
		f.Latest.Config.Handler = "other.handler"
		f.Latest.Layers, f.Latest.ShadowMap = nil, nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Latest.Number, want.Latest.Config.Handler, want.Latest.Layers, want.Latest.ShadowMap = 2, "other.handler", nil, nil
	want.RevisionID, want.Sequence = revised.RevisionID, settled.Sequence+1
	wantSame(t, "a new revision", revised, want)
	got, err := c.GetFunction(t.Context(), first.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "what was read", got, want)
	for n, want := range map[int64]lambda.Revision{1: first.Latest, 2: revised.Latest} {
		r, err := c.GetRevision(t.Context(), first.Key, first.ID, n)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "a revision stays as it was", r, want)
	}
}

func testUpdateFails(t *testing.T, p Place) {
	c := open(t, p)
	first := insert(t, c, sample(function("f")))
	before := sequence(t, c)
	cause := errors.New("no")
	_, err := c.UpdateFunction(t.Context(), first.Key, 0, func(f *catalog.Function) error {
		f.State = lambda.StateFailed
		return cause
	})
	if err != cause {
		t.Errorf("got %v, want change's own error", err)
	}
	got, err := c.GetFunction(t.Context(), first.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "after a change that failed", got, first)
	if after := sequence(t, c); after != before {
		t.Errorf("a change that failed took number %d", after)
	}
}

// testConcurrentUpdate: updates come one after the other, and each sees the one before.
func testConcurrentUpdate(t *testing.T, p Place) {
	const writers = 20
	catalogs := []catalog.Store{open(t, p), open(t, p)}
	first := insert(t, catalogs[0], sample(function("f")))
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, err := catalogs[i%2].UpdateFunction(t.Context(), first.Key, 0, func(f *catalog.Function) error {
				f.Latest.Number = 0
				f.Latest.Config.Timeout++
				return nil
			})
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	f, err := catalogs[0].GetFunction(t.Context(), first.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.Latest.Config.Timeout, first.Latest.Config.Timeout+writers; got != want {
		t.Errorf("got %d changes after each other, want %d", got, want)
	}
	if f.Latest.Number != 1+writers {
		t.Errorf("got revision %d, want %d", f.Latest.Number, 1+writers)
	}
}

func testListFunctions(t *testing.T, p Place) {
	c := open(t, p)
	all := map[lambda.FunctionName]catalog.Function{}
	for _, name := range []lambda.FunctionName{"b", "a-b", "Z", "_", "ab", "a"} {
		all[name] = insert(t, c, sample(function(name)))
	}
	insert(t, c, sample(lambda.FunctionKey{Scope: elsewhere[0], Name: "a"}))
	for _, row := range []struct {
		name  string
		after lambda.FunctionName
		limit int
		want  []lambda.FunctionName
	}{
		{"all", "", 50, []lambda.FunctionName{"Z", "_", "a", "a-b", "ab", "b"}},
		{"a page", "", 2, []lambda.FunctionName{"Z", "_"}},
		{"the next page", "_", 3, []lambda.FunctionName{"a", "a-b", "ab"}},
		{"after what is gone", "aa", 50, []lambda.FunctionName{"ab", "b"}},
		{"after the last", "b", 50, nil},
	} {
		list, err := c.ListFunctions(t.Context(), here, row.after, row.limit)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		var want []catalog.Function
		for _, name := range row.want {
			want = append(want, all[name])
		}
		wantSame(t, row.name, list, want)
	}
}

func testUnsettled(t *testing.T, p Place) {
	c := open(t, p)
	set := func(name lambda.FunctionName, s lambda.State, u lambda.UpdateStatus) catalog.Function {
		f := sample(function(name))
		f.State, f.UpdateStatus = s, u
		return insert(t, c, f)
	}
	want := []catalog.Function{set("z-pending", lambda.StatePending, "")}
	set("active", lambda.StateActive, lambda.UpdateSuccessful)
	set("failed", lambda.StateFailed, "")
	set("update failed", lambda.StateActive, lambda.UpdateFailed)
	want = append(want, set("updating", lambda.StateActive, lambda.UpdateInProgress))
	far := sample(lambda.FunctionKey{Scope: elsewhere[1], Name: "far"})
	want = append(want, insert(t, c, far))
	got, err := c.Unsettled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "unsettled", got, want)
}
