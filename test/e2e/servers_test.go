package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/database/pgtest"
)

// servers are several servers over one database and one S3 store.
type servers struct {
	e     *env
	store *s3test.Store
	flags []string
	serve []string // flags of serve alone
}

func newServers(t *testing.T) *servers {
	t.Helper()
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	t.Parallel()
	s := &servers{e: environment(t), store: s3test.Run(t)}
	s.flags = []string{"--database", pgtest.URL(t), "--blob", s.store.Blob("servers")}
	s.serve = []string{"--prepared", "0", "--spares", "0"} // so that what runs is what was invoked
	return s
}

// start starts a server with a data folder of its own, which ends with the test.
func (s *servers) start(t *testing.T) *server {
	t.Helper()
	return s.startIn(t, t.TempDir())
}

func (s *servers) startIn(t *testing.T, dir string) *server {
	t.Helper()
	environ := append(os.Environ(), s3test.Environ(dir)...)
	srv, err := startServer(s.e.lamina, filepath.Join(dir, "server.log"), environ,
		slices.Concat([]string{"--data", filepath.Join(dir, "data")}, s.flags, s.serve)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-srv.done: // it was killed
		default:
			if err := srv.stop(); err != nil {
				t.Error(err)
			}
		}
		if t.Failed() {
			t.Logf("the log of %s:\n%s", srv.url, tail(srv.output(), 4000))
		}
	})
	return srv
}

// data is the data folder of a server.
func data(s *server) string { return filepath.Join(filepath.Dir(s.log), "data") }

