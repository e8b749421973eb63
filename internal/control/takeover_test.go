package control_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
)

// another starts a second server over the catalog of a first one.
func (f *fixture) another(o control.Options) *fixture {
	f.t.Helper()
	o.Catalog, o.Store, o.Blobs, o.Now = f.catalog, f.data.trees, f.data.blobs, time.Now
	second := *f
	second.Service = control.New(o)
	if err := second.Start(context.WithoutCancel(f.t.Context())); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(second.Stop) // before the first one's
	return &second
}

// TestTakeOver lets a server that lives settle what one that stands still, as if it were dead, has begun.
func TestTakeOver(t *testing.T) {
	dead := start(t)
	dead.create("updated")
	living := dead.another(control.Options{Others: 10 * time.Millisecond})
	dead.trees.set(blocked)
	if _, err := dead.CreateFunction(t.Context(), dead.minimal("created")); err != nil {
		t.Fatal(err)
	}
	if _, err := dead.UpdateFunctionConfiguration(t.Context(), configurationOf("updated", nil)); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the created function", living.settled("created").State, lambda.StateActive)
	wantSame(t, "the updated function", living.settled("updated").UpdateStatus, lambda.UpdateSuccessful)
}

// TestTakeOverLeavesItsOwn: what a server itself is still busy with it does not begin anew.
func TestTakeOverLeavesItsOwn(t *testing.T) {
	f := start(t)
	begun := make(chan struct{}, 100)
	release := make(chan struct{})
	looked := &looking{Store: f.catalog.Store, looks: make(chan struct{}), over: make(chan struct{})}
	f.catalog.Store = looked
	trees := &bent{Store: f.data.trees}
	trees.set(func(context.Context) error { begun <- struct{}{}; <-release; return nil })
	busy := control.New(control.Options{Catalog: f.catalog, Store: trees, Blobs: f.data.blobs, Now: time.Now, Others: time.Millisecond})
	go func() { <-looked.looks }() // that of the start
	if err := busy.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	defer busy.Stop()
	if _, err := busy.CreateFunction(t.Context(), f.minimal("f")); err != nil {
		t.Fatal(err)
	}
	<-begun
	for range 10 { // more than patience
		<-looked.looks
	}
	close(looked.over)
	close(release)
	wantSame(t, "state", f.settled("f").State, lambda.StateActive)
	if n := len(begun); n != 0 {
		t.Errorf("it was begun %d times more", n)
	}
}

// looking is a catalog that lets a test see when it is asked for what is unsettled.
type looking struct {
	catalog.Store
	looks chan struct{}
	over  chan struct{} // closed when nobody receives any more
}

func (l *looking) Unsettled(ctx context.Context) ([]catalog.Function, error) {
	list, err := l.Store.Unsettled(ctx)
	select {
	case l.looks <- struct{}{}:
	case <-l.over:
	case <-ctx.Done():
	}
	return list, err
}

// TestUpdateWaitsForOthers: an update is not called done before others had the time to see it. (At least so long: more would be
// no fault.)
func TestUpdateWaitsForOthers(t *testing.T) {
	const follow = 200 * time.Millisecond
	f := start(t)
	f.create("f")
	careful := f.another(control.Options{Follow: follow})
	began := time.Now()
	if _, err := careful.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil)); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "status", careful.settled("f").UpdateStatus, lambda.UpdateSuccessful)
	if took := time.Since(began); took < follow {
		t.Errorf("it was done after %v", took)
	}
}

// TestStoreElsewhereIsAway: a function stays as it is while a store that other servers share does not answer, and is settled then.
func TestStoreElsewhereIsAway(t *testing.T) {
	f := start(t)
	asked := make(chan struct{}, 100)
	f.trees.set(func(context.Context) error {
		asked <- struct{}{}
		return away{errors.New("no route to the store")}
	})
	if _, err := f.CreateFunction(t.Context(), f.minimal("f")); err != nil {
		t.Fatal(err)
	}
	<-asked
	<-asked // a second time
	wantSame(t, "state", f.get("f").State, lambda.StatePending)
	f.trees.set(nil)
	wantSame(t, "state when it is back", f.settled("f").State, lambda.StateActive)
}

type away struct{ error }

func (away) Fault() string { return "The store is away." }
