package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// kills is how often TestKill kills; `make nightly` does so hundreds of times, in several folders.
func kills(t *testing.T) int {
	n := 24
	if s := os.Getenv("LAMINA_TEST_KILLS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestKill kills the server with changes in flight, many times on one data folder, while `lamina gc` runs and is killed too. After
// each time `lamina check` finds nothing, every change that was answered is there, and nothing half-made is seen.
func TestKill(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	k := newKnowledge()
	tool := os.Getenv("LAMINA_BIN_PLAIN") // without the race detector, where there is one
	if tool == "" {
		tool = e.lamina
	}
	data := filepath.Join(dir, "data")
	rounds := kills(t)
	var collecting sync.WaitGroup
	over := make(chan struct{})
	freed := 0
	for round := range rounds {
		s, err := startServer(e.lamina, filepath.Join(dir, "server.log"), os.Environ(), "--data", data)
		if err != nil {
			t.Fatal(err)
		}
		c := client(s.url)
		k.check(t, c)
		if t.Failed() {
			s.kill()
			t.Logf("after %d kills; the server's log:\n%s", round, tail(s.output(), 4000))
			break
		}
		if round == 0 {
			collecting.Go(func() { freed = collectUntil(t, over, tool, data, seed) })
		}
		ctx, cancel := context.WithCancel(context.Background())
		var changing sync.WaitGroup
		for worker := range 5 {
			changing.Go(func() { k.change(ctx, c, round, worker, random.Uint64()) })
		}
		time.Sleep(time.Duration(100+random.IntN(500)) * time.Millisecond) // when the power fails
		s.kill()
		cancel()
		changing.Wait()
		checkData(t, tool, data)
	}
	close(over)
	collecting.Wait()
	s, err := startServer(e.lamina, filepath.Join(dir, "server.log"), os.Environ(), "--data", data)
	if err != nil {
		t.Fatal(err)
	}
	k.check(t, client(s.url))
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command(tool, "gc", "--data", data, "--age", "0s").CombinedOutput(); err != nil {
		t.Errorf("lamina gc: %v: %s", err, out)
	}
	checkData(t, tool, data)
	if len(k.layers) < rounds/2 || len(k.functions) < 1 {
		t.Errorf("only %d versions and %d functions were answered: too few to say anything", len(k.layers), len(k.functions))
	}
	t.Logf("%d layer versions (%d deleted) and %d functions (%d deleted) survived %d kills and %d collections",
		len(k.layers), len(k.gone), len(k.functions), len(k.goneFunctions), rounds, freed)
}

// collectUntil frees what is not needed again and again, and kills every third collection.
func collectUntil(t *testing.T, over chan struct{}, tool, data string, seed uint64) (done int) {
	random := rand.New(rand.NewPCG(seed, 4))
	for n := 0; ; n++ {
		select {
		case <-over:
			return done
		default:
		}
		// A request of this test comes to its record within seconds of its bytes, on any machine.
		cmd := exec.Command(tool, "gc", "--data", data, "--age", "10s", "--grace", "1s")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return done
		}
		if n%3 == 2 {
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond) // when the power fails
			cmd.Process.Kill()
		}
		err := cmd.Wait()
		if err == nil {
			done++
		} else if n%3 != 2 {
			t.Errorf("lamina gc: %v: %s", err, out.String())
		}
	}
}

// checkData wants that a check finds nothing.
func checkData(t *testing.T, tool, data string) {
	t.Helper()
	if out, err := exec.Command(tool, "check", "--data", data).CombinedOutput(); err != nil {
		t.Errorf("lamina check: %v\n%s", err, out)
	}
}

// version is a published layer version.
type version struct{ description, sha string }

// knowledge is what the server answered, and so must not forget.
type knowledge struct {
	// mu guards the maps: several workers write down what they were answered.
	mu        sync.Mutex
	layers    map[int64]version // by number
	gone      map[int64]bool    // deleted, or asked to be
	functions map[string]string // name to the last description that was answered
	// goneFunctions are deleted, or asked to be.
	goneFunctions map[string]bool
	looked        map[string]int      // how often each was looked at closely
	doubt         map[string][]string // descriptions that were sent and not answered: any of them may be there
}

func newKnowledge() *knowledge {
	return &knowledge{layers: map[int64]version{}, gone: map[int64]bool{}, functions: map[string]string{},
		goneFunctions: map[string]bool{}, looked: map[string]int{}, doubt: map[string][]string{}}
}

