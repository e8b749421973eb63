package api_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	urlForm = regexp.MustCompile(`^https://[a-z0-9]{32}\.lambda-url\.us-east-1\.on\.aws/$`)

	// Moments have the form that AWS has for each resource.
	dateForm    = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$`)
	urlDateForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$`)
	secondsForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$`)
)

func urlOf(method, suffix string, body any) request {
	return request{method: method, path: "/2021-10-31/functions/" + suffix, body: body}
}

// wantURL compares the answer about a URL, whose changing members have a form only; it gives the URL.
func wantURL(t *testing.T, a answer, want object) string {
	t.Helper()
	u, _ := a.body["FunctionUrl"].(string)
	if !urlForm.MatchString(u) {
		t.Errorf("the URL is %q", u)
	}
	delete(a.body, "FunctionUrl")
	for _, name := range []string{"CreationTime", "LastModifiedTime"} {
		if v, ok := a.body[name].(string); ok && urlDateForm.MatchString(v) {
			a.body[name] = "date"
		}
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	return u
}

func TestFunctionURL(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	created := func(arn string, more object) object {
		w := object{"FunctionArn": functionARN + arn, "AuthType": "NONE", "CreationTime": "date"}
		for k, v := range more {
			w[k] = v
		}
		return w
	}
	kept := func(arn string, more object) object {
		w := created(arn, object{"LastModifiedTime": "date", "InvokeMode": "BUFFERED"})
		for k, v := range more {
			w[k] = v
		}
		return w
	}
	cors := object{"AllowCredentials": false, "AllowHeaders": []any{"Date", "X-A"}, "AllowMethods": []any{"GET"},
		"AllowOrigins": []any{"https://b.example", "https://a.example"}, "ExposeHeaders": []any{}, "MaxAge": 0.0}

	own := wantURL(t, s.ok(201, urlOf("POST", "f/url", object{"AuthType": "NONE"})), created("f", nil))
	live := wantURL(t, s.ok(201, urlOf("POST", "f/url?Qualifier=live", object{"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM", "Cors": cors})),
		created("f:live", object{"InvokeMode": "RESPONSE_STREAM", "Cors": cors}))
	if own == live {
		t.Error("two URLs are one")
	}
	if u := wantURL(t, s.ok(200, urlOf("GET", "f/url", nil)), kept("f", nil)); u != own {
		t.Error("the URL changed")
	}
	wantURL(t, s.ok(200, urlOf("GET", "f:live/url", nil)), kept("f:live", object{"InvokeMode": "RESPONSE_STREAM", "Cors": cors}))
	wantURL(t, s.ok(200, urlOf("PUT", "f/url", object{"AuthType": "AWS_IAM", "Cors": cors})), kept("f", object{"AuthType": "AWS_IAM", "Cors": cors}))
	wantURL(t, s.ok(200, urlOf("PUT", "f/url", object{"InvokeMode": "RESPONSE_STREAM"})),
		kept("f", object{"AuthType": "AWS_IAM", "Cors": cors, "InvokeMode": "RESPONSE_STREAM"}))
	if u := wantURL(t, s.ok(200, urlOf("PUT", "f/url", object{"Cors": object{}, "InvokeMode": "BUFFERED"})), kept("f", object{"AuthType": "AWS_IAM"})); u != own {
		t.Error("the URL changed")
	}
	list := s.ok(200, urlOf("GET", "f/urls?MaxItems=1", nil))
	if got := members(list.body["FunctionUrlConfigs"], "FunctionArn"); got != functionARN+"f" {
		t.Errorf("listed %s", got)
	}
	next := s.ok(200, urlOf("GET", "f/urls?Marker="+url.QueryEscape(list.body["NextMarker"].(string)), nil))
	if got := members(next.body["FunctionUrlConfigs"], "FunctionUrl"); got != live || next.body["NextMarker"] != nil {
		t.Errorf("listed %s", next.text)
	}

	none := object{"AuthType": "NONE"}
	const missing, constraint = "ResourceNotFoundException", "ValidationException"
	const gone, noFunction = "The resource you requested does not exist.", "Function does not exist"
	pattern := func(q string) string {
		return "1 validation error detected: Value '" + q + "' at 'qualifier' failed to satisfy constraint: " +
			`Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)`
	}
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{409, "ResourceConflictException", "Failed to create function url config for [functionArn = " + functionARN + "f]. Error message:  FunctionUrlConfig exists for this Lambda function", urlOf("POST", "f/url", none)},
		{409, "ResourceConflictException", "Failed to create function url config for [functionArn = " + functionARN + "f:live]. Error message:  FunctionUrlConfig exists for this Lambda function", urlOf("POST", "f/url?Qualifier=live", none)},
		{404, missing, noFunction, urlOf("POST", "x/url", none)},
		{404, missing, noFunction, urlOf("POST", "f/url?Qualifier=none", none)},
		{404, missing, noFunction, urlOf("PUT", "x/url", none)},
		{404, missing, noFunction, urlOf("PUT", "f/url?Qualifier=none", none)},
		{404, missing, noFunction, urlOf("GET", "x/urls", nil)},
		{404, missing, gone, urlOf("GET", "x/url", nil)},
		{404, missing, gone, urlOf("GET", "f/url?Qualifier=none", nil)},
		{404, missing, gone, urlOf("DELETE", "x/url", nil)},
		{404, missing, gone, urlOf("DELETE", "f/url?Qualifier=none", nil)},
		{400, constraint, pattern("1"), urlOf("POST", "f/url?Qualifier=1", none)},
		{400, constraint, pattern("$LATEST"), urlOf("GET", "f/url?Qualifier=$LATEST", nil)},
		{400, constraint, pattern("1"), urlOf("PUT", "f:1/url", none)},
		{400, constraint, "1 validation error detected: Value 'x' at 'invokeMode' failed to satisfy constraint: Member must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]", urlOf("POST", "f/url", object{"AuthType": "NONE", "InvokeMode": "x"})},
		{404, missing, "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')", urlOf("GET", "arn:aws:lambda:eu-west-1:000000000000:function:f/urls", nil)},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}

	s.ok(204, urlOf("DELETE", "f/url", nil))
	s.refused(404, missing, gone, urlOf("DELETE", "f/url", nil))
	s.refused(404, missing, gone, urlOf("PUT", "f/url", object{"AuthType": "NONE"}))
	s.ok(200, urlOf("GET", "f/url?Qualifier=live", nil))
	s.ok(204, request{method: "DELETE", path: fns + "/f/aliases/live"})
	s.refused(404, missing, gone, urlOf("GET", "f/url?Qualifier=live", nil))
	if a := s.ok(200, urlOf("GET", "f/urls", nil)); cmp.Diff(object{"FunctionUrlConfigs": []any{}}, a.body) != "" {
		t.Errorf("listed %s", a.text)
	}
}

// TestFunctionURLIsNotCalled: whoever calls a URL learns that nothing answers there, and nobody else's Host is let in by that.
func TestFunctionURLIsNotCalled(t *testing.T) {
	s := newServer(t)
	const id = "abcdefghijklmnopqrstuvwxyz234567"
	for host, status := range map[string]int{id + ".lambda-url.us-east-1.on.aws": 501, id + ".lambda-url.eu-west-1.localhost:4566": 501,
		"x.lambda-url.us-east-1.on.aws": 403, id + ".attacker.example": 403} {
		a := s.do(request{method: "POST", path: "/anything", header: map[string]string{"Host": host}})
		if a.status != status {
			t.Errorf("%s: %d %s", host, a.status, a.text)
		}
	}
}
