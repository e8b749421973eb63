package catalogtest

import (
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testRecords(t *testing.T, p Place) {
	c := open(t, p)
	k := function("f")
	const kind = catalog.RecordPolicy
	set := func(doc string) func(*catalog.Record) error {
		return func(r *catalog.Record) error { r.Document, r.Modified = doc, moment; return nil }
	}
	_, err := c.UpdateRecord(t.Context(), k, kind, "", false, set("{}"))
	wantKind(t, "a record of no function", err, lambda.NotFound)
	f := insert(t, c, active(k))
	_, v := publishVersion(t, c, k, "")
	a, err := c.InsertAlias(t.Context(), catalog.Alias{Key: k, Name: "live", Version: 1})
	ok(t, err)
	f, err = c.GetFunction(t.Context(), k)
	ok(t, err)
	for _, q := range []lambda.Qualifier{"2", "none"} {
		_, err := c.UpdateRecord(t.Context(), k, kind, q, false, set("{}"))
		wantKind(t, "a record of "+string(q), err, lambda.NotFound)
	}
	owners := map[lambda.Qualifier]lambda.RevisionID{"": f.RevisionID, "1": v.RevisionID, "live": a.RevisionID}
	var all []catalog.Record
	for _, q := range []lambda.Qualifier{"", "1", "live"} {
		_, err := c.GetRecord(t.Context(), k, kind, q)
		wantKind(t, "before", err, lambda.NotFound)
		before := sequence(t, c)
		r, err := c.UpdateRecord(t.Context(), k, kind, q, false, set(`{"of":"`+string(q)+`"}`))
		ok(t, err)
		if want := owners[q]; r.Owner != want {
			t.Errorf("the owner of %q is told as %s, want %s", q, r.Owner, want)
		}
		r.Owner = ""
		wantSame(t, "recorded", r, catalog.Record{Key: k, Kind: kind, Qualifier: q, Document: `{"of":"` + string(q) + `"}`, Modified: moment.Truncate(1e6)})
		got, err := c.GetRecord(t.Context(), k, kind, q)
		ok(t, err)
		wantSame(t, "read", got, r)
		if n := sequence(t, c); n != before+1 {
			t.Errorf("a record took %d numbers", n-before)
		}
		all = append(all, r)
	}
	for _, row := range []struct {
		name  string
		after lambda.Qualifier
		first bool
		limit int
		want  []catalog.Record
	}{{"all", "", true, 50, all}, {"a page", "", true, 2, all[:2]}, {"qualified", "", false, 50, all[1:]}, {"the next", "1", false, 50, all[2:]}} {
		list, err := c.ListRecords(t.Context(), k, kind, row.after, row.first, row.limit)
		ok(t, err)
		wantSame(t, row.name, list, row.want)
	}
	of, err := c.RecordsOf(t.Context(), here, kind)
	ok(t, err)
	wantSame(t, "of the account", of, all)
	for _, s := range elsewhere {
		of, err := c.RecordsOf(t.Context(), s, kind)
		ok(t, err)
		wantSame(t, "of "+s.String(), of, nil)
	}
	of, err = c.RecordsOf(t.Context(), here, catalog.RecordURL)
	ok(t, err)
	wantSame(t, "of another kind", of, nil)
	// Without renew nothing else changed; with it the one that the record belongs to has.
	same, err := c.GetFunction(t.Context(), k)
	ok(t, err)
	wantSame(t, "the function", same, f)
	cause := errors.New("no")
	_, err = c.UpdateRecord(t.Context(), k, kind, "", true, func(*catalog.Record) error { return cause })
	if err != cause {
		t.Errorf("got %v, want change's own error", err)
	}
	for _, q := range []lambda.Qualifier{"", "1", "live"} {
		r, err := c.UpdateRecord(t.Context(), k, kind, q, true, func(r *catalog.Record) error {
			if r.Owner != owners[q] {
				t.Errorf("change is told the owner %s, want %s", r.Owner, owners[q])
			}
			return set("[]")(r)
		})
		ok(t, err)
		owners[q] = r.Owner
	}
	f2, err := c.GetFunction(t.Context(), k)
	ok(t, err)
	v2, err := c.GetVersion(t.Context(), k, 1)
	ok(t, err)
	a2, err := c.GetAlias(t.Context(), k, "live")
	ok(t, err)
	if f2.RevisionID == f.RevisionID || v2.RevisionID == v.RevisionID || a2.RevisionID == a.RevisionID {
		t.Error("a revision ID stayed")
	}
	wantSame(t, "the new owners", map[lambda.Qualifier]lambda.RevisionID{"": f2.RevisionID, "1": v2.RevisionID, "live": a2.RevisionID}, owners)
	// No document deletes; a record goes with what it belongs to.
	_, err = c.UpdateRecord(t.Context(), k, kind, "", false, set(""))
	ok(t, err)
	_, err = c.GetRecord(t.Context(), k, kind, "")
	wantKind(t, "deleted", err, lambda.NotFound)
	ok(t, c.DeleteAlias(t.Context(), k, "live"))
	_, err = c.GetRecord(t.Context(), k, kind, "live")
	wantKind(t, "of a deleted alias", err, lambda.NotFound)
	ok(t, c.DeleteVersion(t.Context(), k, 1))
	_, err = c.GetRecord(t.Context(), k, kind, "1")
	wantKind(t, "of a deleted version", err, lambda.NotFound)
	_, err = c.UpdateRecord(t.Context(), k, kind, "", false, set("{}"))
	ok(t, err)
	ok(t, c.DeleteFunction(t.Context(), k))
	_, err = c.GetRecord(t.Context(), k, kind, "")
	wantKind(t, "of a deleted function", err, lambda.NotFound)
	_, err = c.UpdateRecord(t.Context(), insert(t, c, active(k)).Key, kind, "", false, set(`"\u0000"`))
	wantKind(t, "a NUL in a document", err, lambda.Invalid)
}

// testRecordsOfAnInsertion: what is recorded with a function is there with it, or not at all.
func testRecordsOfAnInsertion(t *testing.T, p Place) {
	c := open(t, p)
	f := active(function("f"))
	f.Records = []catalog.Record{{Kind: catalog.RecordCodeSigning, Document: `"csc-a"`, Modified: moment}}
	inserted := insert(t, c, f)
	got, err := c.GetFunction(t.Context(), f.Key)
	ok(t, err)
	wantSame(t, "the function", got, inserted)
	want := catalog.Record{Key: f.Key, Kind: catalog.RecordCodeSigning, Document: `"csc-a"`, Modified: moment.Truncate(1e6)}
	r, err := c.GetRecord(t.Context(), f.Key, catalog.RecordCodeSigning, "")
	ok(t, err)
	wantSame(t, "the record", r, want)
	g := active(function("g"))
	g.Records = []catalog.Record{{Kind: catalog.RecordCodeSigning, Document: `"\u0000"`, Modified: moment}}
	_, err = c.InsertFunction(t.Context(), g, 0)
	wantKind(t, "a record that cannot be kept", err, lambda.Invalid)
	_, err = c.GetFunction(t.Context(), g.Key)
	wantKind(t, "the function without its record", err, lambda.NotFound)
}

func testLayerPolicies(t *testing.T, p Place) {
	c := open(t, p)
	v := publish(t, c, layer("libs"))
	add := func(s ...catalog.Statement) func(*catalog.Policy) error {
		return func(p *catalog.Policy) error { p.Statements = append(p.Statements, s...); return nil }
	}
	unknown := v.ARN
	unknown.Version = 2
	_, err := c.GetLayerPolicy(t.Context(), unknown)
	wantKind(t, "get of an unknown version", err, lambda.NotFound)
	_, err = c.UpdateLayerPolicy(t.Context(), unknown, add())
	wantKind(t, "update of an unknown version", err, lambda.NotFound)
	none, err := c.GetLayerPolicy(t.Context(), v.ARN)
	ok(t, err)
	wantSame(t, "no policy", none, catalog.Policy{})
	one := catalog.Statement{ID: "b", Action: "lambda:GetLayerVersion", Principal: "*", Organisation: "o-abcdefghij"}
	two := catalog.Statement{ID: "a", Action: "lambda:GetLayerVersion", Principal: "111111111111"}
	first, err := c.UpdateLayerPolicy(t.Context(), v.ARN, add(one))
	ok(t, err)
	second, err := c.UpdateLayerPolicy(t.Context(), v.ARN, add(two))
	ok(t, err)
	wantSame(t, "in the order added", second, catalog.Policy{Statements: []catalog.Statement{one, two}, RevisionID: second.RevisionID})
	if first.RevisionID == "" || first.RevisionID == second.RevisionID {
		t.Error("the revision ID stayed")
	}
	got, err := c.GetLayerPolicy(t.Context(), v.ARN)
	ok(t, err)
	wantSame(t, "what is read", got, second)
	for _, s := range elsewhere {
		far := v.ARN
		far.Scope = s
		_, err := c.GetLayerPolicy(t.Context(), far)
		wantKind(t, "in "+s.String(), err, lambda.NotFound)
	}
	next := publish(t, c, layer("libs"))
	got, err = c.GetLayerPolicy(t.Context(), next.ARN)
	ok(t, err)
	wantSame(t, "the next version's", got, catalog.Policy{})
	ok(t, c.DeleteLayerVersion(t.Context(), v.ARN))
	_, err = c.GetLayerPolicy(t.Context(), v.ARN)
	wantKind(t, "of a deleted version", err, lambda.NotFound)
}

func testUsage(t *testing.T, p Place) {
	c := open(t, p)
	publish(t, c, layer("libs"))
	f := active(function("f"))
	f.Reserved = new(7)
	insert(t, c, f)
	insert(t, c, active(function("g")))
	publishVersion(t, c, f.Key, "")
	insert(t, c, active(lambda.FunctionKey{Scope: elsewhere[2], Name: "f"}))
	got, err := c.Usage(t.Context(), here)
	ok(t, err)
	wantSame(t, "usage", got, catalog.Usage{CodeSize: 100 + 3*1000, Functions: 2, Reserved: 7})
	_, err = c.UpdateFunction(t.Context(), f.Key, 0, func(f *catalog.Function) error { f.Reserved = nil; return nil })
	ok(t, err)
	got, err = c.Usage(t.Context(), here)
	ok(t, err)
	wantSame(t, "usage without reservations", got, catalog.Usage{CodeSize: 100 + 3*1000, Functions: 2})
}
