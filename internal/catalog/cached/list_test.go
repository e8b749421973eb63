package cached_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/lambda"
)

func (m *memory) ListFunctions(_ context.Context, _ lambda.Scope, after lambda.FunctionName, limit int) ([]catalog.Function, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	var list []catalog.Function
	for _, k := range slices.SortedFunc(maps.Keys(m.functions), func(a, b lambda.FunctionKey) int { return strings.Compare(string(a.Name), string(b.Name)) }) {
		if k.Name > after && len(list) < limit {
			list = append(list, m.functions[k])
		}
	}
	return list, nil
}

func (m *memory) InsertFunction(_ context.Context, f catalog.Function, _ int64) (catalog.Function, error) {
	return m.put(f), nil
}

// list gives what a page shows: names, and states where there are some.
func list(t *testing.T, c catalog.Store, after lambda.FunctionName, limit int) string {
	t.Helper()
	page, err := c.ListFunctions(t.Context(), here, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, f := range page {
		words = append(words, strings.TrimSuffix(string(f.Key.Name)+" "+string(f.State), " "))
	}
	return strings.Join(words, ", ")
}

func TestListsFromMemory(t *testing.T) {
	m := newMemory("a", "b", "c")
	c := cached.New(m, 0)
	for _, step := range []struct {
		what  string
		do    func() error
		want  string // first page, second page
		reads int    // that both pages cost when they are asked for twice
	}{
		{"first", func() error { return nil }, "a, b | c", 2},
		{"again", func() error { return nil }, "a, b | c", 0},
		{"an update of one", func() error {
			_, err := c.UpdateFunction(t.Context(), key("b"), 0, setState(lambda.StateActive))
			return err
		}, "a, b Active | c", 1},
		{"an insertion", func() error {
			_, err := c.InsertFunction(t.Context(), catalog.Function{Key: key("bb")}, 0)
			return err
		}, "a, b Active | bb, c", 2},
		{"a deletion", func() error { return c.DeleteFunction(t.Context(), key("a")) }, "b Active, bb | bb, c", 2},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		before := m.readCount()
		for range 2 {
			if diff := cmp.Diff(step.want, list(t, c, "", 2)+" | "+list(t, c, "b", 2)); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", step.what, diff)
			}
		}
		if n := m.readCount() - before; n != step.reads {
			t.Errorf("after %s: got %d reads, want %d", step.what, n, step.reads)
		}
	}
	before := m.readCount()
	get(t, c, "bb")
	if n := m.readCount() - before; n != 0 {
		t.Errorf("what was listed is read again")
	}
}

func TestListSeesOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("a")
		c := cached.New(m, time.Second)
		defer c.Close()
		time.Sleep(1500 * time.Millisecond) // the first poll
		if got := list(t, c, "", 9); got != "a" {
			t.Errorf("got %s", got)
		}
		m.put(catalog.Function{Key: key("b")}) // another server's
		time.Sleep(time.Second)
		if got := list(t, c, "", 9); got != "a, b" {
			t.Errorf("after another server's write: got %s", got)
		}
	})
}

// TestPagesAreBounded: who asks for pages of a thousand lengths makes the cache forget the first.
func TestPagesAreBounded(t *testing.T) {
	m := newMemory("a", "b")
	c := cached.New(m, 0)
	for limit := range 1100 {
		want := []string{"", "a", "a, b"}[min(limit, 2)]
		if got := list(t, c, "", limit); got != want {
			t.Fatalf("a page of %d: got %q, want %q", limit, got, want)
		}
	}
	before := m.readCount()
	list(t, c, "", 1)
	list(t, c, "", 1099)
	if n := m.readCount() - before; n != 1 {
		t.Errorf("got %d reads of the first page and the last, want 1: the first was forgotten", n)
	}
}
