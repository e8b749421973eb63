package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	friend   = "111111111111"
	stranger = "222222222222"
	member   = "333333333333" // of an organisation, as apitest says
)

// as makes a request one of another account.
func as(account string, r request) request {
	r.header = signed(account, "us-east-1", "lambda")
	return r
}

func denied(account, action, resource string) string {
	return "User: arn:aws:iam::" + account + ":root is not authorized to perform: lambda:" + action + " on resource: " + resource +
		" because no resource-based policy allows the lambda:" + action + " action"
}

func TestLayerPolicy(t *testing.T) {
	s := newServer(t)
	s.publish("libs")
	const versions = "/2018-10-31/layers/libs/versions/"
	path, arn := versions+"1/policy", layerARN+"libs:1"
	add := func(id, principal string, more object) request {
		body := object{"StatementId": id, "Action": "lambda:GetLayerVersion", "Principal": principal}
		for k, v := range more {
			body[k] = v
		}
		return request{method: "POST", path: path, body: body}
	}
	get := request{method: "GET", path: path}
	const missing, conflict, stale = "ResourceNotFoundException", "ResourceConflictException", "PreconditionFailedException"
	const staleText = "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id"
	s.refused(404, missing, "No policy is associated with the given resource.", get)
	s.refused(404, missing, "No policy is associated with the given resource.", request{method: "DELETE", path: path + "/s1"})

	one := s.ok(201, add("s1", "*", nil))
	text1 := `{"Sid":"s1","Effect":"Allow","Principal":"*","Action":"lambda:GetLayerVersion","Resource":"` + arn + `"}`
	if one.body["Statement"] != text1 {
		t.Errorf("got %s", one.text)
	}
	first := one.body["RevisionId"].(string)
	if got := s.ok(200, get); got.body["RevisionId"] != first || got.body["Policy"] != `{"Version":"2012-10-17","Id":"default","Statement":[`+text1+`]}` {
		t.Errorf("got %s", got.text)
	}
	two := add("s2", friend, nil)
	two.path += "?RevisionId=" + first
	second := s.ok(201, two)
	text2 := `{"Sid":"s2","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + friend + `:root"},"Action":"lambda:GetLayerVersion","Resource":"` + arn + `"}`
	if got := s.ok(200, get); got.body["Policy"] != `{"Version":"2012-10-17","Id":"default","Statement":[`+text1+","+text2+`]}` ||
		got.body["RevisionId"] != second.body["RevisionId"] || second.body["RevisionId"] == first {
		t.Errorf("got %s", got.text)
	}
	two.body.(object)["StatementId"] = "s3"
	s.refused(412, stale, staleText, two)
	s.refused(412, stale, staleText, request{method: "DELETE", path: path + "/s2?RevisionId=" + first})
	s.refused(409, conflict, "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.", add("s1", "*", nil))
	s.refused(404, missing, "Statement s9 is not found in resource policy.", request{method: "DELETE", path: path + "/s9"})
	s.refused(400, "ValidationException", "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion",
		add("s4", "*", object{"Action": "*"}))
	for _, n := range []string{"2", "99"} {
		gone := "Layer version " + layerARN + "libs:" + n + " does not exist."
		s.refused(404, missing, gone, request{method: "GET", path: versions + n + "/policy"})
		s.refused(404, missing, gone, request{method: "DELETE", path: versions + n + "/policy/s1"})
		unknown := add("s1", "*", nil)
		unknown.path = versions + n + "/policy"
		s.refused(404, missing, gone, unknown)
	}
	s.ok(204, request{method: "DELETE", path: path + "/s2?RevisionId=" + second.body["RevisionId"].(string)})
	if got := s.ok(200, get); strings.Contains(got.text, "s2") || got.body["RevisionId"] == second.body["RevisionId"] {
		t.Errorf("after a removal: %s", got.text)
	}
	s.ok(204, request{method: "DELETE", path: path + "/s1"})
	s.refused(404, missing, "No policy is associated with the given resource.", get)

	org := s.ok(201, add("org", "*", object{"OrganizationId": "o-abcdefghij"}))
	if !strings.Contains(org.body["Statement"].(string), `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}`) {
		t.Errorf("got %s", org.text)
	}
	if a := s.ok(400, add("org2", friend, object{"OrganizationId": "o-abcdefghij"})); a.header.Get("x-amzn-ErrorType") != "InvalidParameterValueException" {
		t.Errorf("got %s", a.text)
	}
	long := add("", "*", nil)
	for i := range 200 {
		long.body.(object)["StatementId"] = strings.Repeat("x", 90) + string(rune('a'+i/20)) + string(rune('a'+i%20))
		if a := s.do(long); a.status == 400 {
			if a.header.Get("x-amzn-ErrorType") != "PolicyLengthExceededException" || !strings.Contains(a.text, "is bigger than the limit (20480).") {
				t.Errorf("a long policy: %s", a.text)
			}
			return
		}
	}
	t.Error("a policy grew without limit")
}

