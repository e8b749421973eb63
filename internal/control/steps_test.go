package control_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/layerstore"
)

// A step is one change of a data folder, from its opening to its closing. The steps follow each other; a test can enter
// before each of them, in a copy of the folder as it is then.
type step struct {
	name    string
	prepare func(dir string) error // what a crash left before it; nil: nothing
	run     func(ctx context.Context, s *opened) error
}

// opened is a data folder with a service at work.
type opened struct {
	*control.Service
	data    *data
	changes *watched
}

func openStep(ctx context.Context, dir string) (*opened, error) {
	d, err := openData(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &opened{data: d, changes: &watched{Store: d.catalog, changed: make(chan struct{})}}
	s.Service = control.New(control.Options{Catalog: s.changes, Store: d.trees, Blobs: d.blobs, Now: time.Now})
	if err := s.Start(context.WithoutCancel(ctx)); err != nil {
		d.close()
		return nil, err
	}
	return s, nil
}

func (s *opened) close() {
	s.Stop()
	s.data.close()
}

const stepFunction = "f"

var steps = []step{
	{name: "publish", run: publishStep(func() []byte { return stepLayer("own 1") })},
	{name: "publish with shared files", run: publishStep(func() []byte { return stepLayer("own 2") })},
	{name: "publish with files packed anew", run: publishStep(func() []byte { return stepLayer("own 3", "stored") })},
	{name: "publish again", run: publishStep(func() []byte { return stepLayer("own 1") })},
	{name: "publish what is stored", run: func(ctx context.Context, s *opened) error {
		v, err := s.GetLayerVersion(ctx, here, layerARN("libs", 1))
		if err != nil {
			return err
		}
		st, err := s.data.blobs.Stored(ctx, v.Content.Digest)
		if err != nil {
			return err
		}
		return publishZip(ctx, s, st)
	}},
	{name: "create", run: func(ctx context.Context, s *opened) error {
		zip, err := s.StageZip(ctx, strings.NewReader(string(lambdatest.EchoFunction())))
		if err != nil {
			return err
		}
		_, err = s.CreateFunction(ctx, control.CreateFunctionInput{
			Caller: here, Ref: ref(stepFunction), Package: control.Package{Zip: zip},
			Config: lambda.Configuration{Runtime: "python3.13", Handler: lambdatest.PythonHandler, Role: role}})
		return err
	}},
	{name: "update the code", run: func(ctx context.Context, s *opened) error {
		zip, err := s.StageZip(ctx, strings.NewReader(string(lambdatest.PythonFunction("def lambda_handler(event, context): return 2\n"))))
		if err != nil {
			return err
		}
		_, err = s.UpdateFunctionCode(ctx, control.UpdateFunctionCodeInput{Caller: here, Ref: ref(stepFunction), Package: control.Package{Zip: zip}})
		return err
	}},
	{name: "update the configuration", run: func(ctx context.Context, s *opened) error {
		timeout := 9
		in := configurationOf(stepFunction, func(in *control.UpdateFunctionConfigurationInput) { in.Timeout = &timeout })
		_, err := s.UpdateFunctionConfiguration(ctx, in)
		return err
	}},
	{name: "delete a layer version", run: func(ctx context.Context, s *opened) error {
		return s.DeleteLayerVersion(ctx, here, layerARN("libs", 2))
	}},
	{name: "collect", prepare: leaveScratch, run: func(ctx context.Context, s *opened) error {
		_, err := s.data.trees.Collect(ctx, layerstore.CollectOptions{Keep: s.data.contents, Age: -time.Hour})
		return err
	}},
	{name: "start after a crash", prepare: leaveHalfMade, run: func(ctx context.Context, s *opened) error { return nil }},
	{name: "delete the function", run: func(ctx context.Context, s *opened) error {
		return s.DeleteFunction(ctx, here, ref(stepFunction))
	}},
}

func publishStep(zip func() []byte) func(context.Context, *opened) error {
	return func(ctx context.Context, s *opened) error {
		st, err := s.StageZip(ctx, strings.NewReader(string(zip())))
		if err != nil {
			return err
		}
		return publishZip(ctx, s, st)
	}
}

func publishZip(ctx context.Context, s *opened, st *blob.Staged) error {
	_, err := s.PublishLayerVersion(ctx, control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"), Zip: st})
	return err
}

// stepLayer is a layer with one file that is its own, and others that are not: a small one, one that is written in pieces, a
// link and a directory.
func stepLayer(own string, stored ...string) []byte {
	large := strings.Repeat("0123456789abcdef", 20_000)
	store := len(stored) > 0
	return lambdatest.ZipOf(
		lambdatest.Entry{Name: "python/", Mode: fs.ModeDir | 0o755},
		lambdatest.Entry{Name: "python/own.py", Content: own, Mode: 0o644},
		lambdatest.Entry{Name: "python/common.py", Content: "common", Mode: 0o644, Store: store},
		lambdatest.Entry{Name: "python/large", Content: large, Mode: 0o644, Store: store},
		lambdatest.Entry{Name: "python/link", Content: "own.py", Mode: fs.ModeSymlink | 0o777},
		lambdatest.Entry{Name: "python/empty", Mode: 0o644})
}

// leaveScratch leaves what is being written when a process is killed.
func leaveScratch(dir string) error {
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "layers", "memo", ".new-1"), []byte("{"), 0o600),
		os.WriteFile(filepath.Join(dir, "layers", "files", here.Account, ".new-1"), nil, 0o600))
}

