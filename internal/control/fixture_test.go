package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/objects"
)

func TestMain(m *testing.M) {
	failpointtest.BeVictim(beStepVictim)
	if dir := os.Getenv(workerFolder); dir != "" {
		beWorker(dir)
		return
	}
	goleak.VerifyTestMain(withPostgres{m})
}

// withPostgres ends the PostgreSQL of the tests, if one was started, before it is looked who still runs.
type withPostgres struct{ *testing.M }

func (m withPostgres) Run() int { return pgtest.Main(m.M) }

var here = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}

const role = "arn:aws:iam::000000000000:role/r"

// data is a data folder that is open: the real catalog and the real stores.
type data struct {
	dir     string
	blobs   *blob.Store
	trees   *layerstore.Store
	catalog catalog.Store
}

func openData(ctx context.Context, dir string) (*data, error) {
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	d := &data{dir: dir, blobs: blob.New(driver)}
	if d.trees, err = layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "layers"), Blobs: d.blobs, Now: time.Now}); err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, database.SQLiteURL(filepath.Join(dir, "lamina.db")))
	if err != nil {
		return nil, err
	}
	d.catalog, err = sqlcatalog.Open(ctx, db)
	return d, err
}

func (d *data) close() {
	d.trees.Close()
	d.catalog.Close()
	d.blobs.Close()
}

// staged counts the zips that nobody committed or discarded.
func (d *data) staged(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, "blobs", "staging"))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// watched is a catalog that tells when a function has changed.
type watched struct {
	catalog.Store
	mu      sync.Mutex
	changed chan struct{}
}

func (w *watched) next() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

func (w *watched) UpdateFunction(ctx context.Context, k lambda.FunctionKey, quota int64, change func(*catalog.Function) error) (catalog.Function, error) {
	f, err := w.Store.UpdateFunction(ctx, k, quota, change)
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
	return f, err
}

// bent is a layer store in which a test can stand in the way.
type bent struct {
	*layerstore.Store
	mu    sync.Mutex
	lower func(context.Context) error // nil: nothing stands in the way
	size  int64                       // UnzippedSize that the next Imports tell; 0: the real one
}

func (b *bent) set(lower func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lower = lower
}

func (b *bent) claim(size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size = size
}

func (b *bent) Lower(ctx context.Context, c lambda.Content) (*layerstore.Lower, error) {
	b.mu.Lock()
	lower := b.lower
	b.mu.Unlock()
	if lower != nil {
		if err := lower(ctx); err != nil {
			return nil, err
		}
	}
	return b.Store.Lower(ctx, c)
}

func (b *bent) Import(ctx context.Context, st *blob.Staged, lim layerstore.ImportLimits) (lambda.Content, error) {
	c, err := b.Store.Import(ctx, st, lim)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size != 0 {
		c.UnzippedSize = b.size
	}
	return c, err
}

// blocked is a lower that waits until its context ends.
func blocked(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// fixture is a service that runs.
type fixture struct {
	*control.Service
	t       *testing.T
	data    *data
	catalog *watched
	trees   *bent
	objects *objects.Service
}

func start(t *testing.T) *fixture { return startIn(t, t.TempDir()) }

func startIn(t *testing.T, dir string) *fixture {
	t.Helper()
	d, err := openData(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, data: d, catalog: &watched{Store: d.catalog, changed: make(chan struct{})}, trees: &bent{Store: d.trees}}
	f.objects = objects.New(objects.Options{Catalog: f.catalog, Blobs: d.blobs})
	f.Service = control.New(control.Options{Catalog: f.catalog, Store: f.trees, Blobs: d.blobs, Objects: f.objects, Now: time.Now})
	if err := f.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := d.staged(t); n != 0 {
			t.Errorf("%d staged zips were neither committed nor discarded", n)
		}
		f.stop()
	})
	return f
}

// stop ends everything; it may be called twice.
func (f *fixture) stop() {
	f.Stop()
	f.data.close()
}

func (f *fixture) zip(b []byte) *blob.Staged {
	f.t.Helper()
	st, err := f.StageZip(f.t.Context(), bytes.NewReader(b))
	if err != nil {
		f.t.Fatal(err)
	}
	return st
}

func layerKey(name lambda.LayerName) lambda.LayerKey { return lambda.LayerKey{Scope: here, Name: name} }

func layerARN(name lambda.LayerName, version int64) lambda.LayerVersionARN {
	return lambda.LayerVersionARN{LayerKey: layerKey(name), Version: version}
}

func ref(name string) lambda.FunctionRef {
	r, err := lambda.ParseFunctionRef(name, here)
	if err != nil {
		panic(err)
	}
	return r
}

// publish publishes a layer with one module that is named like the layer.
func (f *fixture) publish(name lambda.LayerName) catalog.LayerVersion {
	f.t.Helper()
	return f.publishZip(name, lambdatest.PythonLayer(string(name), "# of "+string(name)))
}

func (f *fixture) publishZip(name lambda.LayerName, zip []byte) catalog.LayerVersion {
	f.t.Helper()
	v, err := f.PublishLayerVersion(f.t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey(name), Zip: f.zip(zip)})
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// minimal is the request of CreateFunction with the least members.
func (f *fixture) minimal(name string, change ...func(*control.CreateFunctionInput)) control.CreateFunctionInput {
	f.t.Helper()
	in := control.CreateFunctionInput{
		Caller:  here,
		Ref:     ref(name),
		Config:  lambda.Configuration{Runtime: "python3.13", Handler: lambdatest.PythonHandler, Role: role},
		Package: control.Package{Zip: f.zip(lambdatest.EchoFunction())},
	}
	for _, c := range change {
		c(&in)
	}
	return in
}

// create makes a function and waits until it is Active.
func (f *fixture) create(name string, change ...func(*control.CreateFunctionInput)) catalog.Function {
	f.t.Helper()
	if _, err := f.CreateFunction(f.t.Context(), f.minimal(name, change...)); err != nil {
		f.t.Fatal(err)
	}
	return f.settled(name)
}

// settled waits until no change of a function is under way.
func (f *fixture) settled(name string) catalog.Function {
	f.t.Helper()
	for {
		changed := f.catalog.next()
		fn := f.get(name)
		if fn.State != lambda.StatePending && fn.UpdateStatus != lambda.UpdateInProgress {
			return fn
		}
		select {
		case <-changed:
		case <-f.t.Context().Done():
			f.t.Fatalf("%s stays %s, %s", name, fn.State, fn.UpdateStatus)
		}
	}
}

func (f *fixture) get(name string) catalog.Function {
	f.t.Helper()
	fn, err := f.GetFunction(f.t.Context(), here, ref(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return fn.Function
}

// read reads a stored zip whole.
func (f *fixture) read(c lambda.Content) []byte {
	f.t.Helper()
	r, err := f.OpenZip(f.t.Context(), c.Digest)
	if err != nil {
		f.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// wantError compares the kind and the caller's text.
func wantError(t *testing.T, err error, kind lambda.Kind, text string) {
	t.Helper()
	var e *lambda.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want kind %q with the text\n%s", err, kind, text)
	}
	if diff := cmp.Diff(text, e.Message); e.Kind != kind || diff != "" {
		t.Errorf("got kind %q, want %q; text (-want +got):\n%s", e.Kind, kind, diff)
	}
}

func wantSame[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func repeat[T any](n int, f func(i int) T) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = f(i)
	}
	return list
}

func numbered(format string) func(int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}
