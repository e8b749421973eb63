package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/lambda"
)

// TestNamesOfFunctions gives operations functions by all kinds of names. What a name breaks of the model comes before anything that
// is known of the function, and a function elsewhere is refused whether it exists or not.
func TestNamesOfFunctions(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	const account, here = "000000000000:", "arn:aws:lambda:us-east-1:"
	get := func(name, query string) request {
		return request{method: "GET", path: fns + "/" + url.PathEscape(name) + "/configuration" + query}
	}
	for name, arn := range map[string]string{
		"f": "f", "f:1": "f:1", "f:live": "f:live", "f:$LATEST": "f:$LATEST", "function:f": "f", "function:f:live": "f:live",
		account + "function:f": "f", account + "f": "f", account + "function:f:1": "f:1", "us-east-1:" + account + "function:f": "f",
		here + account + "function:f": "f", here + account + "function:f:live": "f:live", here + "function:f": "f",
		"arn:aws:lambda:" + account + "function:f": "f", "arn:aws:lambda:f": "f",
	} {
		if got := s.ok(200, get(name, "")).body["FunctionArn"]; got != functionARN+arn {
			t.Errorf("%s: got %v, want %s", name, got, arn)
		}
		// Colons and dollars may come as they are.
		if got := s.ok(200, request{method: "GET", path: fns + "/" + name + "/configuration"}).body["FunctionArn"]; got != functionARN+arn {
			t.Errorf("%s, not encoded: got %v, want %s", name, got, arn)
		}
	}
	if got := s.ok(200, get("f:1", "?Qualifier=1")).body["FunctionArn"]; got != functionARN+"f:1" {
		t.Errorf("the same qualifier twice: got %v", got)
	}
	const constraint, invalid, missing = "ValidationException", "InvalidParameterValueException", "ResourceNotFoundException"
	violation := func(value, member, rule string) string {
		return "1 validation error detected: Value '" + value + "' at '" + member + "' failed to satisfy constraint: " + rule
	}
	pattern := func(p string) string { return "Member must satisfy regular expression pattern: " + p }
	for _, name := range []string{"a b", "f:", "f::", "f:1:2", "f:$LATEST:x", "f:$latest", "f:$LATEST:1", "ü", "f!", "arn:aws:lambda", here + "abc:function:f",
		"arn:aws:lambda:invalid-region:" + account + "function:f", "arn:aws:s3:us-east-1:" + account + "function:f", here + account + "function:f:1:2"} {
		s.refused(400, constraint, violation(name, "functionName", pattern(lambda.FunctionNamePattern)), get(name, ""))
		s.refused(400, constraint, violation(name, "functionName", pattern(lambda.NewFunctionNamePattern)),
			request{method: "POST", path: fns, body: function("", object{"FunctionName": name})})
	}
	long := strings.Repeat("a", 65)
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{400, constraint, violation("a b", "qualifier", pattern(lambda.QualifierPattern)), get("f", "?Qualifier=a%20b")},
		{400, constraint, violation(long+long, "qualifier", "Member must have length less than or equal to 128"), get("none", "?Qualifier="+long+long)},
		{400, invalid, "The derived qualifier from the function name does not match the specified qualifier.", get("none:1", "?Qualifier=2")},
		{404, missing, "Function not found: " + functionARN + "f:2", get("f", "?Qualifier=2")},
		{404, missing, "Function not found: " + functionARN + "f:$latest", get("f", "?Qualifier=$latest")},
		{404, missing, "Function not found: " + functionARN + "f:LIVE", get("f:LIVE", "")},
		{404, missing, "Function not found: " + functionARN + "F", get("F", "")},
		{404, missing, "Function not found: " + functionARN + "a.b", get("a.b", "")},
		{404, missing, "Function not found: " + functionARN + long, get(long, "")},
		{404, missing, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", get("arn:aws:lambda:eu-west-1:"+account+"function:f", "")},
		{404, missing, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", get("eu-west-1:"+account+"function:none:1", "")},
		{400, constraint, violation(strings.Repeat("a", 257), "functionName", "Member must have length less than or equal to 256"), get(strings.Repeat("a", 257), "")},
		{400, constraint, violation(strings.Repeat("a", 141), "functionName", "Member must have length less than or equal to 140"), request{method: "POST", path: fns, body: function("", object{"FunctionName": strings.Repeat("a", 141)})}},
		{400, invalid, violation(long, "functionName", "Member must have length less than or equal to 64"), request{method: "POST", path: fns, body: function("", object{"FunctionName": here + account + "function:" + long})}},
		{404, missing, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", request{method: "POST", path: fns, body: function("", object{"FunctionName": "arn:aws:lambda:eu-west-1:" + account + "function:x"})}},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}
	for _, name := range []string{"111111111111:function:f", "arn:aws:lambda:us-east-1:111111111111:function:none", "arn:aws-cn:lambda:us-east-1:" + account + "function:f"} {
		s.refused(403, "AccessDeniedException", "", get(name, ""))
	}
}
