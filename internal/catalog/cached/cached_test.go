package cached_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/cached"
	"github.com/laminadev/lamina/internal/catalog/catalogtest"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
)

var here = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}

func key(name lambda.FunctionName) lambda.FunctionKey {
	return lambda.FunctionKey{Scope: here, Name: name}
}

// TestSuite: a cache is a catalog.
func TestSuite(t *testing.T) {
	catalogtest.Run(t, func(t *testing.T) catalogtest.Place {
		url := database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db"))
		return func() catalog.Store { return cached.New(openSQL(t, url), 0) }
	})
}

func openSQL(t *testing.T, url string) catalog.Store {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sqlcatalog.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// memory is a catalog of functions in a map. Its own writes stand for those of other servers.
type memory struct {
	catalog.Store
	mu        sync.Mutex
	functions map[lambda.FunctionKey]catalog.Function
	sequence  int64
	reads     int
	gate      func(context.Context) error // called by each read, without the lock
}

func newMemory(names ...lambda.FunctionName) *memory {
	m := &memory{functions: map[lambda.FunctionKey]catalog.Function{}, gate: func(context.Context) error { return nil }}
	for _, name := range names {
		m.put(catalog.Function{Key: key(name)})
	}
	return m
}

func (m *memory) put(f catalog.Function) catalog.Function {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sequence++
	f.Sequence = m.sequence
	m.functions[f.Key] = f
	return f
}

func (m *memory) readCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.reads
}

func (m *memory) GetFunction(ctx context.Context, k lambda.FunctionKey) (catalog.Function, error) {
	m.mu.Lock()
	f, ok := m.functions[k]
	m.reads++
	m.mu.Unlock()
	if err := m.gate(ctx); err != nil {
		return catalog.Function{}, err
	}
	if !ok {
		return catalog.Function{}, lambda.Errorf(lambda.NotFound, "no function %s", k.ARN())
	}
	return f, nil
}

func (m *memory) UpdateFunction(_ context.Context, k lambda.FunctionKey, _ int64, change func(*catalog.Function) error) (catalog.Function, error) {
	m.mu.Lock()
	f := m.functions[k]
	m.mu.Unlock()
	if err := change(&f); err != nil {
		return catalog.Function{}, err
	}
	return m.put(f), nil
}

func (m *memory) UpdateReserved(ctx context.Context, k lambda.FunctionKey, change func(*catalog.Function, catalog.Shares) error) (catalog.Function, error) {
	return m.UpdateFunction(ctx, k, 0, func(f *catalog.Function) error { return change(f, catalog.Shares{}) })
}

func (m *memory) InsertLayerVersion(_ context.Context, v catalog.LayerVersion, _ int64) (catalog.LayerVersion, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sequence++
	return v, nil
}

func (m *memory) DeleteFunction(_ context.Context, k lambda.FunctionKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sequence++
	delete(m.functions, k)
	return nil
}

func (m *memory) Sequence(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sequence, nil
}

func (m *memory) Close() error { return nil }

