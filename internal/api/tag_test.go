package api_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTags(t *testing.T) {
	s := newServer(t)
	s.create("f")
	path := "/2017-03-31/tags/" + functionARN + "f"
	tag := func(tags object) request { return request{method: "POST", path: path, body: object{"Tags": tags}} }
	want := func(tags object) {
		t.Helper()
		if diff := cmp.Diff(object{"Tags": tags}, s.ok(200, request{method: "GET", path: path}).body); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	want(object{})
	before := s.settle("f").body["RevisionId"]
	if a := s.ok(204, tag(object{"a": "1", "b": "2"})); a.text != "" {
		t.Errorf("answered %q", a.text)
	}
	if s.settle("f").body["RevisionId"] == before {
		t.Error("the revision ID stayed")
	}
	s.ok(204, tag(object{"b": "3", "c": ""}))
	want(object{"a": "1", "b": "3", "c": ""})
	s.ok(204, request{method: "DELETE", path: path + "?tagKeys=a&tagKeys=c&tagKeys=none"})
	want(object{"b": "3"})
	if got := s.ok(200, request{method: "GET", path: fns + "/f"}).body["Tags"]; cmp.Diff(object{"b": "3"}, got) != "" {
		t.Errorf("GetFunction shows %v", got)
	}
	many := object{}
	for i := range 50 {
		many[fmt.Sprint(i)] = "x"
	}
	const invalid = "InvalidParameterValueException"
	s.refused(400, invalid, "Number of tags exceeds resource tag limit.", tag(many))
	want(object{"b": "3"})
	s.refused(400, invalid, "An error occurred and the request cannot be processed.", tag(object{}))
	s.refused(400, "ValidationException", "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null", request{method: "DELETE", path: path})
	for _, r := range []request{{method: "GET", path: path + ":live"}, {method: "GET", path: path + "x:$LATEST"}, {method: "DELETE", path: path + ":1?tagKeys=a"}} {
		s.refused(400, invalid, "Tags on function aliases and versions are not supported. Please specify a function ARN.", r)
	}
	for _, r := range []request{{method: "GET", path: path + "x"}, {method: "DELETE", path: path + "x?tagKeys=a"}, {method: "POST", path: path + "x", body: object{"Tags": object{"a": "b"}}}} {
		s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"fx", r)
	}
	s.ok(501, request{method: "GET", path: "/2017-03-31/tags/" + "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:12345678-1234-1234-1234-123456789012"})
}

func TestReservedConcurrency(t *testing.T) {
	s := newServer(t)
	s.create("f")
	s.create("g")
	put := func(name string, n int) request {
		return request{method: "PUT", path: "/2017-10-31/functions/" + name + "/concurrency", body: object{"ReservedConcurrentExecutions": n}}
	}
	get := func(name string) request {
		return request{method: "GET", path: "/2019-09-30/functions/" + name + "/concurrency"}
	}
	remove := func(name string) request {
		return request{method: "DELETE", path: "/2017-10-31/functions/" + name + "/concurrency"}
	}
	settings := func(unreserved float64) {
		t.Helper()
		limit := s.ok(200, request{method: "GET", path: "/2016-08-19/account-settings"}).body["AccountLimit"].(object)
		if limit["ConcurrentExecutions"] != 1000.0 || limit["UnreservedConcurrentExecutions"] != unreserved {
			t.Errorf("got %v, want %v unreserved", limit, unreserved)
		}
	}
	if a := s.ok(200, get("f")); len(a.body) != 0 {
		t.Errorf("nothing reserved: %s", a.text)
	}
	if a := s.ok(200, put("f", 300)); a.body["ReservedConcurrentExecutions"] != 300.0 {
		t.Errorf("got %s", a.text)
	}
	if a := s.ok(200, get("f")); a.body["ReservedConcurrentExecutions"] != 300.0 {
		t.Errorf("got %s", a.text)
	}
	if a := s.ok(200, request{method: "GET", path: fns + "/f"}); cmp.Diff(object{"ReservedConcurrentExecutions": 300.0}, a.body["Concurrency"]) != "" {
		t.Errorf("GetFunction: %s", a.text)
	}
	settings(700)
	const invalid, over = "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
	s.refused(400, invalid, over, put("g", 601))
	s.ok(200, put("g", 600))
	s.ok(200, put("f", 300)) // its own does not count twice
	settings(100)
	s.ok(200, put("g", 0))
	if a := s.ok(200, get("g")); a.body["ReservedConcurrentExecutions"] != 0.0 {
		t.Errorf("none at all: %s", a.text)
	}
	s.ok(204, remove("f"))
	s.ok(204, remove("f"))
	settings(1000)
	if a := s.ok(200, request{method: "GET", path: fns + "/f"}); a.body["Concurrency"] != nil {
		t.Errorf("GetFunction: %s", a.text)
	}
	const qualified = "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN."
	s.refused(400, invalid, qualified, put("f:1", 1))
	s.refused(400, invalid, qualified, get("f:live"))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x:$LATEST", put("x", 1))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", get("x"))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", remove("x"))
}

func TestAccountSettings(t *testing.T) {
	s := newServer(t)
	settings := request{method: "GET", path: "/2016-08-19/account-settings"}
	usage := func() object { return s.ok(200, settings).body["AccountUsage"].(object) }
	if diff := cmp.Diff(object{"TotalCodeSize": 0.0, "FunctionCount": 0.0}, usage()); diff != "" {
		t.Error(diff)
	}
	size := s.create("f", object{"Publish": true}).body["CodeSize"].(float64)
	layer := s.publish("libs").body["Content"].(object)["CodeSize"].(float64)
	s.publish("libs") // the same bytes count again
	s.update("f", object{"Timeout": 9})
	if diff := cmp.Diff(object{"TotalCodeSize": 2*size + 2*layer, "FunctionCount": 1.0}, usage()); diff != "" {
		t.Errorf("$LATEST, a version, and two layer versions: %s", diff)
	}
	want := object{"TotalCodeSize": 80530636800.0, "CodeSizeUnzipped": 262144000.0, "CodeSizeZipped": 52428800.0,
		"ConcurrentExecutions": 1000.0, "UnreservedConcurrentExecutions": 1000.0}
	if diff := cmp.Diff(want, s.ok(200, settings).body["AccountLimit"]); diff != "" {
		t.Error(diff)
	}
	if u := s.ok(200, as(friend, settings)).body["AccountUsage"].(object); u["FunctionCount"] != 0.0 {
		t.Errorf("another account has %v", u)
	}
}
