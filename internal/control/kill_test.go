package control_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// workerFolder is the variable that makes this program a process to be killed, working in the data folder that it names.
const workerFolder = "LAMINA_TEST_WORKER"

// beWorker publishes, creates and updates until it is killed. It prints a line for each change that was acknowledged:
// "layer <version>", "create <name>", "update <name> <timeout>" or "delete <name>".
func beWorker(dir string) {
	ctx := context.Background()
	d, err := openData(ctx, dir)
	if err != nil {
		panic(err)
	}
	s := control.New(control.Options{Catalog: d.catalog, Store: d.trees, Blobs: d.blobs, Now: time.Now})
	if err := s.Start(ctx); err != nil {
		panic(err)
	}
	go func() {
		for i := 0; ; i++ {
			publishForever(ctx, s, i)
		}
	}()
	for {
		changeForever(ctx, s)
	}
}

func stage(ctx context.Context, s *control.Service, zip []byte) *blob.Staged {
	st, err := s.StageZip(ctx, bytes.NewReader(zip))
	if err != nil {
		panic(err)
	}
	return st
}

func publishForever(ctx context.Context, s *control.Service, i int) {
	zip := lambdatest.PythonLayer("m", fmt.Sprint(os.Getpid(), i))
	v, err := s.PublishLayerVersion(ctx, control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"), Zip: stage(ctx, s, zip)})
	if err != nil {
		panic(err)
	}
	fmt.Println("layer", v.ARN.Version)
}

func changeForever(ctx context.Context, s *control.Service) {
	name := fmt.Sprintf("f%d-%d", os.Getpid(), rand.IntN(1000))
	_, err := s.CreateFunction(ctx, control.CreateFunctionInput{
		Caller: here, Ref: ref(name), Config: lambda.Configuration{Runtime: "python3.13", Handler: "m.h", Role: role},
		Package: control.Package{Zip: stage(ctx, s, lambdatest.PythonFunction("# "+name))},
	})
	if lambda.IsKind(err, lambda.Conflict) {
		return // the name was used before
	}
	if err != nil {
		panic(err)
	}
	fmt.Println("create", name)
	for timeout := 4; timeout < 7; {
		_, err := s.UpdateFunctionConfiguration(ctx, configurationOf(name, func(in *control.UpdateFunctionConfigurationInput) { in.Timeout = &timeout }))
		if lambda.IsKind(err, lambda.Conflict) {
			continue // the change before is still under way
		}
		if err != nil {
			panic(err)
		}
		fmt.Println("update", name, timeout)
		timeout++
	}
	if rand.IntN(3) > 0 {
		return
	}
	fmt.Println("deleting", name)
	if err := s.DeleteFunction(ctx, here, ref(name)); err != nil {
		panic(err)
	}
	fmt.Println("delete", name)
}

// TestKill kills a process at work, five times in one data folder: what it acknowledged is there, nothing half-made is seen,
// and everything comes to its end.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	seen := &acknowledged{timeouts: map[string]int{}, unsure: map[string]bool{}}
	for round := range 5 {
		killAfter(t, dir, 5+rand.IntN(40), seen)
		f := startIn(t, dir)
		if n := f.data.staged(t); n != 0 {
			t.Errorf("round %d: %d staged zips are left", round, n)
		}
		seen.check(f)
		f.stop()
	}
}

// killAfter kills a worker after it has acknowledged some changes.
func killAfter(t *testing.T, dir string, changes int, seen *acknowledged) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), workerFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		seen.add(t, lines.Text())
		if n == changes {
			cmd.Process.Kill() // what is in the pipe was acknowledged too
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the worker was not killed: %v", err)
	}
}

// acknowledged is what workers have said.
type acknowledged struct {
	versions int64           // of the layer: that many were published
	timeouts map[string]int  // of functions that exist
	unsure   map[string]bool // functions whose deletion began
}

func (a *acknowledged) add(t *testing.T, line string) {
	t.Helper()
	var name string
	var n int
	switch verb, rest, _ := strings.Cut(line, " "); verb {
	case "layer":
		fmt.Sscan(rest, &a.versions)
	case "create":
		a.timeouts[rest] = lambda.DefaultTimeout
	case "update":
		fmt.Sscan(rest, &name, &n)
		a.timeouts[name] = n
	case "deleting":
		a.unsure[rest] = true
	case "delete":
		delete(a.timeouts, rest)
		delete(a.unsure, rest)
	default:
		t.Fatalf("the worker said %q", line)
	}
}

func (a *acknowledged) check(f *fixture) {
	f.t.Helper()
	for n := int64(1); n <= a.versions; n++ {
		v, err := f.GetLayerVersion(f.t.Context(), here, layerARN("libs", n))
		if err != nil {
			f.t.Fatalf("version %d was acknowledged: %v", n, err)
		}
		f.usable(v.Content)
	}
	for name, timeout := range a.timeouts {
		_, err := f.GetFunction(f.t.Context(), here, ref(name))
		if a.unsure[name] && lambda.IsKind(err, lambda.NotFound) {
			delete(a.timeouts, name)
			continue
		}
		fn := f.settled(name)
		// The change after the last one that was acknowledged may have happened too.
		if got := fn.Latest.Config.Timeout; got != timeout && got != timeout+1 {
			f.t.Errorf("%s: got timeout %d, acknowledged was %d", name, got, timeout)
		}
		a.timeouts[name] = fn.Latest.Config.Timeout
		if fn.State != lambda.StateActive || fn.UpdateStatus != lambda.UpdateSuccessful {
			f.t.Errorf("%s: got %s, %s", name, fn.State, fn.UpdateStatus)
		}
		f.usable(fn.Latest.Code)
	}
	clear(a.unsure)
}

// usable checks that a content's zip is whole and that its tree can be had.
func (f *fixture) usable(c lambda.Content) {
	f.t.Helper()
	if got := int64(len(f.read(c))); got != c.Size {
		f.t.Errorf("got a zip of %d bytes, want %d", got, c.Size)
	}
	lower, err := f.data.trees.Lower(f.t.Context(), c)
	if err != nil {
		f.t.Fatal(err)
	}
	lower.Release()
}
