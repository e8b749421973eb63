package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api/apitest"
	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// step is a request that belongs to an operation.
type step struct {
	operation, method, path string
	body                    any
	prepare                 func(*apitest.Invoker)
}

type object map[string]any

var (
	zip      = base64.StdEncoding.EncodeToString(lambdatest.EchoFunction())
	layerZip = base64.StdEncoding.EncodeToString(lambdatest.PythonLayer("m", "x = 1\n"))
)

const (
	arn  = "arn:aws:lambda:us-east-1:000000000000:"
	fns  = "/2015-03-31/functions"
	libs = "/2018-10-31/layers/libs/versions"
	role = "arn:aws:iam::000000000000:role/r"
)

func newFunction(more object) object {
	in := object{"FunctionName": "f", "Role": role, "Runtime": "python3.12", "Handler": "lambda_function.lambda_handler",
		"Code": object{"ZipFile": zip}, "Layers": []string{arn + "layer:libs:1"}, "Environment": object{"Variables": object{"AB": "c"}}, "Tags": object{"k": "v"},
		"DeadLetterConfig": object{"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}, "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1"}
	for k, v := range more {
		in[k] = v
	}
	return in
}

// successes use every operation that lamina claims, with every member that it answers.
var successes = []step{
	{"PublishLayerVersion", "POST", libs, object{"Content": object{"ZipFile": layerZip}, "Description": "d", "LicenseInfo": "MIT", "CompatibleRuntimes": []string{"python3.12"}, "CompatibleArchitectures": []string{"x86_64"}}, nil},
	{"GetLayerVersion", "GET", libs + "/1", nil, nil},
	{"GetLayerVersionByArn", "GET", "/2018-10-31/layers?Arn=" + arn + "layer:libs:1&find=LayerVersion", nil, nil},
	{"ListLayerVersions", "GET", libs, nil, nil},
	{"ListLayers", "GET", "/2018-10-31/layers", nil, nil},
	{"CreateFunction", "POST", fns, newFunction(nil), nil},
	{"GetFunction", "GET", fns + "/f", nil, nil},
	{"GetFunctionConfiguration", "GET", fns + "/f/configuration", nil, nil},
	{"ListFunctions", "GET", fns, nil, nil},
	{"UpdateFunctionCode", "PUT", fns + "/f/code", object{"ZipFile": zip}, nil},
	{"UpdateFunctionConfiguration", "PUT", fns + "/f/configuration", object{"Timeout": 4}, nil},
	{"Invoke", "POST", fns + "/f/invocations", object{}, func(i *apitest.Invoker) { i.Out = invoke.Output{Payload: []byte(`{}`)} }},
	{"DeleteFunction", "DELETE", fns + "/f", nil, nil},
	{"DeleteLayerVersion", "DELETE", libs + "/1", nil, nil},
}

var arnPattern = regexp.MustCompile(`arn:[^"]+:code-signing-config:[^"]+`)

// about puts a code signing configuration where a step names the one that was made.
func (s step) about(signing string) step {
	s.path = strings.ReplaceAll(s.path, made, signing)
	if in, ok := s.body.(object); ok && in["CodeSigningConfigArn"] == made {
		s.body = object{"CodeSigningConfigArn": signing}
	}
	return s
}

func (s step) send(t *testing.T, url string) answer {
	t.Helper()
	body := ""
	switch b := s.body.(type) {
	case nil:
	case string:
		body = b
	default:
		text, err := json.Marshal(b)
		must(t, err)
		body = string(text)
	}
	return send(t, url, s.method, s.path, body)
}

// settle asks until a function may be changed and invoked.
func settle(t *testing.T, url, name string) {
	t.Helper()
	for {
		a := send(t, url, "GET", fns+"/"+name+"/configuration", "")
		m, _ := a.body.(map[string]any)
		if a.status != 200 || m["State"] == "Active" && m["LastUpdateStatus"] == "Successful" {
			return
		}
	}
}

// TestMembers checks the status of each operation, and that every member of its answer is the model's.
func TestMembers(t *testing.T) {
	m := readModel(t)
	url, invoker := newServer(t)
	own := len(successes) - 2 // before what deletes
	signing := ""
	for _, s := range slices.Concat(successes[:own], ownSuccesses, successes[own:]) {
		settle(t, url, "f")
		if s.prepare != nil {
			s.prepare(invoker)
		}
		a := s.about(signing).send(t, url)
		route := routeOf(t, s.operation)
		if s.operation == "CreateCodeSigningConfig" {
			signing = arnPattern.FindString(a.text)
		}
		if a.status != route.Status {
			t.Errorf("%s: status %d, want %d: %s", s.operation, a.status, route.Status, a.text)
		}
		o := m.Operations[s.operation]
		switch {
		case o.Output == nil || m.Shapes[o.Output.Shape].Payload != "": // no body, or one that is not the model's
		case a.body == nil && a.status != 204:
			t.Errorf("%s: no body", s.operation)
		case a.body != nil:
			for _, problem := range m.fits(o.Output.Shape, a.body, s.operation) {
				t.Error(problem)
			}
		}
	}
	for _, r := range lambdaapi.Routes {
		used := slices.ContainsFunc(slices.Concat(successes, ownSuccesses), func(s step) bool { return s.operation == r.Name })
		if used != lambdaapi.Built(r.Name) {
			t.Errorf("%s: claimed %v, tried %v", r.Name, lambdaapi.Built(r.Name), used)
		}
	}
}

func routeOf(t *testing.T, operation string) lambdaapi.Route {
	t.Helper()
	for _, r := range lambdaapi.Routes {
		if r.Name == operation {
			return r
		}
	}
	t.Fatalf("there is no operation %s", operation)
	return lambdaapi.Route{}
}

// failures provoke each kind of error of each operation.
func failures() []step {
	fail := func(err error) func(*apitest.Invoker) { return func(i *apitest.Invoker) { i.Err = err } }
	west := "arn:aws:lambda:eu-west-1:000000000000:"
	other := "arn:aws:lambda:us-east-1:111111111111:"
	list := []step{
		{"PublishLayerVersion", "POST", libs, object{"Content": object{"ZipFile": "eA=="}}, nil},
		{"PublishLayerVersion", "POST", libs, object{}, nil},
		{"PublishLayerVersion", "POST", libs, "{", nil},
		{"PublishLayerVersion", "POST", "/2018-10-31/layers/" + other + "layer:libs/versions", object{"Content": object{"ZipFile": layerZip}}, nil},
		{"PublishLayerVersion", "POST", "/2018-10-31/layers/" + west + "layer:libs/versions", object{"Content": object{"ZipFile": layerZip}}, nil},
		{"PublishLayerVersion", "POST", libs, object{"Content": object{"S3Bucket": "bucket"}}, nil},
		{"GetLayerVersion", "GET", libs + "/0", nil, nil},
		{"GetLayerVersion", "GET", libs + "/9", nil, nil},
		{"GetLayerVersion", "GET", "/2018-10-31/layers/" + other + "layer:libs/versions/1", nil, nil},
		{"GetLayerVersionByArn", "GET", "/2018-10-31/layers?find=LayerVersion&Arn=" + arn + "layer:libs:9", nil, nil},
		{"GetLayerVersionByArn", "GET", "/2018-10-31/layers?find=LayerVersion&Arn=x", nil, nil},
		{"ListLayerVersions", "GET", libs + "?Marker=x", nil, nil},
		{"ListLayerVersions", "GET", "/2018-10-31/layers/" + other + "layer:libs/versions", nil, nil},
		{"ListLayers", "GET", "/2018-10-31/layers?Marker=x", nil, nil},
		{"ListLayers", "GET", "/2018-10-31/layers?MaxItems=99", nil, nil},
		{"DeleteLayerVersion", "DELETE", libs + "/0", nil, nil},
		{"DeleteLayerVersion", "DELETE", "/2018-10-31/layers/" + other + "layer:libs/versions/1", nil, nil},
		{"CreateFunction", "POST", fns, newFunction(nil), nil}, // exists
		{"CreateFunction", "POST", fns, newFunction(object{"FunctionName": other + "function:f"}), nil},
		{"CreateFunction", "POST", fns, newFunction(object{"FunctionName": west + "function:g"}), nil},
		{"CreateFunction", "POST", fns, newFunction(object{"FunctionName": "g", "Layers": []string{arn + "layer:libs:9"}}), nil},
		{"CreateFunction", "POST", fns, newFunction(object{"FunctionName": "g", "Code": object{"ZipFile": "eA=="}}), nil},
		{"CreateFunction", "POST", fns, newFunction(object{"Publish": true}), nil},
		{"CreateFunction", "POST", fns, "", nil},
		{"ListFunctions", "GET", fns + "?Marker=x", nil, nil},
		{"DeleteFunction", "DELETE", fns + "/f?Qualifier=$LATEST", nil, nil},
		{"DeleteFunction", "DELETE", fns + "/nope", nil, nil},
	}
	for _, o := range []struct{ operation, method, suffix string }{
		{"GetFunction", "GET", ""}, {"GetFunctionConfiguration", "GET", "/configuration"}, {"DeleteFunction", "DELETE", ""},
		{"UpdateFunctionConfiguration", "PUT", "/configuration"}, {"UpdateFunctionCode", "PUT", "/code"}, {"Invoke", "POST", "/invocations"},
	} {
		for _, name := range []string{"a%20b", west + "function:f", other + "function:f"} {
			list = append(list, step{o.operation, o.method, fns + "/" + name + o.suffix, object{"ZipFile": zip}, nil})
		}
		if o.operation != "Invoke" {
			list = append(list, step{o.operation, o.method, fns + "/nope" + o.suffix, object{"ZipFile": zip}, nil})
		}
	}
	for _, body := range []any{object{"RevisionId": "x", "ZipFile": zip}, "", object{}, object{"ZipFile": "eA=="}} {
		list = append(list, step{"UpdateFunctionCode", "PUT", fns + "/f/code", body, nil})
	}
	for _, body := range []any{object{"RevisionId": "x"}, "[", object{"Timeout": 0}, object{"Layers": []string{arn + "layer:libs:9"}}} {
		list = append(list, step{"UpdateFunctionConfiguration", "PUT", fns + "/f/configuration", body, nil})
	}
	for _, kind := range []lambda.Kind{lambda.NotFound, lambda.Invalid, lambda.Malformed, lambda.TooLarge, lambda.Throttled, lambda.NotReady, lambda.BadRuntime, lambda.BadZip} {
		list = append(list, step{"Invoke", "POST", fns + "/f/invocations", object{}, fail(lambda.Errorf(kind, "m"))})
	}
	list = append(list, ownFailures...)
	return append(list, step{"Invoke", "POST", fns + "/f/invocations", object{}, fail(errors.New("a fault"))})
}

// anyOperation are the exceptions that the model lists for no operation, or for few of those that AWS has them for: they come
// from before the operation. The last is lamina's own.
var anyOperation = []string{"ValidationException", "AccessDeniedException", "RequestEntityTooLargeException",
	"InvalidRequestContentException", "NotImplementedException"}

// recorded are exceptions that AWS was seen to answer although its model does not list them for the operation.
var recorded = map[string][]string{
	"DeleteLayerVersion": {"InvalidParameterValueException"}, // of version 0
}

// TestErrors checks that each error of an operation is one that the model lists for it.
func TestErrors(t *testing.T) {
	m := readModel(t)
	url, invoker := newServer(t)
	for _, s := range successes[:1] {
		s.send(t, url)
	}
	send(t, url, "POST", fns, `{"FunctionName":"f","Role":"`+role+`","Runtime":"python3.12","Handler":"h.h","Code":{"ZipFile":"`+zip+`"}}`)
	seen := map[string]bool{}
	for _, s := range failures() {
		settle(t, url, "f")
		if invoker.Err = nil; s.prepare != nil {
			s.prepare(invoker)
		}
		a := s.send(t, url)
		seen[s.operation+" "+a.exception] = true
		switch route := routeOf(t, s.operation); {
		case a.status < 400:
			t.Errorf("%s %s %s %v: no error: %d %s", s.operation, s.method, s.path, s.body, a.status, a.text)
		case !slices.Contains(slices.Concat(route.Errors, anyOperation, recorded[s.operation]), a.exception):
			t.Errorf("%s %s: %s is not in the operation's list: %s", s.operation, s.path, a.exception, a.text)
		}
		if want := m.Shapes[a.exception].Error.HTTPStatusCode; want != 0 && a.status != want {
			t.Errorf("%s: %s has status %d, want %d", s.operation, a.exception, a.status, want)
		}
		for _, problem := range m.fitsError(a) {
			t.Errorf("%s: %s: %s", s.operation, a.exception, problem)
		}
	}
	for _, r := range lambdaapi.Routes {
		tried := slices.ContainsFunc(failures(), func(s step) bool { return s.operation == r.Name })
		if lambdaapi.Built(r.Name) && !tried && !slices.Contains(neverFails, r.Name) {
			t.Errorf("no error of %s was tried", r.Name)
		}
	}
	t.Logf("%d errors of operations were seen", len(seen))
}

// fitsError checks the spelling of an error's members against the model, where the model has the exception.
func (m *model) fitsError(a answer) []string {
	if _, modelled := m.Shapes[a.exception]; !modelled {
		return nil
	}
	problems := m.fits(a.exception, a.body, "body")
	if a.exception == "ServiceException" && strings.Contains(a.text, "a fault") {
		problems = append(problems, "the cause is shown to the caller")
	}
	return problems
}