func get(t *testing.T, c catalog.Store, name lambda.FunctionName) catalog.Function {
	t.Helper()
	f, err := c.GetFunction(t.Context(), key(name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func setState(s lambda.State) func(*catalog.Function) error {
	return func(f *catalog.Function) error {
		f.State = s
		return nil
	}
}

func TestReadsOnce(t *testing.T) {
	m := newMemory("f", "g")
	c := cached.New(m, 0)
	for range 3 {
		get(t, c, "f")
		get(t, c, "g")
	}
	if n := m.readCount(); n != 2 {
		t.Errorf("got %d reads, want 2", n)
	}
}

func TestOwnWritesAreSeen(t *testing.T) {
	m := newMemory("f", "g")
	c := cached.New(m, 0)
	get(t, c, "f")
	get(t, c, "g")
	if _, err := c.UpdateFunction(t.Context(), key("f"), 0, setState(lambda.StateActive)); err != nil {
		t.Fatal(err)
	}
	if f := get(t, c, "f"); f.State != lambda.StateActive {
		t.Errorf("after an update: got state %q", f.State)
	}
	get(t, c, "g")
	if n := m.readCount(); n != 3 {
		t.Errorf("got %d reads, want 3: an update of one function keeps the others", n)
	}
	if err := c.DeleteFunction(t.Context(), key("f")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.GetFunction(t.Context(), key("f")); !lambda.IsKind(err, lambda.NotFound) {
		t.Errorf("after a deletion: got %v", err)
	}
	m.put(catalog.Function{Key: key("f")})
	get(t, c, "f") // absence is not kept
}

// TestCreatedAgain: what is created in the place of a function that another server has deleted is seen at once.
func TestCreatedAgain(t *testing.T) {
	m := newMemory("f")
	c := cached.New(m, 0)
	get(t, c, "f")
	if err := m.DeleteFunction(t.Context(), key("f")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertFunction(t.Context(), catalog.Function{Key: key("f"), State: lambda.StatePending}, 0); err != nil {
		t.Fatal(err)
	}
	if f := get(t, c, "f"); f.State != lambda.StatePending {
		t.Errorf("got state %q", f.State)
	}
}

func (m *memory) Reserved(context.Context, lambda.Scope) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	var n int64
	for _, f := range m.functions {
		if f.Reserved != nil {
			n += int64(*f.Reserved)
		}
	}
	return n, nil
}

func TestReservedIsReadOnce(t *testing.T) {
	m := newMemory("f")
	c := cached.New(m, 0)
	want := func(n int64, reads int) {
		t.Helper()
		for range 3 {
			got, err := c.Reserved(t.Context(), here)
			if err != nil || got != n {
				t.Errorf("got %d, %v, want %d", got, err, n)
			}
		}
		if got := m.readCount(); got != reads {
			t.Errorf("got %d reads, want %d", got, reads)
		}
	}
	want(0, 1)
	reserve := func(f *catalog.Function) error { f.Reserved = new(5); return nil }
	if _, err := c.UpdateFunction(t.Context(), key("f"), 0, reserve); err != nil {
		t.Fatal(err)
	}
	want(5, 2)
	if _, err := c.UpdateFunction(t.Context(), key("f"), 0, setState(lambda.StateActive)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertFunction(t.Context(), catalog.Function{Key: key("g")}, 0); err != nil {
		t.Fatal(err)
	}
	want(5, 2) // nothing of that is a reservation
	if _, err := c.InsertFunction(t.Context(), catalog.Function{Key: key("h"), Reserved: new(2)}, 0); err != nil {
		t.Fatal(err)
	}
	want(7, 3)
	if _, err := c.UpdateReserved(t.Context(), key("h"), func(f *catalog.Function, _ catalog.Shares) error { f.Reserved = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	want(5, 4)
	if err := c.DeleteFunction(t.Context(), key("f")); err != nil {
		t.Fatal(err)
	}
	want(0, 5)
}

func TestOneReadForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("f")
		open := make(chan struct{})
		m.gate = func(context.Context) error { <-open; return nil }
		c := cached.New(m, 0)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() { get(t, c, "f") })
		}
		synctest.Wait() // all wait for the read
		close(open)
		wg.Wait()
		if n := m.readCount(); n != 1 {
			t.Errorf("got %d reads, want 1", n)
		}
	})
}

// TestReadDuringWrite: a reading that began before a write is neither kept nor given to those who ask after the write.
func TestReadDuringWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("f")
		open := make(chan struct{})
		var first atomic.Bool
		m.gate = func(context.Context) error {
			if first.CompareAndSwap(false, true) {
				<-open
			}
			return nil
		}
		c := cached.New(m, 0)
		var wg sync.WaitGroup
		wg.Go(func() { get(t, c, "f") })
		synctest.Wait() // the old function was read and is on its way
		if _, err := c.UpdateFunction(t.Context(), key("f"), 0, setState(lambda.StateActive)); err != nil {
			t.Fatal(err)
		}
		if f := get(t, c, "f"); f.State != lambda.StateActive {
			t.Errorf("while the old reading runs: got state %q", f.State)
		}
		close(open)
		wg.Wait()
		if f := get(t, c, "f"); f.State != lambda.StateActive {
			t.Errorf("after the old reading: got state %q", f.State)
		}
	})
}

// TestCallerGoesAway: who shares a reading with a caller that gives up gets an answer nevertheless.
func TestCallerGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("f")
		m.gate = func(ctx context.Context) error {
			if m.readCount() > 1 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		c := cached.New(m, 0)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.GetFunction(ctx, key("f")); !errors.Is(err, context.Canceled) {
				t.Errorf("the one who gave up got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { get(t, c, "f") })
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestFollowsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("f")
		c := cached.New(m, time.Second)
		defer c.Close()
		pass := func() {
			time.Sleep(1500 * time.Millisecond) // of the bubble's clock: the next poll and half an interval
			synctest.Wait()
		}
		pass()
		get(t, c, "f")
		m.put(catalog.Function{Key: key("f"), State: lambda.StateActive})
		if f := get(t, c, "f"); f.State != "" {
			t.Errorf("before the poll: got state %q, want it from memory", f.State)
		}
		pass()
		if f := get(t, c, "f"); f.State != lambda.StateActive {
			t.Errorf("after the poll: got state %q", f.State)
		}

		reads := m.readCount()
		if _, err := c.InsertLayerVersion(t.Context(), catalog.LayerVersion{}, 0); err != nil {
			t.Fatal(err)
		}
		pass()
		get(t, c, "f")
		if n := m.readCount(); n != reads {
			t.Errorf("an own write made the cache forget: %d reads, want %d", n, reads)
		}

		// An own write and one of another between two polls.
		if _, err := c.InsertLayerVersion(t.Context(), catalog.LayerVersion{}, 0); err != nil {
			t.Fatal(err)
		}
		m.put(catalog.Function{Key: key("f"), State: lambda.StateFailed})
		pass()
		if f := get(t, c, "f"); f.State != lambda.StateFailed {
			t.Errorf("after both: got state %q", f.State)
		}
	})
}

// TestChanged says that others have written, and says nothing of own writes.
func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory("f")
		c := cached.New(m, time.Second)
		defer c.Close()
		told := func() bool {
			time.Sleep(1500 * time.Millisecond) // of the bubble's clock
			synctest.Wait()
			select {
			case <-c.Changed():
				return true
			default:
				return false
			}
		}
		told() // what was before the first poll
		if _, err := c.UpdateFunction(t.Context(), key("f"), 0, setState(lambda.StateActive)); err != nil {
			t.Fatal(err)
		}
		if told() {
			t.Error("an own write was told")
		}
		m.put(catalog.Function{Key: key("f")})
		m.put(catalog.Function{Key: key("f")})
		if !told() {
			t.Error("writes of another were not told")
		}
		if told() {
			t.Error("they were told twice")
		}
	})
}
