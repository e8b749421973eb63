package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEventInvokeConfig(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.create("g")
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	const base = "/2019-09-25/functions/"
	send := func(method, suffix string, body any) request {
		return request{method: method, path: base + suffix, body: body}
	}
	const config = "f/event-invoke-config"
	want := func(a answer, arn string, more object) {
		t.Helper()
		if n, _ := a.body["LastModified"].(float64); n < 1.7e9 || n > 1e11 {
			t.Errorf("LastModified is %v", a.body["LastModified"])
		}
		delete(a.body, "LastModified")
		w := object{"FunctionArn": functionARN + arn, "DestinationConfig": object{"OnSuccess": object{}, "OnFailure": object{}}}
		for k, v := range more {
			w[k] = v
		}
		if diff := cmp.Diff(w, a.body); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	queue := "arn:aws:sqs:us-east-1:000000000000:q"
	to := object{"OnSuccess": object{}, "OnFailure": object{"Destination": queue}}
	want(s.ok(200, send("PUT", config, object{"MaximumRetryAttempts": 0})), "f:$LATEST", object{"MaximumRetryAttempts": 0.0})
	want(s.ok(200, send("POST", config, object{"DestinationConfig": object{"OnFailure": object{"Destination": queue}}})), "f:$LATEST",
		object{"MaximumRetryAttempts": 0.0, "DestinationConfig": to})
	want(s.ok(200, send("GET", config+"?Qualifier=$LATEST", nil)), "f:$LATEST", object{"MaximumRetryAttempts": 0.0, "DestinationConfig": to})
	want(s.ok(200, send("PUT", config, object{"MaximumEventAgeInSeconds": 60})), "f:$LATEST", object{"MaximumEventAgeInSeconds": 60.0})
	want(s.ok(200, send("PUT", config+"?Qualifier=live", object{"MaximumRetryAttempts": 2})), "f:live", object{"MaximumRetryAttempts": 2.0})
	want(s.ok(200, send("PUT", config+"?Qualifier=1", object{"MaximumRetryAttempts": 1})), "f:1", object{"MaximumRetryAttempts": 1.0})
	list := s.ok(200, send("GET", config+"/list?MaxItems=2", nil))
	if got := members(list.body["FunctionEventInvokeConfigs"], "FunctionArn"); got != functionARN+"f:$LATEST "+functionARN+"f:1" {
		t.Errorf("listed %s", got)
	}
	next := s.ok(200, send("GET", config+"/list?Marker="+list.body["NextMarker"].(string), nil))
	if got := members(next.body["FunctionEventInvokeConfigs"], "FunctionArn"); got != functionARN+"f:live" || next.body["NextMarker"] != nil {
		t.Errorf("listed %s", next.text)
	}
	const invalid, missing = "InvalidParameterValueException", "ResourceNotFoundException"
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{400, invalid, "You must specify at least one of error handling or destination setting.", send("PUT", config, object{})},
		{400, invalid, "You can't specify the function as a destination for itself.", send("PUT", config, object{"DestinationConfig": object{"OnSuccess": object{"Destination": functionARN + "f"}}})},
		{400, invalid, "The destination ARN " + functionARN + "nope is invalid.", send("PUT", config, object{"DestinationConfig": object{"OnSuccess": object{"Destination": functionARN + "nope"}}})},
		{400, invalid, "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid.",
			send("PUT", config, object{"DestinationConfig": object{"OnSuccess": object{"Destination": "arn:aws:s3:::b"}}})},
		{400, invalid, "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=" + queue + "), onFailure=OnFailure(destination=arn:aws:iam::000000000000:role/r)) is invalid.",
			send("POST", config, object{"DestinationConfig": object{"OnSuccess": object{"Destination": queue}, "OnFailure": object{"Destination": "arn:aws:iam::000000000000:role/r"}}})},
		{404, missing, "The function doesn't exist.", send("PUT", "x/event-invoke-config", object{"MaximumRetryAttempts": 0})},
		{404, missing, "The function doesn't exist.", send("PUT", config+"?Qualifier=none", object{"MaximumRetryAttempts": 0})},
		{404, missing, "The function doesn't exist.", send("POST", "x/event-invoke-config", object{"MaximumRetryAttempts": 0})},
		{404, missing, "The function doesn't exist.", send("GET", "x/event-invoke-config/list", nil)},
		{404, missing, "The function " + functionARN + "g:$LATEST doesn't have an EventInvokeConfig", send("GET", "g/event-invoke-config", nil)},
		{404, missing, "The function " + functionARN + "g:$LATEST doesn't have an EventInvokeConfig", send("DELETE", "g/event-invoke-config", nil)},
		{404, missing, "The function " + functionARN + "g:$LATEST doesn't have an EventInvokeConfig", send("POST", "g/event-invoke-config", object{"MaximumRetryAttempts": 0})},
		{404, missing, "The function " + functionARN + "x:live doesn't have an EventInvokeConfig", send("GET", "x/event-invoke-config?Qualifier=live", nil)},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}
	for _, arn := range []string{functionARN + "g", "arn:aws:s3:::b", "arn:aws:sns:us-east-1:000000000000:t", "arn:aws:events:us-east-1:000000000000:event-bus/b"} {
		s.ok(200, send("PUT", config, object{"DestinationConfig": object{"OnFailure": object{"Destination": arn}}}))
	}
	cleared := s.ok(200, send("POST", config, object{"DestinationConfig": object{"OnFailure": object{"Destination": ""}}})) // takes it away
	want(cleared, "f:$LATEST", object{"DestinationConfig": object{"OnSuccess": object{}, "OnFailure": object{}}})
	s.ok(204, send("DELETE", config, nil))
	s.refused(404, missing, "The function "+functionARN+"f:$LATEST doesn't have an EventInvokeConfig", send("DELETE", config, nil))
	s.ok(204, request{method: "DELETE", path: fns + "/f/aliases/live"})
	s.refused(404, missing, "The function "+functionARN+"f:live doesn't have an EventInvokeConfig", send("GET", config+"?Qualifier=live", nil))
}

func TestRecursionConfig(t *testing.T) {
	s := newServer(t)
	s.create("f")
	r := func(method, name string, body any) request {
		return request{method: method, path: "/2024-08-31/functions/" + name + "/recursion-config", body: body}
	}
	want := func(a answer, loop string) {
		t.Helper()
		if diff := cmp.Diff(object{"RecursiveLoop": loop}, a.body); diff != "" {
			t.Error(diff)
		}
	}
	want(s.ok(200, r("GET", "f", nil)), "Terminate")
	want(s.ok(200, r("PUT", "f", object{"RecursiveLoop": "Allow"})), "Allow")
	want(s.ok(200, r("GET", "f", nil)), "Allow")
	s.refused(400, "ValidationException", "1 validation error detected: Value 'x' at 'recursiveLoop' failed to satisfy constraint: Member must satisfy enum value set: [Terminate, Allow]",
		r("PUT", "f", object{"RecursiveLoop": "x"}))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", r("GET", "x", nil))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", r("PUT", "x", object{"RecursiveLoop": "Allow"}))
}
