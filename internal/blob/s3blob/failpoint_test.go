package s3blob_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
)

// Contents of blobs: one is there before each step, and the other one comes with some.
const (
	kept    = "a blob that was there"
	another = "a blob that comes"
)

// step is a change of the store.
type step struct {
	run  func(ctx context.Context, d *s3blob.Driver) error
	want func(there map[string]bool) bool // after it, of the contents that can be read
}

var steps = map[string]step{
	"commit": {commit(another), has(kept, another)},
	"commit with named files": {func(ctx context.Context, d *s3blob.Driver) error {
		defer s3blob.SetUnnamedFiles(false)()
		return commit(another)(ctx, d)
	}, has(kept, another)},
	"commit again": {commit(kept), has(kept)},
	"renew": {func(ctx context.Context, d *s3blob.Driver) error {
		return d.Renew(ctx, digest.Of([]byte(kept)))
	}, has(kept)},
	"read": {func(ctx context.Context, d *s3blob.Driver) error {
		got, err := get(ctx, blob.New(d), digest.Of([]byte(kept)))
		if err == nil && got != kept {
			err = fmt.Errorf("got %q", got)
		}
		return err
	}, has(kept)},
	"delete": {func(ctx context.Context, d *s3blob.Driver) error {
		return d.Delete(ctx, digest.Of([]byte(kept)))
	}, has()},
	"delete what is old": {func(ctx context.Context, d *s3blob.Driver) error {
		_, err := d.DeleteBefore(ctx, digest.Of([]byte(kept)), time.Now().Add(time.Hour))
		return err
	}, has()},
	"claim": {func(ctx context.Context, d *s3blob.Driver) error {
		owner, err := d.Claim(ctx, "us")
		if err == nil && owner != "us" {
			err = fmt.Errorf("the owner is %q", owner)
		}
		return err
	}, has(kept)},
	"probe": {func(ctx context.Context, d *s3blob.Driver) error { return d.Probe(ctx) }, has(kept)},
}

func commit(content string) func(context.Context, *s3blob.Driver) error {
	return func(ctx context.Context, d *s3blob.Driver) error {
		st, err := blob.New(d).Stage(ctx, strings.NewReader(content))
		if err != nil {
			return err
		}
		return errors.Join(st.Commit(ctx), st.Discard())
	}
}

func has(contents ...string) func(map[string]bool) bool {
	return func(there map[string]bool) bool {
		for _, c := range contents {
			if !there[c] {
				return false
			}
		}
		return len(there) == len(contents)
	}
}

// carryOut opens the store and does a step.
func carryOut(ctx context.Context, o s3blob.Options, name string) error {
	d, err := s3blob.Open(ctx, o)
	if err != nil {
		return err
	}
	return errors.Join(steps[name].run(ctx, d), d.Close())
}

// carryOutAsTold has the step and the options as texts.
func carryOutAsTold(args []string) error {
	var o s3blob.Options
	if err := json.Unmarshal([]byte(args[1]), &o); err != nil {
		return err
	}
	return carryOut(context.Background(), o, args[0])
}

// prepared gives a store with one blob, and a folder in which a killed process has left a file.
func prepared(t *testing.T) s3blob.Options {
	t.Helper()
	o := options(t, s3test.Start(t))
	if err := commit(kept)(t.Context(), open(t, o)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Scratch, ".blob-left"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// visit is a step at one of its points.
type visit struct{ step, point string }

// visits gives the points of all steps, and wants that there are no others.
func visits(t *testing.T) []visit {
	t.Helper()
	var all []visit
	seen := map[string]bool{}
	for name := range steps {
		o := prepared(t)
		stop := failpoint.Record()
		err := carryOut(t.Context(), o, name)
		hits := stop()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, hit := range hits {
			if v := (visit{name, hit}); !slices.Contains(all, v) {
				all = append(all, v)
				seen[hit] = true
			}
		}
	}
	for _, p := range failpointtest.Points(t, ".") {
		if !seen[p.Name] {
			t.Errorf("%s: no step comes to the fail point %s", p.Place, p.Name)
		}
	}
	return all
}

func (v visit) String() string { return strings.ReplaceAll(v.step, " ", "-") + "/" + v.point }

// TestStopAtEachFailPoint stops a process at each place where it changes the store or this machine's files. Whatever is listed
// is whole, what was there is there, unless it was being deleted, and the same request succeeds and leaves no file.
func TestStopAtEachFailPoint(t *testing.T) {
	for _, v := range visits(t) {
		t.Run(v.String(), func(t *testing.T) {
			o := prepared(t)
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			failpointtest.Stop(t, v.point, 0, v.step, string(text))
			wantWhole(t, o, v.step)
			wantAgain(t, o, v.step)
		})
	}
}

// TestEachFailPointFails lets each of them fail: the error says why, or it was no loss.
func TestEachFailPointFails(t *testing.T) {
	faults := []error{unix.ENOSPC, unix.EIO, unix.EROFS, unix.EMFILE}
	for i, v := range visits(t) {
		fault := faults[i%len(faults)]
		t.Run(v.String(), func(t *testing.T) {
			o := prepared(t)
			disarm := failpoint.Arm(failpoint.Fault{Point: v.point, Err: fault})
			defer disarm()
			err := carryOut(t.Context(), o, v.step)
			disarm()
			var said *s3blob.Error
			if err != nil && (!errors.Is(err, fault) || !strings.Contains(err.Error(), fault.Error()) || errors.As(err, &said) && said.Todo != "") {
				t.Errorf("got %v, want one that says %q and blames nobody else", err, fault)
			}
			there := wantWhole(t, o, v.step)
			if err == nil && !steps[v.step].want(there) {
				t.Errorf("it gave no error, and there is %v", there)
			}
			wantAgain(t, o, v.step)
		})
	}
}

// wantWhole reads everything that is listed, and gives it.
func wantWhole(t *testing.T, o s3blob.Options, step string) (there map[string]bool) {
	t.Helper()
	there = map[string]bool{}
	s := blob.New(open(t, o))
	err := s.List(t.Context(), func(i blob.Info) error {
		content, err := get(t.Context(), s, i.Digest)
		if err == nil && digest.Of([]byte(content)) != i.Digest {
			err = errors.New("it has other bytes")
		}
		there[content] = true
		return err
	})
	if err != nil {
		t.Errorf("a blob that is listed: %v", err)
	}
	if !there[kept] && !strings.HasPrefix(step, "delete") {
		t.Error("the blob that was there is gone")
	}
	return there
}

// wantAgain does a step to its end.
func wantAgain(t *testing.T, o s3blob.Options, step string) {
	t.Helper()
	if err := carryOut(t.Context(), o, step); err != nil {
		t.Fatalf("the same again: %v", err)
	}
	if there := wantWhole(t, o, step); !steps[step].want(there) {
		t.Errorf("after the same again there is %v", there)
	}
	if left, err := os.ReadDir(o.Scratch); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
