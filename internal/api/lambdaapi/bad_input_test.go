package lambdaapi_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/apitest"
	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// target is a front door that is sent bad requests.
type target struct {
	t       testing.TB
	handler http.Handler
	log     bytes.Buffer // of errors alone; requests come one after the other
	gaps    string       // the part of doc/compatibility.md that lists the members that are not built
}

func newTarget(t testing.TB) *target {
	g := &target{t: t}
	doc, err := os.ReadFile("../../../doc/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "## Members and values that are not built\n")
	g.gaps, _, _ = strings.Cut(rest, "\n## ")
	invoker := &apitest.Invoker{Out: invoke.Output{Payload: []byte(`{}`), ExecutedVersion: "$LATEST"}}
	g.handler = api.New(api.Options{Control: apitest.NewControl(t, t.TempDir()), Invoke: invoker, Logs: &apitest.Logs{}, Secret: []byte("x"),
		Log: slog.New(slog.NewTextHandler(&g.log, &slog.HandlerOptions{Level: slog.LevelError}))})
	return g
}

// sent is a request on its way, in the parts that mutations change.
type sent struct {
	operation    lambdaapi.Route
	method, path string // path is percent-encoded, with its query
	header       http.Header
	body         []byte
	// broken says that the body is not the JSON that the operation expects, which is refused before anything is known of it.
	broken bool
	what   string // for messages
}

const (
	arn      = "arn:aws:lambda:us-east-1:000000000000:"
	bodyless = "" // no body at all
)

var zipText = base64.StdEncoding.EncodeToString(lambdatest.EchoFunction())

// samples are values that an operation accepts, by "Operation.Member" or by "Member".
var samples = map[string]any{
	"FunctionName": "f", "CreateFunction.FunctionName": "new", "LayerName": "libs", "VersionNumber": 1, "StatementId": "s",
	"Name": "live", "CreateAlias.Name": "newalias", "FunctionVersion": "1", "ListFunctions.FunctionVersion": "ALL", "Qualifier": "live", "Action": "lambda:InvokeFunction",
	"AddLayerVersionPermission.Action": "lambda:GetLayerVersion", "Principal": "*", "Resource": arn + "function:f", "Tags": object{"k": "v"},
	"TagKeys": []string{"k"}, "Role": "arn:aws:iam::000000000000:role/r", "Runtime": "python3.12", "Handler": "h.h",
	"Code": object{"ZipFile": zipText}, "Content": object{"ZipFile": zipText}, "ZipFile": zipText, "Arn": arn + "layer:libs:1",
	"CodeSigningConfigArn": arn + "code-signing-config:csc-0123456789abcdef0", "ReservedConcurrentExecutions": 1, "ProvisionedConcurrentExecutions": 1,
	"AuthType": "NONE", "UpdateRuntimeOn": "Auto", "RecursiveLoop": "Allow", "MaximumRetryAttempts": 1,
	"DeleteFunction.Qualifier": "9",
}

type object = map[string]any

func sample(operation, member string) (any, bool) {
	if v, ok := samples[operation+"."+member]; ok {
		return v, true
	}
	v, ok := samples[member]
	return v, ok
}

// input gives the members of an operation that a good request has.
func input(op lambdaapi.Route) map[string]any {
	in := map[string]any{}
	for _, m := range lambdaapi.Members(op) {
		needed := m.Required || m.Name == "ZipFile" || m.Name == "MaximumRetryAttempts" || op.Name == "CreateFunction" && (m.Name == "Runtime" || m.Name == "Handler")
		if v, ok := sample(op.Name, m.Name); ok && needed {
			in[m.Name] = v
		}
	}
	return in
}

// request builds a request out of members. raw are members in the place of others, as they are: JSON for the body, text for
// the rest.
func request(op lambdaapi.Route, members map[string]any, raw map[string]string) sent {
	s := sent{operation: op, method: op.Method, path: op.Path, header: http.Header{}}
	query := op.Query
	body, hasBody := []string{}, false
	for _, m := range lambdaapi.Members(op) {
		hasBody = hasBody || m.In == "body"
		text, replaced := raw[m.Name]
		v, given := members[m.Name]
		if m.In == "body" {
			if !replaced && given {
				b, _ := json.Marshal(v)
				text = string(b)
			}
			if replaced || given {
				body = append(body, fmt.Sprintf("%q:%s", m.Name, text))
			}
			continue
		}
		if !replaced && !given && m.In != "path" {
			continue
		}
		values := []string{text}
		if !replaced {
			values = []string{fmt.Sprint(v)}
			if list, ok := v.([]string); ok {
				values = list
			}
		}
		for _, value := range values {
			switch m.In {
			case "path":
				if value == "" {
					s.operation = lambdaapi.Route{} // the path is another one
				}
				s.path = strings.Replace(s.path, "{"+m.Wire+"}", url.PathEscape(value), 1)
			case "query":
				query += "&" + m.Wire + "=" + url.QueryEscape(value)
			case "header":
				s.header.Set(m.Wire, value)
			case "payload":
				s.body = []byte(value)
			}
		}
	}
	if extra, ok := raw[""]; ok {
		body = append(body, extra)
	}
	if hasBody {
		s.body = []byte("{" + strings.Join(body, ",") + "}")
	}
	if query = strings.TrimPrefix(query, "&"); query != "" {
		s.path += "?" + query
	}
	return s
}

// send sends a request and checks what every answer must be.
func (g *target) send(s sent) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest("GET", "http://localhost/", bytes.NewReader(s.body))
	u, err := url.ParseRequestURI(s.path)
	if err != nil {
		return nil // no client and no server of HTTP lets it through
	}
	r.Method, r.URL, r.RequestURI, r.Header = s.method, u, s.path, s.header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	w := httptest.NewRecorder()
	g.handler.ServeHTTP(w, r)
	for _, problem := range g.judge(s, w) {
		g.t.Errorf("%s: %s: %s\n%s %.300s\n%.300s\nanswer: %d %.500s", s.operation.Name, s.what, problem, s.method, s.path, s.body, w.Code, w.Body)
	}
	return w
}

