package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAliases(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.update("f", object{"Timeout": 9})
	s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}})
	latest := s.settle("f").body["RevisionId"]
	path := fns + "/f/aliases"
	create := func(body object) request { return request{method: "POST", path: path, body: body} }
	update := func(body object) request { return request{method: "PUT", path: path + "/live", body: body} }

	want := object{"AliasArn": functionARN + "f:live", "Name": "live", "FunctionVersion": "1", "Description": "", "RevisionId": "RevisionId"}
	a := s.ok(201, create(object{"Name": "live", "FunctionVersion": "1"}))
	first := a.body["RevisionId"]
	a.body["RevisionId"] = "RevisionId"
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("CreateAlias: -want +got\n%s", diff)
	}
	if got := s.settle("f").body["RevisionId"]; got != latest {
		t.Error("an alias changed the function")
	}
	c := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=live"})
	v := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=1"})
	if c.body["FunctionArn"] != functionARN+"f:live" || c.body["Version"] != "1" || c.body["RevisionId"] != v.body["RevisionId"] {
		t.Errorf("the function by its alias is %s", c.text)
	}

	a = s.ok(200, update(object{"Description": "d", "RoutingConfig": object{"AdditionalVersionWeights": object{"2": 0.5}}, "RevisionId": first}))
	if diff := cmp.Diff(object{"AdditionalVersionWeights": object{"2": 0.5}}, a.body["RoutingConfig"]); diff != "" || a.body["RevisionId"] == first {
		t.Errorf("UpdateAlias: %s", a.text)
	}
	if kept := s.ok(200, update(object{"Description": "e"})); kept.body["RoutingConfig"] == nil || kept.body["Description"] != "e" {
		t.Errorf("what was not sent has changed: %s", kept.text)
	}
	if gone := s.ok(200, update(object{"RoutingConfig": object{"AdditionalVersionWeights": object{}}})); gone.body["RoutingConfig"] != nil {
		t.Errorf("weights are still there: %s", gone.text)
	}
	s.ok(201, create(object{"Name": "2024-01-02", "FunctionVersion": "$LATEST"}))
	for query, want := range map[string]string{"": "2024-01-02 live", "?FunctionVersion=1": "live", "?FunctionVersion=2": "", "?FunctionVersion=$LATEST": "2024-01-02", "?MaxItems=1": "2024-01-02"} {
		if got := members(s.ok(200, request{method: "GET", path: path + query}).body["Aliases"], "Name"); got != want {
			t.Errorf("%q lists %q, want %q", query, got, want)
		}
	}

	s.ok(200, request{method: "PUT", path: fns + "/f/configuration", body: object{"Role": role + "-other"}})
	s.settle("f")
	s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}})
	const invalid, constraint, missing = "InvalidParameterValueException", "ValidationException", "ResourceNotFoundException"
	weights := func(w object) object { return object{"AdditionalVersionWeights": w} }
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{409, "ResourceConflictException", "Alias already exists: " + functionARN + "f:live", create(object{"Name": "live", "FunctionVersion": "1"})},
		{404, missing, "Function not found: " + functionARN + "g:1", request{method: "POST", path: fns + "/g/aliases", body: object{"Name": "live", "FunctionVersion": "1"}}},
		{404, missing, "Function not found: " + functionARN + "f:10", create(object{"Name": "x", "FunctionVersion": "10"})},
		{404, missing, "Cannot find alias arn: " + functionARN + "f:none", request{method: "GET", path: path + "/none"}},
		{404, missing, "Alias not found: " + functionARN + "f:none", request{method: "PUT", path: path + "/none", body: object{}}},
		{404, missing, "Function not found: " + functionARN + "f:10", update(object{"FunctionVersion": "10"})},
		{404, missing, "Function not found: " + functionARN + "f:10", update(object{"RoutingConfig": weights(object{"10": 0.1})})},
		{412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
			update(object{"RevisionId": first})},
		{400, constraint, "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
			create(object{"Name": "2024", "FunctionVersion": "1"})},
		{400, invalid, "$LATEST is not supported for an alias pointing to more than 1 version",
			create(object{"Name": "x", "FunctionVersion": "$LATEST", "RoutingConfig": weights(object{"1": 0.5})})},
		{400, invalid, "Number of items in AdditionalVersionWeights cannot be greater than 1",
			create(object{"Name": "x", "FunctionVersion": "1", "RoutingConfig": weights(object{"1": 0.5, "2": 0.5})})},
		{400, invalid, "Invalid function version 1. Function version 1 is already included in routing configuration.",
			create(object{"Name": "x", "FunctionVersion": "1", "RoutingConfig": weights(object{"1": 0.5})})},
		{400, invalid, "Specified versions must be associated with the same execution role", update(object{"RoutingConfig": weights(object{"3": 0.5})})},
		{404, missing, "Function not found: " + functionARN + "f:10", create(object{"Name": "x", "FunctionVersion": "10", "RoutingConfig": weights(object{"3": 0.5})})},
		{400, constraint, "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy " +
			"constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
			create(object{"Name": "x", "FunctionVersion": "1", "RoutingConfig": weights(object{"2": 2})})},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}
	s.ok(204, request{method: "DELETE", path: path + "/live"})
	s.ok(204, request{method: "DELETE", path: path + "/live"})
	s.refused(404, missing, "Cannot find alias arn: "+functionARN+"f:live", request{method: "GET", path: path + "/live"})
}
