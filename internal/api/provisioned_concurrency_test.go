package api_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func provisionedOf(method, suffix string, n any) request {
	r := request{method: method, path: "/2019-09-30/functions/" + suffix}
	if n != nil {
		r.body = object{"ProvisionedConcurrentExecutions": n}
	}
	return r
}

func TestProvisionedConcurrency(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "dev", "FunctionVersion": "$LATEST"}})
	const of = "f/provisioned-concurrency"
	want := func(a answer, status string, requested, available float64, more ...object) {
		t.Helper()
		if v, _ := a.body["LastModified"].(string); !secondsForm.MatchString(v) {
			t.Errorf("LastModified is %v", a.body["LastModified"])
		}
		delete(a.body, "LastModified")
		w := object{"RequestedProvisionedConcurrentExecutions": requested, "AvailableProvisionedConcurrentExecutions": available,
			"AllocatedProvisionedConcurrentExecutions": available, "Status": status}
		for _, m := range more {
			for k, v := range m {
				w[k] = v
			}
		}
		if diff := cmp.Diff(w, a.body); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	const invalid, missing, conflict = "InvalidParameterValueException", "ResourceNotFoundException", "ResourceConflictException"
	const none, noneText = "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function"
	s.refused(404, none, noneText, provisionedOf("GET", of+"?Qualifier=live", nil))
	want(s.ok(202, provisionedOf("PUT", of+"?Qualifier=live", 2)), "IN_PROGRESS", 2, 0)
	want(s.ok(200, provisionedOf("GET", of+"?Qualifier=live", nil)), "READY", 2, 2)
	s.refused(409, conflict, "Version is pointed by a Provisioned Concurrency alias", provisionedOf("PUT", of+"?Qualifier=1", 1))
	want(s.ok(202, provisionedOf("PUT", of+"?Qualifier=live", 3)), "IN_PROGRESS", 3, 0)
	s.ok(204, request{method: "DELETE", path: fns + "/f/aliases/live"})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	s.refused(404, none, noneText, provisionedOf("GET", of+"?Qualifier=live", nil))
	want(s.ok(202, provisionedOf("PUT", of+"?Qualifier=1", 1)), "IN_PROGRESS", 1, 0)
	s.refused(409, conflict, "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version", provisionedOf("PUT", of+"?Qualifier=live", 1))

	// The version that the alias means from now on can have its own.
	s.ok(200, request{method: "PUT", path: fns + "/f/configuration", body: object{"Description": "2"}})
	s.settle("f")
	s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}})
	s.ok(200, request{method: "PUT", path: fns + "/f/aliases/live", body: object{"FunctionVersion": "2"}})
	want(s.ok(202, provisionedOf("PUT", of+"?Qualifier=live", 4)), "IN_PROGRESS", 4, 0)
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "both", "FunctionVersion": "1", "RoutingConfig": object{"AdditionalVersionWeights": object{"2": 0.5}}}})
	s.refused(400, invalid, "Alias with weights can not be used with Provisioned Concurrency", provisionedOf("PUT", of+"?Qualifier=both", 1))
	s.ok(204, request{method: "DELETE", path: fns + "/f/aliases/both"})
	list := s.ok(200, provisionedOf("GET", of+"?List=ALL&MaxItems=1", nil))
	items, _ := list.body["ProvisionedConcurrencyConfigs"].([]any)
	if len(items) != 1 {
		t.Fatalf("listed %s", list.text)
	}
	want(answer{body: items[0].(object)}, "READY", 1, 1, object{"FunctionArn": functionARN + "f:1"})
	next := s.ok(200, provisionedOf("GET", of+"?List=ALL&Marker="+url.QueryEscape(list.body["NextMarker"].(string)), nil))
	if got := members(next.body["ProvisionedConcurrencyConfigs"], "FunctionArn"); got != functionARN+"f:live" || next.body["NextMarker"] != nil {
		t.Errorf("listed %s", next.text)
	}

	const latest = "The function resource provided must be an alias or a published version."
	const unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{400, invalid, latest, provisionedOf("GET", of+"?Qualifier=$LATEST", nil)},
		{400, invalid, latest, provisionedOf("DELETE", of+"?Qualifier=$LATEST", nil)},
		{400, invalid, unpublished, provisionedOf("PUT", of+"?Qualifier=$LATEST", 1)},
		{400, invalid, unpublished, provisionedOf("PUT", of+"?Qualifier=dev", 1)},
		{404, missing, "Function not found: " + functionARN + "x:1", provisionedOf("PUT", "x/provisioned-concurrency?Qualifier=1", 1)},
		{404, missing, "Function not found: " + functionARN + "f:9", provisionedOf("GET", of+"?Qualifier=9", nil)},
		{404, missing, "Cannot find alias arn: " + functionARN + "f:none", provisionedOf("PUT", of+"?Qualifier=none", 1)},
		{404, missing, "Function not found: " + functionARN + "x", provisionedOf("GET", "x/provisioned-concurrency?List=ALL", nil)},
		{400, "ValidationException", "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1", provisionedOf("PUT", of+"?Qualifier=live", 0)},
		{400, "ValidationException", "1 validation error detected: Value null at 'qualifier' failed to satisfy constraint: Member must not be null", provisionedOf("GET", of, nil)},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}
	s.ok(204, provisionedOf("DELETE", of+"?Qualifier=live", nil))
	s.ok(204, provisionedOf("DELETE", of+"?Qualifier=live", nil))
	s.ok(204, request{method: "DELETE", path: fns + "/f?Qualifier=1"})
	if a := s.ok(200, provisionedOf("GET", of+"?List=ALL", nil)); cmp.Diff(object{"ProvisionedConcurrencyConfigs": []any{}}, a.body) != "" {
		t.Errorf("listed %s", a.text)
	}
}

