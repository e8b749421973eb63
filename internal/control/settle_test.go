package control_test

import (
	"context"
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// restart stops the work in the background, takes away what stood in its way, and starts it again.
func (f *fixture) restart() {
	f.t.Helper()
	f.Stop()
	f.trees.set(nil)
	if err := f.Start(context.WithoutCancel(f.t.Context())); err != nil {
		f.t.Fatal(err)
	}
}

func failing(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestFailedChanges(t *testing.T) {
	f := start(t)
	full := errors.New("no space left on device")
	internal := catalog.Reason{Text: "The function's code and layers cannot be unpacked: no space left on device", Code: "InternalError"}

	f.trees.set(failing(full))
	if _, err := f.CreateFunction(t.Context(), f.minimal("f")); err != nil {
		t.Fatal(err)
	}
	failed := f.settled("f")
	wantSame(t, "state of a creation that failed", failed.State, lambda.StateFailed)
	wantSame(t, "its reason", failed.StateReason, internal)

	f.trees.set(nil) // there is room again
	if _, err := f.UpdateFunctionCode(t.Context(), codeOf(f, "f", lambdatest.EchoFunction())); err != nil {
		t.Fatal(err)
	}
	active := f.settled("f")
	wantSame(t, "state after an update that worked", active.State, lambda.StateActive)
	wantSame(t, "reason after an update that worked", active.StateReason, catalog.Reason{})

	f.trees.set(failing(lambda.Errorf(lambda.BadZip, "the zip is damaged")))
	if _, err := f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil)); err != nil {
		t.Fatal(err)
	}
	failed = f.settled("f")
	wantSame(t, "state of an update that failed", failed.State, lambda.StateActive)
	wantSame(t, "status of an update that failed", failed.UpdateStatus, lambda.UpdateFailed)
	wantSame(t, "its reason", failed.UpdateReason, catalog.Reason{Text: "the zip is damaged", Code: "InvalidZipFileException"})

	f.trees.set(nil)
	if _, err := f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil)); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "status after it worked", f.settled("f").UpdateStatus, lambda.UpdateSuccessful)
}

// TestDeletedWhilePending: the name is free again at once, and how the work for the old function ends says nothing of the new one.
func TestDeletedWhilePending(t *testing.T) {
	f := start(t)
	reached, release := make(chan struct{}), make(chan struct{})
	f.trees.set(func(context.Context) error {
		reached <- struct{}{}
		<-release
		return errors.New("what the old one ends with")
	})
	old, err := f.CreateFunction(t.Context(), f.minimal("f"))
	if err != nil {
		t.Fatal(err)
	}
	<-reached
	if err := f.DeleteFunction(t.Context(), here, ref("f")); err != nil {
		t.Fatal(err)
	}
	f.trees.set(blocked)
	created, err := f.CreateFunction(t.Context(), f.minimal("f"))
	if err != nil {
		t.Fatal(err)
	}
	changed := f.catalog.next()
	close(release)
	<-changed // the old one's work wanted to record its end
	wantSame(t, "the new function", f.get("f"), created.Function)
	if created.ID == old.ID {
		t.Error("the new function has the old one's ID")
	}
	f.restart()
	wantSame(t, "its state", f.settled("f").State, lambda.StateActive)
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	f := startIn(t, dir)
	f.create("updating")
	f.trees.set(blocked)
	pending, err := f.CreateFunction(t.Context(), f.minimal("pending"))
	if err != nil {
		t.Fatal(err)
	}
	updating, err := f.UpdateFunctionConfiguration(t.Context(), configurationOf("updating", nil))
	if err != nil {
		t.Fatal(err)
	}
	f.stop()

	f = startIn(t, dir)
	for _, before := range []catalog.Function{pending.Function, updating.Function} {
		fn := f.settled(string(before.Key.Name))
		if fn.State != lambda.StateActive || fn.UpdateStatus != lambda.UpdateSuccessful || fn.RevisionID == before.RevisionID {
			t.Errorf("%s: got %s, %s, revision ID %s", before.Key.Name, fn.State, fn.UpdateStatus, fn.RevisionID)
		}
		wantSame(t, "revision", fn.Latest, before.Latest)
	}
}

func TestStartAndStop(t *testing.T) {
	f := start(t)
	if err := f.Start(t.Context()); err == nil {
		t.Error("a second Start was accepted")
	}
	f.Stop()
	f.Stop()
	if _, err := f.CreateFunction(t.Context(), f.minimal("f")); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "state while stopped", f.get("f").State, lambda.StatePending)
	f.restart()
	f.settled("f")

	never := control.New(control.Options{Catalog: f.catalog, Store: f.trees, Blobs: f.data.blobs})
	never.Stop()
}

// TestManyAtOnce: more functions than are settled at once come to their end.
func TestManyAtOnce(t *testing.T) {
	f := start(t)
	names := repeat(40, numbered("f%d"))
	for _, name := range names {
		if _, err := f.CreateFunction(t.Context(), f.minimal(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		wantSame(t, name, f.settled(name).State, lambda.StateActive)
	}
}

// flaky is a catalog that fails to record the first outcomes.
type flaky struct {
	catalog.Store
	failures int
}

func (c *flaky) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	if c.failures > 0 {
		c.failures--
		return catalog.Function{}, errors.New("the database is away")
	}
	return c.Store.UpdateFunction(ctx, k, quota, change)
}

// TestOutcomeIsRecordedLater: a database that is away for a while does not leave a function Pending.
func TestOutcomeIsRecordedLater(t *testing.T) {
	f := start(t)
	f.catalog.Store = &flaky{Store: f.catalog.Store, failures: 1}
	f.create("f")
}