// leaveHalfMade leaves a tree without its marker, one without its name, and a zip that nobody committed.
func leaveHalfMade(dir string) error {
	trees, err := filepath.Glob(filepath.Join(dir, "layers", "trees", "*", "complete"))
	if err != nil || len(trees) == 0 {
		return fmt.Errorf("no tree has a marker (%v)", err)
	}
	return errors.Join(
		os.Remove(trees[0]),
		os.MkdirAll(filepath.Join(dir, "layers", "tmp", "half", "root", "python"), 0o755),
		os.WriteFile(filepath.Join(dir, "blobs", "staging", "half"), []byte("PK"), 0o600))
}

// contents gives what every record needs.
func (d *data) contents(ctx context.Context) ([]lambda.Content, error) {
	return d.catalog.(interface {
		Contents(context.Context) ([]lambda.Content, error)
	}).Contents(ctx)
}

// settle waits until no function's change is under way.
func (s *opened) settle(ctx context.Context) error {
	for {
		changed := s.changes.next()
		f, err := s.data.catalog.GetFunction(ctx, lambda.FunctionKey{Scope: here, Name: stepFunction})
		if lambda.IsKind(err, lambda.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if f.State == lambda.StateFailed || f.UpdateStatus == lambda.UpdateFailed {
			return fmt.Errorf("the function has failed: %s%s", f.StateReason.Text, f.UpdateReason.Text)
		}
		if f.State != lambda.StatePending && f.UpdateStatus != lambda.UpdateInProgress {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// state is what a caller sees of a data folder.
type state struct {
	Versions map[int64]string // of the layer, to digests
	Function string           // its code and its timeout; "" when there is none
}

// state reads everything that a caller sees, and wants all of it usable.
func (s *opened) state(ctx context.Context) (state, error) {
	st := state{Versions: map[int64]string{}}
	page, err := s.ListLayerVersions(ctx, control.ListLayerVersionsInput{Caller: here, Layer: layerKey("libs")})
	if err != nil {
		return st, err
	}
	for _, v := range page.Versions {
		st.Versions[v.ARN.Version] = v.Content.Digest.String()
		if err := s.readable(ctx, v.Content); err != nil {
			return st, fmt.Errorf("version %d: %w", v.ARN.Version, err)
		}
	}
	f, err := s.GetFunction(ctx, here, ref(stepFunction))
	if lambda.IsKind(err, lambda.NotFound) {
		return st, nil
	}
	if err != nil {
		return st, err
	}
	st.Function = functionText(f.Function)
	return st, s.readable(ctx, f.Latest.Code)
}

func functionText(f catalog.Function) string {
	return fmt.Sprintf("%s, timeout %d", f.Latest.Code.Digest, f.Latest.Config.Timeout)
}

func (s *opened) readable(ctx context.Context, c lambda.Content) error {
	r, err := s.OpenZip(ctx, c.Digest)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, r.Size()))
	if err == nil && n != c.Size {
		err = fmt.Errorf("its zip has %d bytes, want %d", n, c.Size)
	}
	return err
}

// mountable wants that every tree can be had.
func (s *opened) mountable(ctx context.Context) error {
	contents, err := s.data.contents(ctx)
	if err != nil {
		return err
	}
	for _, c := range contents {
		lower, err := s.data.trees.Lower(ctx, c)
		if err != nil {
			return fmt.Errorf("a tree cannot be had: %w", err)
		}
		lower.Release()
	}
	return nil
}

// whole wants that a check finds nothing, and that nothing is left that nobody owns.
func (s *opened) whole(t *testing.T) {
	t.Helper()
	contents, err := s.data.contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.data.trees.Check(t.Context(), contents, func(f layerstore.Finding) {
		t.Errorf("check: %s %s: %s", f.Kind, f.What, f.Text)
	}); err != nil {
		t.Errorf("check: %v", err)
	}
	if n := s.data.staged(t); n != 0 {
		t.Errorf("%d staged zips are left", n)
	}
}

// runStep opens a folder, makes a step's change, and closes it. done is called when the change was acknowledged.
func runStep(ctx context.Context, n int, dir string, done func()) error {
	s, err := openStep(ctx, dir)
	if err != nil {
		return err
	}
	defer s.close()
	if err := steps[n].run(ctx, s); err != nil {
		return err
	}
	done()
	if err := s.settle(ctx); err != nil {
		return err
	}
	return s.mountable(ctx)
}

// snapshots gives a folder as it is before each step, and after the last one.
func snapshots(t *testing.T) []string {
	t.Helper()
	base := t.TempDir()
	dir := filepath.Join(base, "work")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	all := make([]string, len(steps)+1)
	for n := range all {
		if n < len(steps) && steps[n].prepare != nil {
			if err := steps[n].prepare(dir); err != nil {
				t.Fatal(err)
			}
		}
		all[n] = filepath.Join(base, fmt.Sprint(n))
		copyFolder(t, dir, all[n])
		if n < len(steps) {
			if err := runStep(t.Context(), n, dir, func() {}); err != nil {
				t.Fatalf("%s: %v", steps[n].name, err)
			}
		}
	}
	return all
}

// copyFolder copies links as links.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
}

// distinct gives each of the names once, in the order in which they come first.
func distinct(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}