// unlisted are the exceptions that the model lists for no operation, although AWS answers them for every one.
var unlisted = []string{"ValidationException", "AccessDeniedException", "RequestEntityTooLargeException"}

// recorded are exceptions that AWS was seen to answer although its model does not list them for the operation.
var recorded = map[string][]string{
	"DeleteLayerVersion":      {"InvalidParameterValueException"}, // of version 0
	"DeleteFunctionUrlConfig": {"InvalidParameterValueException"}, // of two qualifiers that differ
}

func (g *target) judge(s sent, w *httptest.ResponseRecorder) (problems []string) {
	fail := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if g.log.Len() > 0 {
		fail("logged %s", &g.log)
		g.log.Reset()
	}
	if w.Code >= 500 && w.Code != http.StatusNotImplemented {
		fail("a status that says the fault is ours")
	}
	if len(w.Header()["x-amzn-RequestId"]) != 1 {
		fail("no request id")
	}
	if w.Code < 400 {
		return problems
	}
	var body object
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || !utf8.Valid(w.Body.Bytes()) {
		fail("an error that is no JSON: %v", err)
	}
	text, _ := body["message"].(string)
	if text == "" {
		text, _ = body["Message"].(string)
	}
	exception := strings.Join(w.Header()["x-amzn-ErrorType"], ",")
	if text == "" && exception != "AccessDeniedException" {
		fail("no text")
	}
	switch {
	case s.operation.Name == "": // no operation at all
	case exception == "NotImplementedException":
		if lambdaapi.Built(s.operation.Name) && !g.listedGap(text) {
			fail("what is not built is not in doc/compatibility.md")
		}
	case exception == "InvalidRequestContentException" && s.broken:
	case exception == "ResourceNotFoundException" && strings.HasPrefix(text, "Functions from '"): // recorded, whatever the operation
	case !slices.Contains(slices.Concat(s.operation.Errors, unlisted, recorded[s.operation.Name]), exception):
		fail("%s is not in the operation's list", exception)
	}
	return problems
}

var gapText = regexp.MustCompile(`^lamina does not implement (.+) yet\.$`)

// listedGap reports whether the members that a message names are in the list of those that are not built.
func (g *target) listedGap(text string) bool {
	m := gapText.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	listed := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(g.gaps, -1)
	return strings.Contains(g.gaps, m[1]) || slices.ContainsFunc(listed, func(l []string) bool { return strings.Contains(m[1], l[1]) })
}

// restore makes sure that what the requests are about is there.
func (g *target) restore() {
	g.t.Helper()
	do := func(method, path string, body any) int {
		text, _ := json.Marshal(body)
		r := httptest.NewRequest(method, "http://localhost"+path, bytes.NewReader(text))
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, r)
		return w.Code
	}
	if do("GET", "/2018-10-31/layers/libs/versions/1", nil) != 200 {
		do("POST", "/2018-10-31/layers/libs/versions", object{"Content": object{"ZipFile": zipText}})
	}
	do("DELETE", "/2015-03-31/functions/new", nil)
	do("POST", "/2015-03-31/functions", object{"FunctionName": "f", "Role": samples["Role"], "Runtime": "python3.12", "Handler": "h.h", "Code": samples["Code"]})
	for do("POST", "/2015-03-31/functions/f/versions", object{}) == 409 { // until it is settled
	}
	do("POST", "/2015-03-31/functions/f/aliases", object{"Name": "live", "FunctionVersion": "1"})
}
