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
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestKill kills the server with changes in flight, five times on one data folder. After each restart every change that
// was answered is there, and nothing half-made is seen.
func TestKill(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	known := &knowledge{layers: map[int64]version{}, gone: map[int64]bool{}, functions: map[string]string{}, doubt: map[string][]string{}}
	for round := range 5 {
		s, err := startServer(e.lamina, filepath.Join(dir, "server.log"), os.Environ(), "--data", filepath.Join(dir, "data"))
		if err != nil {
			t.Fatal(err)
		}
		c := client(s.url)
		known.check(t, c)
		if t.Failed() {
			s.kill()
			t.Fatalf("after %d kills; the server's log:\n%s", round, tail(s.output(), 4000))
		}
		ctx, cancel := context.WithCancel(context.Background())
		var changing sync.WaitGroup
		for worker := range 4 {
			changing.Go(func() { known.change(ctx, c, round, worker, random.Uint64()) })
		}
		time.Sleep(time.Duration(200+random.IntN(800)) * time.Millisecond) // when the power fails
		s.kill()
		cancel()
		changing.Wait()
	}
	s, err := startServer(e.lamina, filepath.Join(dir, "server.log"), os.Environ(), "--data", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	known.check(t, client(s.url))
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if len(known.layers) < 5 || len(known.functions) < 1 {
		t.Errorf("only %d versions and %d functions were answered: too few to say anything", len(known.layers), len(known.functions))
	}
	t.Logf("%d layer versions (%d deleted) and %d functions survived five kills", len(known.layers), len(known.gone), len(known.functions))
}

// version is a published layer version.
type version struct{ description, sha string }

// knowledge is what the server answered, and so must not forget.
type knowledge struct {
	// mu guards the maps: several workers write down what they were answered.
	mu        sync.Mutex
	layers    map[int64]version   // by number
	gone      map[int64]bool      // deleted, or asked to be
	functions map[string]string   // name to the last description that was answered
	doubt     map[string][]string // descriptions that were sent and not answered: any of them may be there
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
		switch random.IntN(4) {
		case 0, 1:
			err = k.publish(ctx, c, description, random)
		case 2:
			err = k.update(ctx, c, function, description)
		case 3:
			err = k.delete(ctx, c)
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
	data := make([]byte, 1+random.IntN(256<<10))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	content := zipOf("data", data)
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
			k.checkWhole(t, ctx, c, v.Version)
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
	res, err := http.Get(*v.Content.Location)
	if err != nil {
		t.Errorf("version %d: %v", n, err)
		return
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	sum := sha256.Sum256(b)
	got := base64.StdEncoding.EncodeToString(sum[:])
	if err != nil || got != *v.Content.CodeSha256 {
		t.Errorf("version %d: its %d bytes are not those of %s (%v)", n, len(b), *v.Content.CodeSha256, err)
	}
	if want, answered := k.layers[n]; answered && (want.sha != got || want.description != *v.Description) {
		t.Errorf("version %d is %s %s, and was published as %s %s", n, *v.Description, got, want.description, want.sha)
	}
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
			if err := awslambda.NewFunctionActiveV2Waiter(c, func(o *awslambda.FunctionActiveV2WaiterOptions) {
				o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
			}).Wait(ctx, &awslambda.GetFunctionInput{FunctionName: f.FunctionName}, 30*time.Second); err != nil {
				t.Errorf("function %s does not become Active again: %v", *f.FunctionName, err)
			}
			k.checkDescription(t, *f.FunctionName, aws.ToString(f.Description))
		}
	}
	for name := range k.functions {
		if !listed[name] {
			t.Errorf("function %s was created and is not there", name)
		}
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
