package api_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const functionARN = "arn:aws:lambda:us-east-1:000000000000:function:"

// mask replaces what differs from run to run, after checking its form.
func mask(t *testing.T, m object) object {
	t.Helper()
	forms := map[string]string{
		"RevisionId":   `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`,
		"LastModified": `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000`,
	}
	for k, form := range forms {
		if s, _ := m[k].(string); !regexp.MustCompile("^" + form + "$").MatchString(s) {
			t.Errorf("%s is %q", k, s)
		}
		m[k] = k
	}
	return m
}

func defaults(name string, more object) object {
	zip := lambdatest.EchoFunction()
	m := object{
		"FunctionName": name, "FunctionArn": functionARN + name, "Runtime": "python3.12", "Role": role,
		"Handler": lambdatest.PythonHandler, "CodeSize": float64(len(zip)), "CodeSha256": digest.Of(zip).Base64(), "Description": "",
		"Timeout": 3.0, "MemorySize": 128.0, "LastModified": "LastModified", "Version": "$LATEST", "RevisionId": "RevisionId",
		"PackageType": "Zip", "Architectures": []any{"x86_64"}, "EphemeralStorage": object{"Size": 512.0},
		"TracingConfig": object{"Mode": "PassThrough"}, "SnapStart": object{"ApplyOn": "None", "OptimizationStatus": "Off"},
		"LoggingConfig": object{"LogFormat": "Text", "LogGroup": "/aws/lambda/" + name},
	}
	for k, v := range more {
		m[k] = v
	}
	return m
}

func TestCreateFunctionDefaults(t *testing.T) {
	s := newServer(t)
	a := s.create("f")
	version := a.body["RuntimeVersionConfig"].(object)["RuntimeVersionArn"].(string)
	if !regexp.MustCompile(`^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$`).MatchString(version) {
		t.Errorf("RuntimeVersionArn = %s", version)
	}
	runtime := object{"RuntimeVersionArn": version}
	want := defaults("f", object{"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating",
		"RuntimeVersionConfig": runtime})
	if diff := cmp.Diff(want, mask(t, a.body)); diff != "" {
		t.Errorf("CreateFunction: -want +got\n%s", diff)
	}
	active := object{"State": "Active", "LastUpdateStatus": "Successful", "RuntimeVersionConfig": runtime}
	if diff := cmp.Diff(defaults("f", active), mask(t, s.settle("f").body)); diff != "" {
		t.Errorf("GetFunctionConfiguration: -want +got\n%s", diff)
	}
	list := s.ok(200, request{method: "GET", path: "/2015-03-31/functions/"})
	if diff := cmp.Diff(defaults("f", nil), mask(t, list.body["Functions"].([]any)[0].(object))); diff != "" {
		t.Errorf("ListFunctions: -want +got\n%s", diff)
	}
	all := s.ok(200, request{method: "GET", path: "/2015-03-31/functions?FunctionVersion=ALL&MaxItems=10000"})
	copies := s.ok(200, request{method: "GET", path: "/2015-03-31/functions?FunctionVersion=ALL&MasterRegion=us-east-1"})
	if diff := cmp.Diff(object{"Functions": []any{}}, copies.body); diff != "" {
		t.Errorf("copies for Lambda@Edge: -want +got\n%s", diff)
	}
	if got := all.body["Functions"].([]any)[0].(object)["FunctionArn"]; got != functionARN+"f:$LATEST" {
		t.Errorf("with ALL the ARN is %v", got)
	}
	get := s.ok(200, request{method: "GET", path: "/2015-03-31/functions/f?Qualifier=$LATEST"})
	if diff := cmp.Diff(defaults("f", object{"FunctionArn": functionARN + "f:$LATEST", "State": "Active", "LastUpdateStatus": "Successful",
		"RuntimeVersionConfig": runtime}), mask(t, get.body["Configuration"].(object))); diff != "" {
		t.Errorf("GetFunction: -want +got\n%s", diff)
	}
	code := get.body["Code"].(object)
	if l := code["Location"].(string); !strings.HasPrefix(l, s.url) || code["RepositoryType"] != "S3" || len(get.body) != 2 {
		t.Errorf("GetFunction: %s", get.text)
	}
}