// change makes changes until the server is gone.
func (k *knowledge) change(ctx context.Context, c *awslambda.Client, round, worker int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 2))
	function := fmt.Sprintf("f-%d-%d", round, worker)
	if k.create(ctx, c, function) != nil {
		return
	}
	for i := 0; ctx.Err() == nil; i++ {
		description := fmt.Sprintf("%d/%d/%d", round, worker, i)
		var err error
		switch random.IntN(8) {
		case 0, 1, 2:
			err = k.publish(ctx, c, description, random)
		case 3, 4:
			err = k.update(ctx, c, function, description)
		case 5:
			err = k.updateCode(ctx, c, function, description)
		case 6:
			err = k.delete(ctx, c)
		case 7:
			if err = k.deleteFunction(ctx, c, function); err == nil {
				function += "x"
				err = k.create(ctx, c, function)
			}
		}
		var api interface{ ErrorCode() string }
		if err != nil && !errors.As(err, &api) {
			return // the connection broke: the server is dead
		}
	}
}

func (k *knowledge) create(ctx context.Context, c *awslambda.Client, name string) error {
	code := zipOf("app.py", []byte("def handler(event, context):\n    return 1\n"))
	_, err := c.CreateFunction(ctx, &awslambda.CreateFunctionInput{FunctionName: &name, Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("any"), Role: aws.String("arn:aws:iam::000000000000:role/any"), Code: &types.FunctionCode{ZipFile: code}})
	if err == nil {
		k.mu.Lock()
		k.functions[name] = ""
		k.mu.Unlock()
	}
	return err
}

func (k *knowledge) publish(ctx context.Context, c *awslambda.Client, description string, random *rand.Rand) error {
	content := zipOf("data", someBytes(random))
	out, err := c.PublishLayerVersion(ctx, &awslambda.PublishLayerVersionInput{LayerName: aws.String("libs"),
		Content: &types.LayerVersionContentInput{ZipFile: content}, Description: &description})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, twice := k.layers[out.Version]; twice {
		return fmt.Errorf("version %d was given twice: to %s and %s", out.Version, old.description, description)
	}
	k.layers[out.Version] = version{description, base64.StdEncoding.EncodeToString(sum[:])}
	return nil
}

// someBytes are new ones, or those of a few that come again and again.
func someBytes(random *rand.Rand) []byte {
	if random.IntN(2) == 0 {
		random = rand.New(rand.NewPCG(uint64(random.IntN(12)), 5))
	}
	data := make([]byte, 1+random.IntN(256<<10))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// updateCode gives a function other code. What it has is compared with its own sum only.
func (k *knowledge) updateCode(ctx context.Context, c *awslambda.Client, name, text string) error {
	code := zipOf("app.py", []byte("def handler(event, context):\n    return '"+text+"'\n"))
	_, err := c.UpdateFunctionCode(ctx, &awslambda.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: code})
	return err
}

// deleteFunction deletes a function. From the moment of asking on it may be gone.
func (k *knowledge) deleteFunction(ctx context.Context, c *awslambda.Client, name string) error {
	k.mu.Lock()
	k.goneFunctions[name] = false
	k.mu.Unlock()
	_, err := c.DeleteFunction(ctx, &awslambda.DeleteFunctionInput{FunctionName: &name})
	if err == nil {
		k.mu.Lock()
		k.goneFunctions[name] = true
		k.mu.Unlock()
	}
	return err
}

func (k *knowledge) update(ctx context.Context, c *awslambda.Client, name, description string) error {
	k.mu.Lock()
	k.doubt[name] = append(k.doubt[name], description)
	k.mu.Unlock()
	_, err := c.UpdateFunctionConfiguration(ctx, &awslambda.UpdateFunctionConfigurationInput{FunctionName: &name, Description: &description})
	if err == nil {
		k.mu.Lock()
		k.functions[name], k.doubt[name] = description, nil
		k.mu.Unlock()
	}
	return err
}

// delete deletes a version. From the moment of asking on it may be gone; that it is, is known when it was answered.
func (k *knowledge) delete(ctx context.Context, c *awslambda.Client) error {
	k.mu.Lock()
	number := int64(0)
	for n := range k.layers {
		if _, asked := k.gone[n]; !asked {
			number = n
			break
		}
	}
	if number != 0 {
		k.gone[number] = false
	}
	k.mu.Unlock()
	if number == 0 {
		return nil
	}
	_, err := c.DeleteLayerVersion(ctx, &awslambda.DeleteLayerVersionInput{LayerName: aws.String("libs"), VersionNumber: &number})
	if err == nil {
		k.mu.Lock()
		k.gone[number] = true
		k.mu.Unlock()
	}
	return err
}

// check compares what is there with what was answered.
func (k *knowledge) check(t *testing.T, c *awslambda.Client) {
	t.Helper()
	ctx := context.Background()
	k.checkLayers(t, ctx, c)
	k.checkFunctions(t, ctx, c)
}

