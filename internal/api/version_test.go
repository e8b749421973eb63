package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const fns = "/2015-03-31/functions"

// refused wants an error to the letter.
func (s *server) refused(status int, exception, text string, r request) {
	s.t.Helper()
	a := s.ok(status, r)
	got, _ := a.body["message"].(string)
	if got == "" {
		got, _ = a.body["Message"].(string)
	}
	if a.header.Get("x-amzn-ErrorType") != exception || got != text {
		s.t.Errorf("%s %s: got %s\n%s\nwant %s\n%s", r.method, r.path, a.header.Get("x-amzn-ErrorType"), got, exception, text)
	}
}

// strings gives one member of each item of a list.
func members(list any, name string) string {
	var out []string
	items, _ := list.([]any)
	for _, x := range items {
		out = append(out, fmt.Sprint(x.(object)[name]))
	}
	return strings.Join(out, " ")
}

func (s *server) update(name string, body object) {
	s.t.Helper()
	s.ok(200, request{method: "PUT", path: fns + "/" + name + "/configuration", body: body})
	s.settle(name)
}

func TestPublishVersion(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Description": "of the function"})
	before := s.settle("f")
	publish := request{method: "POST", path: fns + "/f/versions", body: object{}}
	one := s.ok(201, publish)
	want := defaults("f", object{"FunctionArn": functionARN + "f:1", "Version": "1", "State": "Active", "LastUpdateStatus": "Successful",
		"Description": "of the function", "RuntimeVersionConfig": before.body["RuntimeVersionConfig"]})
	revision := one.body["RevisionId"]
	if diff := cmp.Diff(want, mask(t, one.body)); diff != "" {
		t.Errorf("PublishVersion: -want +got\n%s", diff)
	}
	after := s.settle("f")
	if after.body["RevisionId"] == before.body["RevisionId"] || after.body["Version"] != "$LATEST" || after.body["RevisionId"] == revision {
		t.Errorf("$LATEST is now %s", after.text)
	}
	// Nothing has changed: the same version again, whatever is sent.
	again := s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{"Description": "another"}})
	if again.body["Version"] != "1" || again.body["RevisionId"] != revision || again.body["Description"] != "of the function" {
		t.Errorf("published again: %s", again.text)
	}
	if got := s.settle("f").body["RevisionId"]; got != after.body["RevisionId"] {
		t.Error("publishing nothing changed $LATEST")
	}
	sum := digest.Of(lambdatest.EchoFunction()).Base64()
	s.refused(400, "InvalidParameterValueException", "CodeSHA256 (x) is different from current CodeSHA256 in $LATEST ("+sum+"). "+
		"Please try again with the CodeSHA256 in $LATEST.", request{method: "POST", path: fns + "/f/versions", body: object{"CodeSha256": "x"}})
	s.refused(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the "+
		"GetFunction/GetAlias API to retrieve the latest Revision Id", request{method: "POST", path: fns + "/f/versions", body: object{"RevisionId": "x"}})
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"g", request{method: "POST", path: fns + "/g/versions", body: object{}})

	// Another configuration makes another version.
	s.update("f", object{"Timeout": 9})
	two := s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{
		"Description": "two", "CodeSha256": sum, "RevisionId": s.settle("f").body["RevisionId"]}})
	if two.body["Version"] != "2" || two.body["Description"] != "two" || two.body["Timeout"] != 9.0 {
		t.Errorf("the second version is %s", two.text)
	}
	for q, timeout := range map[string]float64{"1": 3, "2": 9, "$LATEST": 9} {
		c := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=" + q})
		g := s.ok(200, request{method: "GET", path: fns + "/f:" + q})
		if c.body["Timeout"] != timeout || c.body["FunctionArn"] != functionARN+"f:"+q || c.body["Version"] != q ||
			cmp.Diff(c.body, g.body["Configuration"]) != "" {
			t.Errorf("%s: %s\n%s", q, c.text, g.text)
		}
	}
	if d := s.settle("f").body["Description"]; d != "of the function" {
		t.Errorf("the version's description went to the function: %v", d)
	}
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"f:3", request{method: "GET", path: fns + "/f?Qualifier=3"})
}

