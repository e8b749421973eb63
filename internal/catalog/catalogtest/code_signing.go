package catalogtest

import (
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testCodeSigning(t *testing.T, p Place) {
	c := open(t, p)
	one := catalog.CodeSigningConfig{Scope: here, ID: "csc-b", Publishers: []string{"arn:b", "arn:a"}, Policy: "Warn", Modified: moment.Truncate(1e6)}
	two := one
	two.ID, two.Description, two.Tags = "csc-a", new("d"), map[string]string{"team": "a", "none": ""}
	for _, config := range []catalog.CodeSigningConfig{one, two} {
		_, err := c.GetCodeSigningConfig(t.Context(), here, config.ID)
		wantKind(t, "before", err, lambda.NotFound)
		before := sequence(t, c)
		ok(t, c.InsertCodeSigningConfig(t.Context(), config))
		if n := sequence(t, c); n != before+1 {
			t.Errorf("an insertion took %d numbers", n-before)
		}
		got, err := c.GetCodeSigningConfig(t.Context(), here, config.ID)
		ok(t, err)
		wantSame(t, "read", got, config)
	}
	wantKind(t, "a second one", c.InsertCodeSigningConfig(t.Context(), one), lambda.Conflict)
	bad := one
	bad.ID, bad.Description = "csc-nul", new("\x00")
	wantKind(t, "a NUL", c.InsertCodeSigningConfig(t.Context(), bad), lambda.Invalid)
	bad.Description, bad.Tags = nil, map[string]string{"\x00": ""}
	wantKind(t, "a NUL in a tag", c.InsertCodeSigningConfig(t.Context(), bad), lambda.Invalid)
	for _, s := range elsewhere {
		_, err := c.GetCodeSigningConfig(t.Context(), s, one.ID)
		wantKind(t, "in "+s.String(), err, lambda.NotFound)
		list, err := c.ListCodeSigningConfigs(t.Context(), s, "", 50)
		ok(t, err)
		wantSame(t, "in "+s.String(), list, nil)
	}
	for _, row := range []struct {
		after string
		limit int
		want  []catalog.CodeSigningConfig
	}{{"", 50, []catalog.CodeSigningConfig{two, one}}, {"", 1, []catalog.CodeSigningConfig{two}}, {"csc-a", 50, []catalog.CodeSigningConfig{one}}, {"csc-b", 50, nil}} {
		list, err := c.ListCodeSigningConfigs(t.Context(), here, row.after, row.limit)
		ok(t, err)
		wantSame(t, "after "+row.after, list, row.want)
	}
	changed, err := c.UpdateCodeSigningConfig(t.Context(), here, one.ID, func(c *catalog.CodeSigningConfig) error {
		wantSame(t, "what change is given", *c, one)
		c.Policy, c.Publishers = "Enforce", []string{"arn:c"}
		return nil
	})
	ok(t, err)
	one.Policy, one.Publishers = "Enforce", []string{"arn:c"}
	wantSame(t, "changed", changed, one)
	for _, tags := range []map[string]string{{"a": "b"}, {}} {
		one.Tags = tags
		if len(tags) == 0 {
			one.Tags = nil
		}
		changed, err = c.UpdateCodeSigningConfig(t.Context(), here, one.ID, func(c *catalog.CodeSigningConfig) error { c.Tags = tags; return nil })
		ok(t, err)
		wantSame(t, "tagged", changed, one)
		read, err := c.GetCodeSigningConfig(t.Context(), here, one.ID)
		ok(t, err)
		wantSame(t, "tagged, read", read, one)
	}
	cause := errors.New("no")
	if _, err := c.UpdateCodeSigningConfig(t.Context(), here, one.ID, func(*catalog.CodeSigningConfig) error { return cause }); err != cause {
		t.Errorf("got %v, want change's own error", err)
	}
	_, err = c.UpdateCodeSigningConfig(t.Context(), here, "csc-none", func(*catalog.CodeSigningConfig) error { return nil })
	wantKind(t, "update of none", err, lambda.NotFound)

	f := insert(t, c, active(function("f")))
	set := func(doc string) func(*catalog.Record) error {
		return func(r *catalog.Record) error { r.Document, r.Modified = doc, moment; return nil }
	}
	_, err = c.UpdateRecord(t.Context(), f.Key, catalog.RecordCodeSigning, "", false, set(`"csc-b"`))
	ok(t, err)
	wantKind(t, "delete what a function has", c.DeleteCodeSigningConfig(t.Context(), here, one.ID), lambda.Conflict)
	ok(t, c.DeleteFunction(t.Context(), f.Key))
	ok(t, c.DeleteCodeSigningConfig(t.Context(), here, one.ID))
	wantKind(t, "delete again", c.DeleteCodeSigningConfig(t.Context(), here, one.ID), lambda.NotFound)
	_, err = c.GetCodeSigningConfig(t.Context(), here, one.ID)
	wantKind(t, "deleted", err, lambda.NotFound)
}
