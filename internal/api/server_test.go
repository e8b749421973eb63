package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/apitest"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// server is the front door over a real control plane in a fresh folder. Only what needs execution environments is a fake.
type server struct {
	t       testing.TB
	url     string
	client  *http.Client
	invoker *apitest.Invoker
	logs    *apitest.Logs
	log     *syncBuffer
	blobs   string // the folder of blobs
	signing string // ARN of the code signing configuration of a test about one
}

// syncBuffer is what the server logs.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newServer(t testing.TB, change ...func(*api.Options)) *server {
	t.Helper()
	s := &server{t: t, invoker: &apitest.Invoker{}, logs: &apitest.Logs{}, log: &syncBuffer{}, blobs: filepath.Join(t.TempDir(), "blobs")}
	management, buckets := apitest.New(t, s.blobs)
	o := api.Options{Control: management, Objects: buckets, Invoke: s.invoker, Logs: s.logs, Version: "1.2.3-test",
		Log: slog.New(slog.NewTextHandler(s.log, nil))}
	for _, f := range change {
		f(&o)
	}
	h := httptest.NewServer(api.New(o))
	t.Cleanup(h.Close)
	s.url, s.client = h.URL, h.Client()
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request is one HTTP request.
type request struct {
	method, path string
	body         any // a string or []byte is sent as it is, anything else as JSON
	header       map[string]string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any // nil when the text is no JSON object
}

func (s *server) do(r request) answer {
	s.t.Helper()
	req := newRequest(s.t, s.url, r)
	res, err := s.client.Do(req)
	must(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(s.t, err)
	a := answer{status: res.StatusCode, header: res.Header, text: string(text)}
	_ = json.Unmarshal(text, &a.body) // not every answer is JSON
	return a
}

func newRequest(t testing.TB, url string, r request) *http.Request {
	t.Helper()
	var body io.Reader
	switch b := r.body.(type) {
	case nil:
	case string:
		body = strings.NewReader(b)
	case []byte:
		body = bytes.NewReader(b)
	case io.Reader:
		body = b
	default:
		text, err := json.Marshal(b)
		must(t, err)
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequest(r.method, url+r.path, body)
	must(t, err)
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	if host := r.header["Host"]; host != "" {
		req.Host = host
	}
	return req
}

// ok does a request that must be answered with a status.
func (s *server) ok(status int, r request) answer {
	s.t.Helper()
	a := s.do(r)
	if a.status != status {
		s.t.Fatalf("%s %s: got %d %s, want %d", r.method, r.path, a.status, a.text, status)
	}
	return a
}

// signed is the header of a caller: an account, a region and a service.
func signed(accessKey, region, service string) map[string]string {
	return map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=" + accessKey + "/20260112/" + region + "/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123456789abcdef"}
}

type object = map[string]any

const role = "arn:aws:iam::000000000000:role/r"

// function is the input of CreateFunction with the least members.
func function(name string, more ...object) object {
	in := object{"FunctionName": name, "Role": role, "Runtime": "python3.12", "Handler": lambdatest.PythonHandler,
		"Code": object{"ZipFile": lambdatest.EchoFunction()}}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	return in
}

// create makes a function and waits until it is Active.
func (s *server) create(name string, more ...object) answer {
	s.t.Helper()
	a := s.ok(201, request{method: "POST", path: "/2015-03-31/functions", body: function(name, more...)})
	s.settle(name)
	return a
}

// settle asks until a function is neither Pending nor being updated.
func (s *server) settle(name string) answer {
	s.t.Helper()
	for {
		a := s.ok(200, request{method: "GET", path: "/2015-03-31/functions/" + name + "/configuration"})
		if a.body["State"] == "Active" && a.body["LastUpdateStatus"] == "Successful" {
			return a
		}
		if a.body["State"] == "Failed" || a.body["LastUpdateStatus"] == "Failed" {
			s.t.Fatalf("the function failed: %s", a.text)
		}
	}
}

// publish publishes a layer version.
func (s *server) publish(layer string, more ...object) answer {
	s.t.Helper()
	in := object{"Content": object{"ZipFile": lambdatest.PythonLayer("m", "x = 1\n")}}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	return s.ok(201, request{method: "POST", path: "/2018-10-31/layers/" + layer + "/versions", body: in})
}