func TestListVersions(t *testing.T) {
	s := newServer(t)
	s.create("f")
	s.create("g")
	for i := range 3 {
		s.update("f", object{"Timeout": i + 10})
		s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}})
	}
	list := s.ok(200, request{method: "GET", path: fns + "/f/versions?MaxItems=10000"})
	if got := members(list.body["Versions"], "Version"); got != "$LATEST 1 2 3" {
		t.Errorf("versions: %s", got)
	}
	first := list.body["Versions"].([]any)[0].(object)
	if first["FunctionArn"] != functionARN+"f:$LATEST" || first["State"] != nil {
		t.Errorf("the first item is %v", first)
	}
	walk := func(path, member, name string) (pages []string) {
		marker := ""
		for {
			a := s.ok(200, request{method: "GET", path: path + marker})
			pages = append(pages, members(a.body[member], name))
			next, ok := a.body["NextMarker"].(string)
			if !ok {
				return pages
			}
			marker = "&Marker=" + strings.NewReplacer("+", "%2B", "=", "%3D", "/", "%2F").Replace(next)
		}
	}
	if diff := cmp.Diff([]string{"$LATEST 1 2", "3"}, walk(fns+"/f/versions?MaxItems=3", "Versions", "Version")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"$LATEST 1", "2 3"}, walk(fns+"/f/versions?MaxItems=2", "Versions", "Version")); diff != "" {
		t.Error(diff)
	}
	for size, want := range map[int][]string{
		1: {"$LATEST", "1", "2", "3", "$LATEST"}, 2: {"$LATEST 1", "2 3", "$LATEST"}, 3: {"$LATEST 1 2", "3 $LATEST"},
		4: {"$LATEST 1 2 3", "$LATEST"}, 5: {"$LATEST 1 2 3 $LATEST"},
	} {
		if diff := cmp.Diff(want, walk(fmt.Sprintf("%s?FunctionVersion=ALL&MaxItems=%d", fns, size), "Functions", "Version")); diff != "" {
			t.Errorf("ALL by %d: %s", size, diff)
		}
	}
	if diff := cmp.Diff([]string{"f", "g"}, walk(fns+"?MaxItems=1", "Functions", "FunctionName")); diff != "" {
		t.Error(diff)
	}
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"none", request{method: "GET", path: fns + "/none/versions"})
}

func TestPublishWithCode(t *testing.T) {
	s := newServer(t)
	a := s.create("f", object{"Publish": true})
	if a.body["Version"] != "1" || a.body["FunctionArn"] != functionARN+"f" || a.body["State"] != "Pending" {
		t.Errorf("CreateFunction answered %s", a.text)
	}
	if v := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=1"}); v.body["State"] != "Active" || v.body["LastUpdateStatus"] != "Successful" {
		t.Errorf("version 1 is %s", v.text)
	}
	zip := lambdatest.PythonFunction("def lambda_handler(event, context): return 2\n")
	code := request{method: "PUT", path: fns + "/f/code", body: object{"ZipFile": zip, "Publish": true}}
	two := s.ok(200, code)
	if two.body["Version"] != "2" || two.body["FunctionArn"] != functionARN+"f:2" || two.body["State"] != "Pending" || two.body["LastUpdateStatus"] != nil {
		t.Errorf("UpdateFunctionCode answered %s", two.text)
	}
	s.settle("f")
	settled := s.ok(200, request{method: "GET", path: fns + "/f/configuration?Qualifier=2"})
	if settled.body["State"] != "Active" || settled.body["RevisionId"] == two.body["RevisionId"] || settled.body["CodeSha256"] != digest.Of(zip).Base64() {
		t.Errorf("version 2 is %s", settled.text)
	}
	if same := s.ok(200, code); same.body["Version"] != "2" {
		t.Errorf("the same code again answered %s", same.text)
	}
	s.settle("f")
}

func TestDeleteVersion(t *testing.T) {
	s := newServer(t)
	s.create("f", object{"Publish": true})
	remove := func(q string) request { return request{method: "DELETE", path: fns + "/f?Qualifier=" + q} }
	s.ok(201, request{method: "POST", path: fns + "/f/aliases", body: object{"Name": "live", "FunctionVersion": "1"}})
	s.refused(409, "ResourceConflictException", "Unable to delete version because the following aliases reference it: [live]", remove("1"))
	s.refused(400, "InvalidParameterValueException", "Deletion of aliases is not currently supported.", remove("live"))
	s.refused(400, "InvalidParameterValueException", "$LATEST version cannot be deleted without deleting the function.", remove("$LATEST"))
	s.ok(204, request{method: "DELETE", path: fns + "/f/aliases/live"})
	s.ok(204, remove("1"))
	s.ok(204, remove("1"))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"f:1", request{method: "GET", path: fns + "/f:1"})
	if v := s.ok(201, request{method: "POST", path: fns + "/f/versions", body: object{}}); v.body["Version"] != "2" {
		t.Errorf("after the deletion: %s", v.text)
	}
}