func TestFunctionNames(t *testing.T) {
	s := newServer(t)
	s.create("f")
	for _, name := range []string{"f", "f:$LATEST", "function:f", "000000000000:function:f", functionARN + "f", functionARN + "f:$LATEST",
		url.PathEscape(functionARN + "f"), url.QueryEscape(functionARN + "f:$LATEST")} {
		a := s.do(request{method: "GET", path: "/2015-03-31/functions/" + name})
		if a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
}

func TestFunctionConfigurationEchoes(t *testing.T) {
	s := newServer(t)
	s.publish("one")
	s.publish("two")
	layers := []string{layerARN + "two:1", layerARN + "one:1"}
	a := s.create("f", object{
		"Runtime": "provided.al2023", "Handler": "bootstrap", "Description": "d", "Timeout": 900, "MemorySize": 10240,
		"EphemeralStorage": object{"Size": 10240}, "Architectures": []string{"arm64"}, "Environment": object{"Variables": object{}},
		"TracingConfig": object{"Mode": "Active"}, "SnapStart": object{"ApplyOn": "PublishedVersions"}, "Layers": layers,
		"LoggingConfig": object{"LogFormat": "JSON", "LogGroup": "mine"}, "DeadLetterConfig": object{"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"},
		"KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1", "Tags": object{"k": "v"}, "VpcConfig": object{"SubnetIds": []string{}},
	})
	want := defaults("f", object{
		"Runtime": "provided.al2023", "Handler": "bootstrap", "Description": "d", "Timeout": 900.0, "MemorySize": 10240.0,
		"EphemeralStorage": object{"Size": 10240.0}, "Architectures": []any{"arm64"}, "Environment": object{"Variables": object{}},
		"TracingConfig": object{"Mode": "Active"}, "SnapStart": object{"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"},
		"LoggingConfig":    object{"LogFormat": "JSON", "LogGroup": "mine", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"},
		"DeadLetterConfig": object{"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q"}, "KMSKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1",
		"State": "Pending", "StateReason": "The function is being created.", "StateReasonCode": "Creating",
	})
	got := mask(t, a.body)
	size := float64(len(lambdatest.PythonLayer("m", "x = 1\n")))
	want["Layers"] = []any{object{"Arn": layers[0], "CodeSize": size}, object{"Arn": layers[1], "CodeSize": size}}
	delete(got, "RuntimeVersionConfig")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	get := s.ok(200, request{method: "GET", path: "/2015-03-31/functions/f"})
	if diff := cmp.Diff(object{"k": "v"}, get.body["Tags"]); diff != "" {
		t.Errorf("Tags: -want +got\n%s", diff)
	}
}

func TestUpdateFunctionConfiguration(t *testing.T) {
	s := newServer(t)
	s.publish("one")
	created := s.create("f", object{"Environment": object{"Variables": object{"AB": "1"}}})
	update := func(body object) answer {
		a := s.ok(200, request{method: "PUT", path: "/2015-03-31/functions/f/configuration", body: body})
		if a.body["LastUpdateStatus"] != "InProgress" || a.body["LastUpdateStatusReasonCode"] != "Creating" {
			t.Errorf("right after the update: %s", a.text)
		}
		return s.settle("f")
	}
	a := update(object{"Layers": []string{layerARN + "one:1"}, "Timeout": 9, "RevisionId": s.settle("f").body["RevisionId"]})
	if a.body["Timeout"] != 9.0 || len(a.body["Layers"].([]any)) != 1 || a.body["RevisionId"] == created.body["RevisionId"] {
		t.Errorf("after the update: %s", a.text)
	}
	a = update(object{"Description": "d", "MemorySize": 256, "EphemeralStorage": object{"Size": 600}})
	if len(a.body["Layers"].([]any)) != 1 || a.body["Timeout"] != 9.0 || a.body["MemorySize"] != 256.0 {
		t.Errorf("what was not sent has changed: %s", a.text)
	}
	a = update(object{"Layers": []string{}, "Environment": object{}})
	if _, there := a.body["Layers"]; there || len(a.body["Environment"].(object)["Variables"].(object)) != 0 {
		t.Errorf("what was sent empty is still there: %s", a.text)
	}
}

func TestUpdateFunctionCode(t *testing.T) {
	s := newServer(t)
	created := s.create("f")
	zip := lambdatest.PythonFunction("def lambda_handler(event, context): return 2\n")
	dry := s.ok(200, request{method: "PUT", path: "/2015-03-31/functions/f/code", body: object{"ZipFile": zip, "DryRun": true}})
	if dry.body["CodeSha256"] != digest.Of(zip).Base64() {
		t.Errorf("the dry run answered %s", dry.text)
	}
	if got := s.settle("f").body["CodeSha256"]; got != created.body["CodeSha256"] {
		t.Errorf("the dry run changed the code to %v", got)
	}
	s.ok(200, request{method: "PUT", path: "/2015-03-31/functions/f/code", body: object{"ZipFile": zip, "Architectures": []string{"arm64"}}})
	a := s.settle("f")
	if a.body["CodeSha256"] != digest.Of(zip).Base64() || cmp.Diff([]any{"arm64"}, a.body["Architectures"]) != "" {
		t.Errorf("after the update: %s", a.text)
	}
	if cmp.Equal(a.body["RuntimeVersionConfig"], created.body["RuntimeVersionConfig"]) {
		t.Error("another architecture has the same version of the runtime")
	}
}

func TestDeleteFunction(t *testing.T) {
	s := newServer(t)
	s.create("f")
	if a := s.ok(204, request{method: "DELETE", path: "/2015-03-31/functions/f"}); a.text != "" {
		t.Errorf("answered %q", a.text)
	}
	s.ok(404, request{method: "DELETE", path: "/2015-03-31/functions/f"})
	s.ok(404, request{method: "GET", path: "/2015-03-31/functions/f"})
}