func TestLayerSharing(t *testing.T) {
	s := newServer(t)
	s.publish("libs")
	const name = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Alayer%3Alibs"
	arn := layerARN + "libs:1"
	byName := request{method: "GET", path: "/2018-10-31/layers/" + name + "/versions/1"}
	byARN := request{method: "GET", path: "/2018-10-31/layers?find=LayerVersion&Arn=" + arn}
	attach := request{method: "POST", path: fns, body: function("f", object{"Layers": []string{arn}})}
	cannot := func(account string) {
		t.Helper()
		for _, r := range []request{byName, byARN, attach} {
			s.refused(403, "AccessDeniedException", denied(account, "GetLayerVersion", arn), as(account, r))
		}
	}
	grant := func(id, principal string, more object) {
		t.Helper()
		body := object{"StatementId": id, "Action": "lambda:GetLayerVersion", "Principal": principal}
		for k, v := range more {
			body[k] = v
		}
		s.ok(201, request{method: "POST", path: "/2018-10-31/layers/libs/versions/1/policy", body: body})
	}
	can := func(account string) {
		t.Helper()
		s.ok(200, as(account, byName))
		s.ok(200, as(account, byARN))
		s.ok(201, as(account, attach))
	}
	for _, account := range []string{friend, stranger, member} {
		cannot(account)
	}
	grant("friend", friend, nil)
	can(friend)
	cannot(stranger)
	cannot(member)
	grant("org", "*", object{"OrganizationId": "o-abcdefghij"})
	can(member)
	cannot(stranger)
	// What no policy grants.
	s.refused(403, "AccessDeniedException", denied(friend, "ListLayerVersions", layerARN+"libs"), as(friend, request{method: "GET", path: "/2018-10-31/layers/" + name + "/versions"}))
	for action, r := range map[string]request{
		"DeleteLayerVersion":           {method: "DELETE", path: byName.path},
		"GetLayerVersionPolicy":        {method: "GET", path: byName.path + "/policy"},
		"RemoveLayerVersionPermission": {method: "DELETE", path: byName.path + "/policy/friend"},
		"AddLayerVersionPermission": {method: "POST", path: byName.path + "/policy",
			body: object{"StatementId": "x", "Action": "lambda:GetLayerVersion", "Principal": friend}},
	} {
		s.refused(403, "AccessDeniedException", denied(friend, action, arn), as(friend, r))
	}
	// A revoked grant leaves functions alone.
	s.ok(204, request{method: "DELETE", path: "/2018-10-31/layers/libs/versions/1/policy/friend"})
	s.refused(403, "AccessDeniedException", denied(friend, "GetLayerVersion", arn), as(friend, byName))
	got := s.ok(200, as(friend, request{method: "GET", path: fns + "/f/configuration"}))
	if members(got.body["Layers"], "Arn") != arn {
		t.Errorf("the function has %s", got.text)
	}
	grant("all", "*", nil)
	can(stranger)
	// A new version starts without a policy, and a deleted one looks as one that never was.
	s.publish("libs")
	s.refused(403, "AccessDeniedException", denied(stranger, "GetLayerVersion", layerARN+"libs:2"), as(stranger, request{method: "GET", path: "/2018-10-31/layers/" + name + "/versions/2"}))
	s.ok(204, request{method: "DELETE", path: "/2018-10-31/layers/libs/versions/1"})
	s.refused(403, "AccessDeniedException", denied(stranger, "GetLayerVersion", arn), as(stranger, byARN))
}

