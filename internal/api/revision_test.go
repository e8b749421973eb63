package api_test

import "testing"

// TestRevisionIDs: which changes give a function another RevisionId, and which leave it.
func TestRevisionIDs(t *testing.T) {
	s := newServer(t)
	created := s.ok(201, request{method: "POST", path: fns, body: function("f")}).body["RevisionId"]
	now := func() any { return s.settle("f").body["RevisionId"] }
	if now() == created {
		t.Error("Pending and Active have one RevisionId")
	}
	tags := "/2017-03-31/tags/" + functionARN + "f"
	sha, _ := s.settle("f").body["CodeSha256"].(string)
	for _, row := range []struct {
		name    string
		changes bool
		status  int
		request
	}{
		{"AddPermission", true, 201, request{method: "POST", path: fns + "/f/policy", body: object{"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}}},
		{"RemovePermission", true, 204, request{method: "DELETE", path: fns + "/f/policy/s"}},
		{"TagResource", true, 204, request{method: "POST", path: tags, body: object{"Tags": object{"a": "b"}}}},
		{"UntagResource", true, 204, request{method: "DELETE", path: tags + "?tagKeys=a"}},
		{"PublishVersion", true, 201, request{method: "POST", path: fns + "/f/versions", body: object{"CodeSha256": sha}}},
		{"CreateAlias", false, 201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}}},
		{"UpdateAlias", false, 200, request{method: "PUT", path: fns + "/f/aliases/live", body: object{"Description": "d"}}},
		{"AddPermission of an alias", false, 201, request{method: "POST", path: fns + "/f/policy?Qualifier=live", body: object{"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}}},
		{"UpdateFunctionConfiguration", true, 200, request{method: "PUT", path: fns + "/f/configuration", body: object{"Timeout": 9}}},
		{"UpdateFunctionConfiguration to the same", true, 200, request{method: "PUT", path: fns + "/f/configuration", body: object{"Timeout": 9}}},
		{"UpdateFunctionCode", true, 200, request{method: "PUT", path: fns + "/f/code", body: object{"ZipFile": function("f")["Code"].(object)["ZipFile"]}}},
		{"UpdateFunctionCode, dry", false, 200, request{method: "PUT", path: fns + "/f/code", body: object{"ZipFile": function("f")["Code"].(object)["ZipFile"], "DryRun": true}}},
		{"DeleteAlias", false, 204, request{method: "DELETE", path: fns + "/f/aliases/live"}},
	} {
		before := now()
		a := s.ok(row.status, row.request)
		answered := a.body["RevisionId"]
		after := now()
		if (after != before) != row.changes {
			t.Errorf("%s: changed %v, want %v", row.name, after != before, row.changes)
		}
		if a.body["LastUpdateStatus"] == "InProgress" && (answered == before || answered == after) {
			t.Errorf("%s: one of the two changes has no RevisionId of its own", row.name)
		}
	}
}

// TestStaleRevisionIDs: a RevisionId that is not the latest is refused with the text of its API, and nothing is changed.
func TestStaleRevisionIDs(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	s.publish("libs")
	const layerPolicy = "/2018-10-31/layers/libs/versions/1/policy"
	grant := object{"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "*"}
	s.ok(201, request{method: "POST", path: fns + "/f/policy", body: grant})
	s.ok(201, request{method: "POST", path: layerPolicy, body: object{"StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*"}})
	const stale = "00000000-0000-0000-0000-000000000000"
	const text = "The Revision Id provided does not match the latest Revision Id. Call the "
	before := s.settle("f").text
	for _, row := range []struct {
		api string
		request
	}{
		{"GetFunction/GetAlias", request{method: "PUT", path: fns + "/f/configuration", body: object{"RevisionId": stale}}},
		{"GetFunction/GetAlias", request{method: "PUT", path: fns + "/f/code", body: object{"RevisionId": stale, "ZipFile": function("f")["Code"].(object)["ZipFile"]}}},
		{"GetFunction/GetAlias", request{method: "POST", path: fns + "/f/versions", body: object{"RevisionId": stale}}},
		{"GetFunction/GetAlias", request{method: "PUT", path: fns + "/f/aliases/live", body: object{"RevisionId": stale}}},
		{"GetPolicy", request{method: "POST", path: fns + "/f/policy", body: object{"StatementId": "t", "Action": "lambda:InvokeFunction", "Principal": "*", "RevisionId": stale}}},
		{"GetPolicy", request{method: "DELETE", path: fns + "/f/policy/s?RevisionId=" + stale}},
		{"GetLayerPolicy", request{method: "POST", path: layerPolicy + "?RevisionId=" + stale, body: object{"StatementId": "t", "Action": "lambda:GetLayerVersion", "Principal": "*"}}},
		{"GetLayerPolicy", request{method: "DELETE", path: layerPolicy + "/s?RevisionId=" + stale}},
	} {
		s.refused(412, "PreconditionFailedException", text+row.api+" API to retrieve the latest Revision Id", row.request)
	}
	if after := s.settle("f").text; after != before {
		t.Errorf("the function changed:\n%s\n%s", before, after)
	}
	policy := s.ok(200, request{method: "GET", path: fns + "/f/policy"}).body["RevisionId"]
	if policy != s.settle("f").body["RevisionId"] {
		t.Error("the policy's RevisionId is not the function's")
	}
}
