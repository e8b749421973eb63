package catalogtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

func testShares(t *testing.T, p Place) {
	c := open(t, p)
	for _, s := range append(elsewhere[:len(elsewhere):len(elsewhere)], here) {
		f := active(lambda.FunctionKey{Scope: s, Name: "f"})
		f.Newest = 1
		insert(t, c, f)
	}
	insert(t, c, active(function("g")))
	none := catalog.Shares{Reserved: map[lambda.FunctionName]int{}}
	got, err := c.Shares(t.Context(), here)
	ok(t, err)
	wantSame(t, "nothing is shared out", got, none)

	ten, zero := 10, 0
	for name, n := range map[lambda.FunctionName]*int{"f": &ten, "g": &zero} {
		f, err := c.UpdateReserved(t.Context(), function(name), func(f *catalog.Function, _ catalog.Shares) error {
			f.Reserved = n
			return nil
		})
		ok(t, err)
		read, err := c.GetFunction(t.Context(), f.Key)
		ok(t, err)
		wantSame(t, "function "+string(name), f, read)
	}
	r, err := c.UpdateProvisioned(t.Context(), function("f"), "1", func(r *catalog.Record, s catalog.Shares) error {
		wantSame(t, "what change sees", s, catalog.Shares{Reserved: map[lambda.FunctionName]int{"f": 10, "g": 0}})
		r.Document, r.Modified = "7", moment
		return nil
	})
	ok(t, err)
	read, err := c.GetRecord(t.Context(), function("f"), catalog.RecordProvisionedConcurrency, "1")
	ok(t, err)
	r.Owner = "" // UpdateRecord alone tells it
	wantSame(t, "the record", r, read)
	want := catalog.Shares{Reserved: map[lambda.FunctionName]int{"f": 10, "g": 0}, Provisioned: []catalog.Record{r}}
	got, err = c.Shares(t.Context(), here)
	ok(t, err)
	wantSame(t, "shares", got, want)
	for _, s := range elsewhere {
		got, err := c.Shares(t.Context(), s)
		ok(t, err)
		wantSame(t, "shares of "+s.String(), got, none)
	}

	cause := errors.New("no")
	_, err = c.UpdateReserved(t.Context(), function("f"), func(*catalog.Function, catalog.Shares) error { return cause })
	if err != cause {
		t.Errorf("got %v, want change's own error", err)
	}
	_, err = c.UpdateProvisioned(t.Context(), function("f"), "1", func(*catalog.Record, catalog.Shares) error { return cause })
	if err != cause {
		t.Errorf("got %v, want change's own error", err)
	}
	_, err = c.UpdateReserved(t.Context(), function("absent"), func(*catalog.Function, catalog.Shares) error { return nil })
	wantKind(t, "a function that is not there", err, lambda.NotFound)
	_, err = c.UpdateProvisioned(t.Context(), function("f"), "2", func(*catalog.Record, catalog.Shares) error { return nil })
	wantKind(t, "a version that is not there", err, lambda.NotFound)
	ok(t, c.DeleteFunction(t.Context(), function("f")))
	got, err = c.Shares(t.Context(), here)
	ok(t, err)
	wantSame(t, "without the function", got, catalog.Shares{Reserved: map[lambda.FunctionName]int{"g": 0}})
}

// testSharesTogether lets many take from one account, each only while there is enough.
func testSharesTogether(t *testing.T, p Place) {
	stores := []catalog.Store{open(t, p), open(t, p)}
	const functions, each, all = 8, 30, 100
	for i := range functions {
		f := active(function(lambda.FunctionName(fmt.Sprintf("f%d", i))))
		f.Newest = 1
		insert(t, stores[0], f)
	}
	full := errors.New("there is not enough")
	enough := func(s catalog.Shares) error {
		taken := each * len(s.Provisioned)
		for _, n := range s.Reserved {
			taken += n
		}
		if taken+each > all {
			return full
		}
		return nil
	}
	errs := make([]error, functions)
	var wg sync.WaitGroup
	for i := range functions {
		c, k := stores[i%len(stores)], function(lambda.FunctionName(fmt.Sprintf("f%d", i)))
		wg.Go(func() {
			if i < functions/2 {
				_, errs[i] = c.UpdateReserved(t.Context(), k, func(f *catalog.Function, s catalog.Shares) error {
					n := each
					f.Reserved = &n
					return enough(s)
				})
			} else {
				_, errs[i] = c.UpdateProvisioned(t.Context(), k, "1", func(r *catalog.Record, s catalog.Shares) error {
					r.Document, r.Modified = "{}", moment
					return enough(s)
				})
			}
		})
	}
	wg.Wait()
	got := 0
	for i, err := range errs {
		if err == nil {
			got++
		} else if err != full {
			t.Errorf("f%d: %v", i, err)
		}
	}
	if got != all/each {
		t.Errorf("%d got %d each of %d", got, each, all)
	}
}
