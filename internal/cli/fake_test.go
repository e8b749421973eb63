package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/cli"
	"github.com/laminadev/lamina/internal/lambdatest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fake is a small Lambda API: it answers what the routes say and keeps what it was sent.
type fake struct {
	*httptest.Server
	mux      *http.ServeMux
	requests []request
}

type request struct {
	Line   string // "GET /path?query"
	Header http.Header
	Body   string
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{mux: http.NewServeMux()}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		f.requests = append(f.requests, request{r.Method + " " + r.URL.RequestURI(), r.Header, string(body)})
		f.mux.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	t.Setenv("AWS_ENDPOINT_URL", f.URL)
	return f
}

// answer makes a route answer with JSON.
func (f *fake) answer(route string, status int, v any) {
	f.mux.HandleFunc(route, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	})
}

// fail makes a route answer with one of AWS's errors.
func (f *fake) fail(route string, status int, code, message string) {
	f.mux.HandleFunc(route, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-ErrorType", code)
		w.Header().Set("X-Amzn-RequestId", "11111111-2222-3333-4444-555555555555")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"Type":"User","message":%q,"Message":%q}`, message, message)
	})
}

// bare takes everything away that would make AWS configuration of this machine leak into a test.
func bare(t *testing.T) {
	t.Helper()
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "LAMINA_") || strings.HasPrefix(name, "XDG_") {
			t.Setenv(name, "") // put back at the end of the test
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	// The SDK looks for the home folder once, when the program starts.
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, ".aws", "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, ".aws", "credentials"))
}

// result is what a command did.
type result struct {
	Out, Err string
	Code     int
}

func run(t *testing.T, args ...string) result { return runWith(t, "", args...) }

func runWith(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(context.Background(), cli.Streams{In: strings.NewReader(in), Out: &out, Err: &errs}, args)
	return result{out.String(), errs.String(), code}
}

func (r result) want(t *testing.T, code int, out, errs string) {
	t.Helper()
	if r.Code != code || !strings.Contains(r.Out, out) || !strings.Contains(r.Err, errs) {
		t.Errorf("got code %d\nout: %s\nerr: %s\nwant code %d, %q and %q", r.Code, r.Out, r.Err, code, out, errs)
	}
	if errs == "" && r.Err != "" {
		t.Errorf("said on standard error: %s", r.Err)
	}
}

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (run the test with -update when that is meant); got\n%s", path, got)
	}
}

// sampleZip holds python/hello.py.
func sampleZip() []byte { return lambdatest.PythonLayer("hello", "print('hello')\n") }

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.StdEncoding.EncodeToString(sum[:])
}

func encoded(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