func TestFunctionPolicy(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	add := func(suffix, id, principal string, more object) request {
		body := object{"StatementId": id, "Action": "lambda:InvokeFunction", "Principal": principal}
		for k, v := range more {
			body[k] = v
		}
		return request{method: "POST", path: fns + suffix, body: body}
	}
	for _, row := range []struct {
		id, principal string
		more          object
		want          string // the principal, and the condition
	}{
		{"service", "s3.amazonaws.com", object{"SourceArn": "arn:aws:s3:::bucket", "SourceAccount": friend},
			`{"Service":"s3.amazonaws.com"} {"StringEquals":{"AWS:SourceAccount":"` + friend + `"},"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"}}`},
		{"account", friend, nil, `{"AWS":"arn:aws:iam::` + friend + `:root"} null`},
		{"arn", "arn:aws:iam::" + friend + ":user/u", nil, `{"AWS":"arn:aws:iam::` + friend + `:user/u"} null`},
		{"all", "*", object{"PrincipalOrgID": "o-abcdefghij"}, `"*" {"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}`},
		{"url", "*", object{"FunctionUrlAuthType": "NONE", "Action": "lambda:InvokeFunctionUrl"}, `"*" {"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}}`},
		{"via", "*", object{"InvokedViaFunctionUrl": true}, `"*" {"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}`},
		{"token", "alexa-appkit.amazon.com", object{"EventSourceToken": "t"},
			`{"Service":"alexa-appkit.amazon.com"} {"StringEquals":{"lambda:EventSourceToken":"t"}}`},
	} {
		before := s.settle("f").body["RevisionId"]
		a := s.ok(201, add("/f/policy", row.id, row.principal, row.more))
		st := struct { // raw, since the order counts
			Sid, Effect, Resource string
			Principal, Condition  json.RawMessage
		}{Condition: json.RawMessage("null")}
		must(t, json.Unmarshal([]byte(a.body["Statement"].(string)), &st))
		if got := string(st.Principal) + " " + string(st.Condition); got != row.want || st.Resource != functionARN+"f" || st.Effect != "Allow" || st.Sid != row.id {
			t.Errorf("%s: got %s\n%s", row.id, a.body["Statement"], got)
		}
		policy := s.ok(200, request{method: "GET", path: fns + "/f/policy"})
		if after := s.settle("f").body["RevisionId"]; after == before || policy.body["RevisionId"] != after {
			t.Errorf("%s: the function went from %v to %v, the policy has %v", row.id, before, after, policy.body["RevisionId"])
		}
		if !strings.HasSuffix(policy.body["Policy"].(string), a.body["Statement"].(string)+"]}") {
			t.Errorf("%s: the policy is %s", row.id, policy.text)
		}
	}
	// Each qualifier has a policy of its own.
	s.ok(201, add("/f/policy?Qualifier=live", "s", friend, nil))
	s.ok(201, add("/f/policy?Qualifier=1", "s", friend, nil))
	for q, sids := range map[string]string{"live": "s", "1": "s"} {
		var p struct{ Statement []object }
		must(t, json.Unmarshal([]byte(s.ok(200, request{method: "GET", path: fns + "/f:" + q + "/policy"}).body["Policy"].(string)), &p))
		if len(p.Statement) != 1 || p.Statement[0]["Sid"] != sids || p.Statement[0]["Resource"] != functionARN+"f:"+q {
			t.Errorf("%s: %v", q, p)
		}
	}
	const invalid, missing = "InvalidParameterValueException", "ResourceNotFoundException"
	remove := func(suffix string) request { return request{method: "DELETE", path: fns + suffix} }
	for _, row := range []struct {
		status          int
		exception, text string
		request
	}{
		{400, invalid, "We currently do not support adding policies for $LATEST.", add("/f/policy?Qualifier=$LATEST", "x", "*", nil)},
		{400, invalid, "The provided principal was invalid. Please check the principal and try again.", add("/f/policy", "x", "nobody", nil)},
		{400, invalid, "The provided principal was invalid. Please check the principal and try again.", add("/f/policy", "x", "arn:aws:iam::1:user/u", nil)},
		{409, "ResourceConflictException", "The statement id (all) provided already exists. Please provide a new statement id, or remove the existing statement.", add("/f/policy", "all", "*", nil)},
		{404, missing, "Function not found: " + functionARN + "g", add("/g/policy", "x", "*", nil)},
		{404, missing, "Function not found: " + functionARN + "f:7", add("/f/policy?Qualifier=7", "x", "*", nil)},
		{404, missing, "Cannot find alias arn: " + functionARN + "f:none", add("/f/policy?Qualifier=none", "x", "*", nil)},
		{412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id",
			add("/f/policy", "x", "*", object{"RevisionId": "x"})},
		{412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id",
			remove("/f/policy/all?RevisionId=x")},
		{404, missing, "The resource you requested does not exist.", request{method: "GET", path: fns + "/g/policy"}},
		{404, missing, "The resource you requested does not exist.", request{method: "GET", path: fns + "/f/policy?Qualifier=$LATEST"}},
		{404, missing, "No policy found for: " + functionARN + "g", remove("/g/policy/x")},
		{404, missing, "Statement x is not found in resource policy.", remove("/f/policy/x")},
	} {
		s.refused(row.status, row.exception, row.text, row.request)
	}
	s.ok(204, remove("/f/policy/s?Qualifier=live"))
	s.refused(404, missing, "The resource you requested does not exist.", request{method: "GET", path: fns + "/f/policy?Qualifier=live"})
	s.refused(404, missing, "No policy is associated with the given resource.", remove("/f/policy/s?Qualifier=live"))
	if diff := cmp.Diff(1, strings.Count(s.ok(200, request{method: "GET", path: fns + "/f/policy?Qualifier=1"}).text, "Sid")); diff != "" {
		t.Error(diff)
	}
}
