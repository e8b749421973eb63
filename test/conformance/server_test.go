package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/apitest"
)

// newServer gives the URL of a fresh server, whose functions answer as the invoker says.
func newServer(t *testing.T) (url string, invoker *apitest.Invoker) {
	t.Helper()
	invoker = &apitest.Invoker{}
	s := httptest.NewServer(api.New(api.Options{Control: apitest.NewControl(t, t.TempDir()), Invoke: invoker, Logs: &apitest.Logs{}}))
	t.Cleanup(s.Close)
	return s.URL, invoker
}

// answer is what a request was answered.
type answer struct {
	status    int
	exception string
	body      any
	text      string
}

// send sends a request: a method and a path, and a JSON body when there is one.
func send(t *testing.T, url, method, path, body string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url+path, strings.NewReader(body))
	must(t, err)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	a := answer{status: res.StatusCode, exception: res.Header.Get("x-amzn-ErrorType"), text: string(text)}
	if len(text) > 0 {
		must(t, json.Unmarshal(text, &a.body))
	}
	return a
}