// TestProvisionedConcurrencyLimits: what is provisioned comes out of what is reserved, or else out of what the account has left.
func TestProvisionedConcurrencyLimits(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.create("g", object{"Publish": true})
	untyped := func(text string, r request) {
		t.Helper()
		a := s.do(r)
		if a.status != 400 || a.header.Get("x-amzn-ErrorType") != "InvalidParameterValueException" || cmp.Diff(object{"message": text}, a.body) != "" {
			t.Errorf("%s %s: %d %s, want %s", r.method, r.path, a.status, a.text, text)
		}
	}
	unreserved := func(want float64) {
		t.Helper()
		limit := s.ok(200, request{method: "GET", path: "/2016-08-19/account-settings"}).body["AccountLimit"].(object)
		if limit["UnreservedConcurrentExecutions"] != want {
			t.Errorf("%v are unreserved, want %v", limit["UnreservedConcurrentExecutions"], want)
		}
	}
	reserve := func(name string, n int) request {
		return request{method: "PUT", path: "/2017-10-31/functions/" + name + "/concurrency", body: object{"ReservedConcurrentExecutions": n}}
	}
	put := func(name string, n int) request {
		return provisionedOf("PUT", name+"/provisioned-concurrency?Qualifier=1", n)
	}
	untyped("Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].", put("f", 1001))
	untyped("Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].", put("f", 901))
	s.ok(202, put("f", 900))
	unreserved(100)
	s.ok(202, put("f", 2)) // in the place of the 900
	unreserved(998)
	untyped(" ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].", reserve("f", 1))
	untyped("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].", reserve("g", 899))
	s.ok(200, reserve("g", 898))
	unreserved(100)
	s.ok(200, reserve("f", 2)) // its own already
	unreserved(100)
	untyped("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function", put("f", 3))
	untyped("Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function", put("g", 899))
	s.ok(202, put("g", 898))
	s.ok(204, request{method: "DELETE", path: fns + "/g"})
	unreserved(998)
}

func TestRuntimeManagementConfig(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	of := func(method, suffix string, body any) request {
		return request{method: method, path: "/2021-07-20/functions/" + suffix, body: body}
	}
	want := func(a answer, arn, mode string, more ...object) {
		t.Helper()
		w := object{"FunctionArn": functionARN + arn, "UpdateRuntimeOn": mode}
		for _, m := range more {
			for k, v := range m {
				w[k] = v
			}
		}
		if diff := cmp.Diff(w, a.body); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	const config = "f/runtime-management-config"
	version := object{"RuntimeVersionArn": "arn:aws:lambda:us-east-1::runtime:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}
	want(s.ok(200, of("GET", config, nil)), "f:$LATEST", "Auto")
	want(s.ok(200, of("PUT", config, object{"UpdateRuntimeOn": "FunctionUpdate"})), "f:$LATEST", "FunctionUpdate")
	want(s.ok(200, of("GET", config+"?Qualifier=$LATEST", nil)), "f:$LATEST", "FunctionUpdate")
	want(s.ok(200, of("GET", config+"?Qualifier=1", nil)), "f:1", "Auto")
	want(s.ok(200, of("PUT", config+"?Qualifier=1", object{"UpdateRuntimeOn": "Manual", "RuntimeVersionArn": version["RuntimeVersionArn"]})), "f:1", "Manual", version)
	want(s.ok(200, of("GET", config+"?Qualifier=1", nil)), "f:1", "Manual", version)
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", of("GET", "x/runtime-management-config", nil))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"f:2", of("PUT", config+"?Qualifier=2", object{"UpdateRuntimeOn": "Auto"}))
	for _, method := range []string{"GET", "PUT"} {
		s.refused(400, "InvalidParameterValueException", "The provided function name "+functionARN+"f:live is invalid. Aliases are not allowed.",
			of(method, config+"?Qualifier=live", object{"UpdateRuntimeOn": "Auto"}))
	}
	s.refused(400, "InvalidParameterValueException", "RuntimeVersionArn is required when UpdateRuntimeOn is Manual.", of("PUT", config, object{"UpdateRuntimeOn": "Manual"}))
	s.refused(400, "InvalidParameterValueException", "RuntimeVersionArn can only be given when UpdateRuntimeOn is Manual.",
		of("PUT", config, object{"UpdateRuntimeOn": "Auto", "RuntimeVersionArn": version["RuntimeVersionArn"]}))
	s.refused(400, "ValidationException", "1 validation error detected: Value 'x' at 'updateRuntimeOn' failed to satisfy constraint: Member must satisfy enum value set: [Auto, Manual, FunctionUpdate]",
		of("PUT", config, object{"UpdateRuntimeOn": "x"}))
}
