package daemon_test

import (
	"go/ast"
	"go/token"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// stepping is a wall clock that a test sets: what an administrator or a time server does to the machine's. It does not go on by
// itself, and its times have no monotonic part, so whatever takes it for one is found.
type stepping struct{ nanoseconds atomic.Int64 }

func newStepping(at time.Time) *stepping {
	s := &stepping{}
	s.set(at)
	return s
}

func (s *stepping) set(at time.Time) { s.nanoseconds.Store(at.UnixNano()) }
func (s *stepping) now() time.Time   { return time.Unix(0, s.nanoseconds.Load()) }

// clocked is a server whose clock steps.
type clocked struct {
	t   *testing.T
	cfg config.Config
	c   *awslambda.Client
}

// publish wants the number that a version gets.
func (s *clocked) publish(want int64) (location string) {
	s.t.Helper()
	out, err := s.c.PublishLayerVersion(s.t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String("libs"),
		Content: &types.LayerVersionContentInput{ZipFile: lambdatest.PythonLayer("m", strings.Repeat("#", int(want)))}})
	if err != nil || out.Version != want {
		s.t.Fatalf("got %+v, %v, want version %d", out, err, want)
	}
	return *out.Content.Location
}

func (s *clocked) download(url string) int {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// update changes a function, and gives what it was changed to and when.
func (s *clocked) update(description string) (revision, modified string) {
	s.t.Helper()
	name := aws.String("f")
	if _, err := s.c.UpdateFunctionConfiguration(s.t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: name, Description: &description}); err != nil {
		s.t.Fatal(err)
	}
	s.settled()
	f, err := s.c.GetFunctionConfiguration(s.t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: name})
	if err != nil {
		s.t.Fatal(err)
	}
	return *f.RevisionId, *f.LastModified
}

func (s *clocked) settled() {
	s.t.Helper()
	waiter := awslambda.NewFunctionUpdatedV2Waiter(s.c, func(o *awslambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 10*time.Millisecond, 50*time.Millisecond
	})
	if err := waiter.Wait(s.t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute); err != nil {
		s.t.Fatal(err)
	}
}

// collect frees what is not needed; nothing is that was answered.
func (s *clocked) collect() {
	s.t.Helper()
	if _, err := daemon.Collect(s.t.Context(), s.cfg, daemon.CollectOptions{Age: time.Hour, Grace: time.Millisecond}); err != nil {
		s.t.Error(err)
	}
	if _, err := daemon.CheckData(s.t.Context(), s.cfg, func(f daemon.Finding) { s.t.Errorf("check: %+v", f) }); err != nil {
		s.t.Error(err)
	}
}

// TestTheClockSteps sets the clock back by a year, and two years ahead, and lets it stand, while a server runs and over a restart.
func TestTheClockSteps(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	clock := newStepping(at)
	defer daemon.SetClock(clock.now)()
	cfg := settings(t)
	r := start(t, cfg)
	s := &clocked{t: t, cfg: cfg, c: r.client(t)}
	_, err := s.c.CreateFunction(t.Context(), &awslambda.CreateFunctionInput{FunctionName: aws.String("f"), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("any"), Role: aws.String("arn:aws:iam::000000000000:role/r"), Code: &types.FunctionCode{ZipFile: lambdatest.EchoFunction()}})
	if err != nil {
		t.Fatal(err)
	}
	s.settled()
	first := s.publish(1)
	revision, _ := s.update("standing")
	seen := []string{revision}

	for i, now := range []time.Time{at.AddDate(-1, 0, 0), at.AddDate(1, 0, 0), at} {
		clock.set(now)
		location := s.publish(int64(i) + 2)
		if got := s.download(location); got != http.StatusOK {
			t.Errorf("at %v: the new link answers %d", now, got)
		}
		want := http.StatusOK
		if now.After(at) {
			want = http.StatusForbidden
		}
		if got := s.download(first); got != want {
			t.Errorf("at %v: the link of %v answers %d, want %d", now, at, got, want)
		}
		revision, modified := s.update(now.String())
		if slices.Contains(seen, revision) {
			t.Errorf("at %v: the revision id %s came twice", now, revision)
		}
		seen = append(seen, revision)
		if want := now.UTC().Format("2006-01-02T15:04:05.000+0000"); modified != want {
			t.Errorf("LastModified is %s, want %s", modified, want)
		}
		s.collect()
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	clock.set(at.AddDate(-3, 0, 0))
	r = start(t, cfg)
	s.c = r.client(t)
	s.collect()
	s.publish(5)
	list, err := s.c.ListLayerVersions(t.Context(), &awslambda.ListLayerVersionsInput{LayerName: aws.String("libs")})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, v := range list.LayerVersions {
		got = append(got, v.Version)
	}
	if diff := cmp.Diff([]int64{5, 4, 3, 2, 1}, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

// asks are calls of time.Now in packages that are handed a clock, with the reason that they may.
var asks = map[string]string{
	"control/settle.go":        "the monotonic clock: how long ago something was",
	"blob/s3blob/keys.go":      "the end of keys, which the store's clock decides",
	"blob/s3blob/staged.go":    "the monotonic clock: how long something took",
	"blob/s3blob/transport.go": "deadlines of connections",
}

// TestOneClock: what is kept, shown or signed has the time of the one clock.
func TestOneClock(t *testing.T) {
	for _, dir := range []string{"api", "auth", "blob", "catalog", "control", "database", "invoke", "layerstore", "logstream", "runtimeapi", "telemetry"} {
		failpointtest.Walk(t, filepath.Join("..", dir), func(set *token.FileSet, file *ast.File) {
			name := strings.TrimPrefix(filepath.ToSlash(set.File(file.Pos()).Name()), "../")
			if strings.Contains(name, "test/") || asks[name] != "" {
				return // serves tests
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Now" {
					t.Errorf("%s asks the machine for the time; it is handed a clock", set.Position(call.Pos()))
				}
				return true
			})
		})
	}
}