// soon waits until f gives no error. Servers see each other's changes within a second; the machine may be busy.
func soon(t *testing.T, what string, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func (s *servers) create(t *testing.T, c *awslambda.Client, name, code string, layers ...string) {
	t.Helper()
	_, err := c.CreateFunction(t.Context(), &awslambda.CreateFunctionInput{FunctionName: &name, Runtime: types.Runtime(s.e.python.runtime),
		Handler: aws.String("app.handler"), Role: aws.String("arn:aws:iam::000000000000:role/any"), Timeout: aws.Int32(30), Layers: layers,
		Code: &types.FunctionCode{ZipFile: zipOf("app.py", []byte(code))}})
	if err != nil {
		t.Fatal(err)
	}
}

// settled waits until a function is Active and no update is running, as one server sees it.
func settledOn(t *testing.T, c *awslambda.Client, name string) {
	t.Helper()
	soon(t, name+" does not settle", func() error {
		f, err := c.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err == nil && (f.State != types.StateActive || f.LastUpdateStatus != types.LastUpdateStatusSuccessful) {
			err = fmt.Errorf("it is %s, %s", f.State, f.LastUpdateStatus)
		}
		return err
	})
}

func invoke(ctx context.Context, c *awslambda.Client, name, payload string) (string, error) {
	out, err := c.Invoke(ctx, &awslambda.InvokeInput{FunctionName: &name, Payload: []byte(payload)})
	if err != nil {
		return "", err
	}
	if out.FunctionError != nil {
		return "", fmt.Errorf("%s: %s", *out.FunctionError, out.Payload)
	}
	return string(out.Payload), nil
}

// answers wants that a function answers on a server, soon.
func answers(t *testing.T, c *awslambda.Client, name, want string) {
	t.Helper()
	soon(t, name+" does not answer "+want, func() error {
		got, err := invoke(t.Context(), c, name, "null")
		if err == nil && got != want {
			err = fmt.Errorf("it answers %s", got)
		}
		return err
	})
}

// TestTwoServers changes things on one server and uses them on the other.
func TestTwoServers(t *testing.T) {
	s := newServers(t)
	a, b := s.start(t), s.start(t)
	onA, onB := client(a.url), client(b.url)

	// A function that was made on A runs on B.
	layer, err := onA.PublishLayerVersion(t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String("libs"),
		Content: &types.LayerVersionContentInput{ZipFile: zipOf("python/libs.py", []byte("GREETING = 'hello'\n"))}})
	if err != nil {
		t.Fatal(err)
	}
	s.create(t, onA, "f", "import os, libs\ndef handler(event, context): return libs.GREETING + os.environ.get('NUMBER', '')\n", *layer.LayerVersionArn)
	settledOn(t, onA, "f")
	answers(t, onB, "f", `"hello"`)

	// A change on A reaches B, and ends there what runs the earlier revision.
	seen := []string{`"hello"`}
	for _, n := range []string{"1", "2", "3"} {
		if _, err := onA.UpdateFunctionConfiguration(t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"),
			Environment: &types.Environment{Variables: map[string]string{"NUMBER": n}}}); err != nil {
			t.Fatal(err)
		}
		settledOn(t, onA, "f")
		want := `"hello` + n + `"`
		soon(t, "B does not see the update", func() error {
			got, err := invoke(t.Context(), onB, "f", "null")
			if err == nil && got != want {
				if got != seen[len(seen)-1] {
					t.Errorf("B goes back to %s", got)
				}
				err = fmt.Errorf("it answers %s", got)
			}
			return err
		})
		seen = append(seen, want)
	}
	soon(t, "environments of earlier revisions stay on B", func() error { return pythons(b, 1) })

	// A change that B is not asked for reaches it as well.
	if _, err := onA.UpdateFunctionConfiguration(t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"),
		Description: aws.String("another")}); err != nil {
		t.Fatal(err)
	}
	soon(t, "the environment of the earlier revision stays on B", func() error { return pythons(b, 0) })
	settledOn(t, onA, "f")

	// A version and an alias.
	v, err := onA.PublishVersion(t.Context(), &awslambda.PublishVersionInput{FunctionName: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := onA.CreateAlias(t.Context(), &awslambda.CreateAliasInput{FunctionName: aws.String("f"), Name: aws.String("live"), FunctionVersion: v.Version}); err != nil {
		t.Fatal(err)
	}
	soon(t, "B does not know the alias", func() error {
		out, err := onB.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
		if err == nil && (string(out.Payload) != `"hello3"` || *out.ExecutedVersion != *v.Version) {
			err = fmt.Errorf("version %s answers %s", *out.ExecutedVersion, out.Payload)
		}
		return err
	})

	checkLocation(t, onA, b)
	s.checkKeys(t, onA, onB)
	s.checkTools(t, a, onA)

	// What is deleted on A is gone on B.
	if _, err := onA.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	soon(t, "an environment of a deleted function stays on B", func() error { return pythons(b, 1) }) // that of another one
	soon(t, "B still has the function", func() error {
		_, err := invoke(t.Context(), onB, "f", "null")
		var gone *types.ResourceNotFoundException
		if errors.As(err, &gone) {
			return nil
		}
		return fmt.Errorf("invoked: %w", err)
	})
}

// pythons wants that so many interpreters run below a server.
func pythons(s *server, want int) error {
	parents, names := map[int]int{}, map[int]string{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		b, _ := os.ReadFile(file) // it may have ended
		var pid, parent int
		var state string
		before, rest, _ := strings.Cut(string(b), ") ")
		number, name, _ := strings.Cut(before, " (")
		fmt.Sscan(number, &pid)
		fmt.Sscan(rest, &state, &parent)
		parents[pid], names[pid] = parent, name
	}
	n := 0
	for pid, name := range names {
		at := pid
		for at > 1 && at != s.cmd.Process.Pid {
			at = parents[at]
		}
		if at > 1 && strings.HasPrefix(name, "python") {
			n++
		}
	}
	if err == nil && n != want {
		err = fmt.Errorf("%d interpreters run, want %d", n, want)
	}
	return err
}

// checkLocation fetches a zip from B by a link that A has signed.
func checkLocation(t *testing.T, onA *awslambda.Client, b *server) {
	t.Helper()
	v, err := onA.GetLayerVersion(t.Context(), &awslambda.GetLayerVersionInput{LayerName: aws.String("libs"), VersionNumber: aws.Int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(*v.Content.Location, "http://"), "/")
	res, err := http.Get(b.url + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	zip, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || int64(len(zip)) != v.Content.CodeSize {
		t.Errorf("B answers a link of A's with status %d and %d bytes, %v", res.StatusCode, len(zip), err)
	}
}

// checkKeys lets a function on B call the API with the keys that one on A has.
func (s *servers) checkKeys(t *testing.T, onA, onB *awslambda.Client) {
	t.Helper()
	s.create(t, onA, "keys", signedCall)
	settledOn(t, onA, "keys")
	keys, err := invoke(t.Context(), onA, "keys", `null`)
	if err != nil {
		t.Fatal(err)
	}
	soon(t, "B does not take keys of A's", func() error {
		got, err := invoke(t.Context(), onB, "keys", keys)
		if err == nil && got != "200" {
			err = fmt.Errorf("it answers %s", got)
		}
		return err
	})
	var broken map[string]string
	if err := json.Unmarshal([]byte(keys), &broken); err != nil {
		t.Fatal(err)
	}
	broken["AWS_SECRET_ACCESS_KEY"] += "x"
	text, _ := json.Marshal(broken)
	if got, err := invoke(t.Context(), onB, "keys", string(text)); err != nil || got != "403" {
		t.Errorf("B answers a wrong key with %s, %v", got, err)
	}
}

// signedCall gives its keys, or lists functions with the keys that it is given and gives the status.
const signedCall = `
import datetime, hashlib, hmac, os, urllib.error, urllib.parse, urllib.request

def sign(key, text): return hmac.new(key, text.encode(), hashlib.sha256).digest()

def handler(event, context):
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    if not event:
        return {n: os.environ[n] for n in names}
    key, secret, token = (event[n] for n in names)
    path = "/2015-03-31/functions"
    url = os.environ["AWS_ENDPOINT_URL"] + path
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, scope = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d") + "/us-east-1/lambda/aws4_request"
    headers = {"host": urllib.parse.urlsplit(url).netloc, "x-amz-date": stamp, "x-amz-security-token": token}
    canonical = "\n".join(["GET", path, "", *(f"{k}:{v}" for k, v in headers.items()), "", ";".join(headers), hashlib.sha256(b"").hexdigest()])
    seed = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        seed = sign(seed, part)
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={';'.join(headers)}, Signature={sign(seed, text).hex()}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as e:
        return e.code
`

// checkTools frees, on A's machine, what a deleted layer version has left, while both servers run, and checks what is left.
func (s *servers) checkTools(t *testing.T, a *server, onA *awslambda.Client) {
	t.Helper()
	if _, err := onA.PublishLayerVersion(t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String("unused"),
		Content: &types.LayerVersionContentInput{ZipFile: zipOf("unused", []byte("unused"))}}); err != nil {
		t.Fatal(err)
	}
	if _, err := onA.DeleteLayerVersion(t.Context(), &awslambda.DeleteLayerVersionInput{LayerName: aws.String("unused"), VersionNumber: aws.Int64(1)}); err != nil {
		t.Fatal(err)
	}
	if out, err := s.tool(a, "gc", "--age", "0s", "--grace", "0s"); err != nil || !strings.Contains(out, "zips 1,") {
		t.Errorf("gc: %v, %s", err, out)
	}
	if out, err := s.tool(a, "check"); err != nil || !strings.Contains(out, "all is well") {
		t.Errorf("check: %v, %s", err, out)
	}
	out, err := s.tool(a, "backup", filepath.Join(t.TempDir(), "backup.tar"))
	if err == nil || !strings.Contains(out, "pg_dump") || !strings.Contains(out, "the bucket "+s.store.Bucket) {
		t.Errorf("backup: %v, %s", err, out)
	}
}

// tool runs a command of lamina's on the machine of a server.
func (s *servers) tool(on *server, command ...string) (string, error) {
	cmd := exec.Command(s.e.lamina, append(append(command, "--data", data(on)), s.flags...)...)
	cmd.Env = append(os.Environ(), s3test.Environ(filepath.Dir(on.log))...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestNumbersOfTwoServers publishes on both at once: every number is given once, and none is left out.
func TestNumbersOfTwoServers(t *testing.T) {
	s := newServers(t)
	clients := []*awslambda.Client{client(s.start(t).url), client(s.start(t).url)}
	const workers, each = 8, 6
	var mu sync.Mutex
	given := map[int64]string{}
	var g sync.WaitGroup
	for w := range workers {
		g.Go(func() {
			for i := range each {
				what := fmt.Sprintf("%d/%d", w, i%3) // half of them are zips that were published before
				out, err := clients[w%2].PublishLayerVersion(t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String("libs"),
					Description: &what, Content: &types.LayerVersionContentInput{ZipFile: zipOf("data", []byte(what))}})
				if err != nil {
					t.Errorf("worker %d: %v", w, err)
					return
				}
				mu.Lock()
				if other, twice := given[out.Version]; twice {
					t.Errorf("number %d was given to %s and to %s", out.Version, other, what)
				}
				given[out.Version] = what
				mu.Unlock()
			}
		})
	}
	g.Wait()
	want := map[int64]string{}
	for n := range int64(workers * each) {
		want[n+1] = given[n+1]
	}
	if !maps.Equal(given, want) || slices.Contains(slices.Collect(maps.Values(want)), "") {
		t.Errorf("the numbers are not 1 to %d: %v", workers*each, given)
	}
	for i, c := range clients {
		listed := map[int64]string{}
		pages := awslambda.NewListLayerVersionsPaginator(c, &awslambda.ListLayerVersionsInput{LayerName: aws.String("libs")})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.LayerVersions {
				listed[v.Version] = *v.Description
			}
		}
		if !maps.Equal(listed, given) {
			t.Errorf("server %d lists %v, and %v were given", i, listed, given)
		}
	}
}

// TestCollectionsBesideTwoServers publishes, reads and deletes the same few zips on both servers, over and over, while what nothing
// needs is freed from both machines: nobody ever misses a byte of what he was told is there.
func TestCollectionsBesideTwoServers(t *testing.T) {
	s := newServers(t)
	running := []*server{s.start(t), s.start(t)}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var rounds atomic.Int64
	var changing sync.WaitGroup
	for w := range 4 {
		changing.Go(func() {
			here, there := client(running[w%2].url), client(running[1-w%2].url)
			for i := 0; ctx.Err() == nil; i++ {
				if err := comeAndGo(ctx, here, there, fmt.Sprintf("layer-%d", w), zipOf("data", []byte(contents(w, i)))); err != nil && ctx.Err() == nil {
					t.Errorf("worker %d: %v", w, err)
					return
				}
				rounds.Add(1)
			}
		})
	}
	soon(t, "nothing comes and goes", func() error {
		if n := rounds.Load(); n < 40 {
			return fmt.Errorf("%d rounds", n)
		}
		return nil
	})
	var freed atomic.Int64
	var collecting sync.WaitGroup
	for i, machine := range running {
		collecting.Go(func() {
			for range 2 {
				// The grace is what a publication may take from its zip to its record.
				out, err := s.tool(machine, "gc", "--age", "0s", "--grace", "5s", "--format", "json")
				var done struct{ Zips int64 }
				if err != nil || json.Unmarshal([]byte(out), &done) != nil {
					t.Errorf("gc on machine %d: %v, %s", i, err, out)
				}
				freed.Add(done.Zips)
			}
		})
	}
	collecting.Wait()
	cancel()
	changing.Wait()
	if out, err := s.tool(running[0], "check"); err != nil {
		t.Errorf("check: %v, %s", err, out)
	}
	if freed.Load() == 0 {
		t.Error("nothing was freed")
	}
	t.Logf("%d rounds; %d zips were freed", rounds.Load(), freed.Load())
}

// contents names a zip: every other one comes again at once, and from all workers, others after a while, perhaps when they were
// freed, and some never.
func contents(worker, i int) string {
	switch i % 4 {
	case 0, 2:
		return fmt.Sprint(i / 2 % 3)
	case 1:
		return fmt.Sprintf("%d/%d", worker, i%400)
	}
	return fmt.Sprintf("%d/%d once", worker, i)
}

// comeAndGo publishes a zip on one server, fetches it from another one, and deletes the version.
func comeAndGo(ctx context.Context, here, there *awslambda.Client, layer string, zip []byte) error {
	v, err := here.PublishLayerVersion(ctx, &awslambda.PublishLayerVersionInput{LayerName: &layer, Content: &types.LayerVersionContentInput{ZipFile: zip}})
	if err != nil {
		return err
	}
	got, err := there.GetLayerVersion(ctx, &awslambda.GetLayerVersionInput{LayerName: &layer, VersionNumber: &v.Version})
	if err != nil {
		return err
	}
	res, err := http.Get(*got.Content.Location)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(b, zip) {
		return fmt.Errorf("status %d, %d bytes of %d, %w", res.StatusCode, len(b), len(zip), err)
	}
	_, err = here.DeleteLayerVersion(ctx, &awslambda.DeleteLayerVersionInput{LayerName: &layer, VersionNumber: &v.Version})
	return err
}

// TestOneOfTwoServersDies kills a server with changes in flight, and one that is preparing a function: the other one goes on,
// has everything that was answered, and ends what the dead one began.
func TestOneOfTwoServersDies(t *testing.T) {
	s := newServers(t)
	dies, lives := s.start(t), s.start(t)
	onDies, onLives := client(dies.url), client(lives.url)

	// A layer that only the living server has unpacked; the other one does not get it from the store before it dies.
	layer, err := onLives.PublishLayerVersion(t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String("slow"),
		Content: &types.LayerVersionContentInput{ZipFile: zipOf("python/slow.py", []byte("X = 'taken over'\n"))}})
	if err != nil {
		t.Fatal(err)
	}
	if !s3test.InMemory() {
		t.Skip("a real store does not hold requests back: " + s3test.Variable + " is set")
	}
	dead := make(chan struct{})
	s.store.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/sha256/") {
			return false
		}
		select {
		case <-dead:
		case <-r.Context().Done():
		}
		return false
	})
	s.create(t, onDies, "f", "import slow\ndef handler(event, context): return slow.X\n", *layer.LayerVersionArn)

	known := newKnowledge()
	ctx, cancel := context.WithCancel(t.Context())
	var published atomic.Int64
	var changing sync.WaitGroup
	for worker, c := range []*awslambda.Client{onDies, onLives, onDies, onLives} {
		changing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				err := known.publish(ctx, c, fmt.Sprintf("%d/%d", worker, i), rand.New(rand.NewPCG(uint64(worker), uint64(i))))
				var answered smithy.APIError
				switch {
				case err == nil:
					published.Add(1)
				case c == onDies && !errors.As(err, &answered):
					return // it is dead
				case ctx.Err() == nil:
					t.Errorf("a worker of the %s server: %v", []string{"dying", "living"}[worker%2], err)
					return
				}
			}
		})
	}
	soon(t, "nothing is published", func() error {
		if n := published.Load(); n < 20 {
			return fmt.Errorf("%d versions", n)
		}
		return nil
	})
	f, err := onLives.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || f.State != types.StatePending {
		t.Errorf("before the death the function is %v, %v", f, err)
	}
	dies.kill()
	close(dead)
	at := published.Load()
	soon(t, "the living server does not go on", func() error {
		if n := published.Load(); n < at+10 {
			return fmt.Errorf("%d versions, and %d at the death", n, at)
		}
		return nil
	})
	cancel()
	changing.Wait()
	settledOn(t, onLives, "f")
	answers(t, onLives, "f", `"taken over"`)
	known.checkLayers(t, t.Context(), onLives)
	if out, err := s.tool(lives, "check"); err != nil {
		t.Errorf("check: %v, %s", err, out)
	}

	// A new server, with an empty data folder, takes its place.
	again := client(s.start(t).url)
	answers(t, again, "f", `"taken over"`)
	known.checkLayers(t, t.Context(), again)

	// The dead one comes back, and removes what its death has left on its machine.
	back := client(s.startIn(t, filepath.Dir(dies.log)).url)
	answers(t, back, "f", `"taken over"`)
	known.checkLayers(t, t.Context(), back)
}