// due reports whether something is to be looked at closely: the first times, and then ever more rarely, so that hundreds of rounds
// come to an end.
func (k *knowledge) due(kind string, what any) bool {
	key := fmt.Sprint(kind, " ", what)
	k.looked[key]++
	n := k.looked[key]
	return n&(n-1) == 0
}

func (k *knowledge) checkLayers(t *testing.T, ctx context.Context, c *awslambda.Client) {
	listed := map[int64]bool{}
	pages := awslambda.NewListLayerVersionsPaginator(c, &awslambda.ListLayerVersionsInput{LayerName: aws.String("libs")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.LayerVersions {
			listed[v.Version] = true
			if k.due("version", v.Version) {
				k.checkWhole(t, ctx, c, v.Version)
			}
		}
	}
	for n := range k.layers {
		deleted, asked := k.gone[n]
		if !listed[n] && !asked {
			t.Errorf("version %d was published and is not there", n)
		}
		if listed[n] && deleted {
			t.Errorf("version %d was deleted and is there", n)
		}
	}
}

// checkWhole wants that a listed version has all of its bytes, whether its publication was answered or not.
func (k *knowledge) checkWhole(t *testing.T, ctx context.Context, c *awslambda.Client, n int64) {
	v, err := c.GetLayerVersion(ctx, &awslambda.GetLayerVersionInput{LayerName: aws.String("libs"), VersionNumber: &n})
	if err != nil {
		t.Errorf("version %d is listed and cannot be got: %v", n, err)
		return
	}
	got := downloadedSum(t, *v.Content.Location)
	if got != *v.Content.CodeSha256 {
		t.Errorf("version %d: its bytes are not those of %s", n, *v.Content.CodeSha256)
	}
	if want, answered := k.layers[n]; answered && (want.sha != got || want.description != *v.Description) {
		t.Errorf("version %d is %s %s, and was published as %s %s", n, *v.Description, got, want.description, want.sha)
	}
}

// downloadedSum downloads a zip and sums it.
func downloadedSum(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Errorf("download: %v", err)
		return ""
	}
	defer res.Body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, res.Body); err != nil {
		t.Errorf("download: %v", err)
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func (k *knowledge) checkFunctions(t *testing.T, ctx context.Context, c *awslambda.Client) {
	listed := map[string]bool{}
	pages := awslambda.NewListFunctionsPaginator(c, &awslambda.ListFunctionsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			listed[*f.FunctionName] = true
			k.checkDescription(t, *f.FunctionName, aws.ToString(f.Description))
			if k.goneFunctions[*f.FunctionName] {
				t.Errorf("function %s was deleted and is there", *f.FunctionName)
			}
			if !k.due("function", *f.FunctionName) {
				continue
			}
			if err := awslambda.NewFunctionActiveV2Waiter(c, func(o *awslambda.FunctionActiveV2WaiterOptions) {
				o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
			}).Wait(ctx, &awslambda.GetFunctionInput{FunctionName: f.FunctionName}, 30*time.Second); err != nil {
				t.Errorf("function %s does not become Active again: %v", *f.FunctionName, err)
			}
			k.checkCode(t, ctx, c, *f.FunctionName)
		}
	}
	for name := range k.functions {
		if _, asked := k.goneFunctions[name]; !listed[name] && !asked {
			t.Errorf("function %s was created and is not there", name)
		}
	}
}

// checkCode wants a function's code whole.
func (k *knowledge) checkCode(t *testing.T, ctx context.Context, c *awslambda.Client, name string) {
	f, err := c.GetFunction(ctx, &awslambda.GetFunctionInput{FunctionName: &name})
	if err != nil {
		t.Errorf("function %s is listed and cannot be got: %v", name, err)
		return
	}
	if downloadedSum(t, *f.Code.Location) != *f.Configuration.CodeSha256 {
		t.Errorf("function %s: its code is not that of %s", name, *f.Configuration.CodeSha256)
	}
}

func (k *knowledge) checkDescription(t *testing.T, name, got string) {
	want, answered := k.functions[name]
	if !answered || got == want {
		return
	}
	for _, d := range k.doubt[name] {
		if got == d {
			k.functions[name], k.doubt[name] = got, nil // it came through, and must stay
			return
		}
	}
	t.Errorf("function %s is described %q, and was answered %q (in doubt: %q)", name, got, want, k.doubt[name])
}

func client(url string) *awslambda.Client {
	return awslambda.New(awslambda.Options{
		BaseEndpoint: &url, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
}

func zipOf(name string, data []byte) []byte {
	var b bytes.Buffer
	if err := writeZip(&b, name, data); err != nil {
		panic(err)
	}
	return b.Bytes()
}
