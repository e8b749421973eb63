package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambdatest"
)

const layerARN = "arn:aws:lambda:us-east-1:000000000000:layer:"

func TestPublishLayerVersionAnswersTheFullShape(t *testing.T) {
	s := newServer(t)
	zip := lambdatest.PythonLayer("m", "x = 1\n")
	sum := sha256.Sum256(zip)
	a := s.publish("libs", object{"CompatibleRuntimes": []string{"python3.12", "go1.x"}, "CompatibleArchitectures": []string{"x86_64"},
		"LicenseInfo": "MIT", "Unknown": object{"x": []int{1}}})
	content := a.body["Content"].(object)
	if l := content["Location"].(string); !strings.HasPrefix(l, s.url+"/_lamina/download/") {
		t.Errorf("Location = %s", l)
	}
	delete(content, "Location")
	if c := a.body["CreatedDate"].(string); len(c) != 28 || !strings.HasSuffix(c, "+0000") || c[19] != '.' {
		t.Errorf("CreatedDate = %s", c)
	}
	delete(a.body, "CreatedDate")
	want := object{
		"Content":  object{"CodeSha256": base64.StdEncoding.EncodeToString(sum[:]), "CodeSize": float64(len(zip))},
		"LayerArn": layerARN + "libs", "LayerVersionArn": layerARN + "libs:1", "Version": 1.0, "Description": "",
		"CompatibleRuntimes": []any{"python3.12", "go1.x"}, "CompatibleArchitectures": []any{"x86_64"}, "LicenseInfo": "MIT",
	}
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLayerVersionMembersThatWereNotSent(t *testing.T) {
	s := newServer(t)
	s.publish("bare")
	s.publish("empty", object{"CompatibleRuntimes": []string{}, "CompatibleArchitectures": nil, "Description": "d"})
	got := s.ok(200, request{method: "GET", path: "/2018-10-31/layers/bare/versions/1"})
	wantKeys := []string{"Content", "CreatedDate", "Description", "LayerArn", "LayerVersionArn", "Version"}
	if diff := cmp.Diff(wantKeys, slices.Sorted(maps.Keys(got.body))); diff != "" {
		t.Errorf("bare: -want +got\n%s", diff)
	}
	list := s.ok(200, request{method: "GET", path: "/2018-10-31/layers/bare/versions"})
	item := list.body["LayerVersions"].([]any)[0].(object)
	if diff := cmp.Diff([]string{"CreatedDate", "LayerVersionArn", "Version"}, slices.Sorted(maps.Keys(item))); diff != "" {
		t.Errorf("bare in a list: -want +got\n%s", diff)
	}
	got = s.ok(200, request{method: "GET", path: "/2018-10-31/layers/empty/versions/1"})
	if r, ok := got.body["CompatibleRuntimes"].([]any); !ok || len(r) != 0 {
		t.Errorf("an empty list came back as %v", got.body["CompatibleRuntimes"])
	}
	if a, there := got.body["CompatibleArchitectures"]; there {
		t.Errorf("null came back as %v", a)
	}
}

func TestLayerLifeCycle(t *testing.T) {
	s := newServer(t)
	for want := 1.0; want <= 2; want++ {
		if got := s.publish("libs").body["Version"]; got != want {
			t.Errorf("version %v, want %v", got, want)
		}
	}
	full := s.ok(200, request{method: "GET", path: "/2018-10-31/layers/libs/versions/2"})
	for _, path := range []string{
		"/2018-10-31/layers?find=LayerVersion&Arn=" + url.QueryEscape(layerARN+"libs:2"),
		"/2018-10-31/layers/" + url.PathEscape(layerARN+"libs") + "/versions/2",
		"/2018-10-31/layers/" + strings.ReplaceAll(layerARN+"libs", ":", "%3A") + "/versions/2",
	} {
		same := s.ok(200, request{method: "GET", path: path})
		delete(full.body["Content"].(object), "Location")
		delete(same.body["Content"].(object), "Location")
		if diff := cmp.Diff(full.body, same.body); diff != "" {
			t.Errorf("%s: -want +got\n%s", path, diff)
		}
	}
	if got := versions(s, "libs"); got != "2 1" {
		t.Errorf("versions %s, want 2 1", got)
	}
	for _, v := range []string{"1", "2", "2", "77"} {
		if a := s.ok(204, request{method: "DELETE", path: "/2018-10-31/layers/libs/versions/" + v}); a.text != "" {
			t.Errorf("deleting %s answered %q", v, a.text)
		}
	}
	if got := versions(s, "libs"); got != "" {
		t.Errorf("versions %s after all were deleted", got)
	}
	if got := s.publish("libs").body["Version"]; got != 3.0 {
		t.Errorf("version %v, want 3", got)
	}
}

func versions(s *server, layer string) string {
	s.t.Helper()
	var out []string
	a := s.ok(200, request{method: "GET", path: "/2018-10-31/layers/" + layer + "/versions"})
	for _, v := range a.body["LayerVersions"].([]any) {
		out = append(out, fmt.Sprint(v.(object)["Version"]))
	}
	return strings.Join(out, " ")
}

func TestListLayersPages(t *testing.T) {
	s := newServer(t)
	for _, name := range []string{"c", "a", "b"} {
		s.publish(name)
	}
	var names []string
	for path := "/2018-10-31/layers?MaxItems=2"; path != ""; {
		a := s.ok(200, request{method: "GET", path: path})
		for _, l := range a.body["Layers"].([]any) {
			names = append(names, l.(object)["LayerName"].(string))
			if v := l.(object)["LatestMatchingVersion"].(object)["Version"]; v != 1.0 {
				t.Errorf("the latest version is %v", v)
			}
		}
		path = ""
		if marker, ok := a.body["NextMarker"].(string); ok {
			path = "/2018-10-31/layers?MaxItems=2&Marker=" + url.QueryEscape(marker)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	s.publish("d", object{"CompatibleRuntimes": []string{"python3.13"}, "CompatibleArchitectures": []string{"arm64"}})
	for query, want := range map[string]int{
		"CompatibleRuntime=python3.13": 1, "CompatibleArchitecture=arm64": 1, "CompatibleArchitecture=x86_64": 0, "CompatibleRuntime=ruby4.0": 0,
	} {
		a := s.ok(200, request{method: "GET", path: "/2018-10-31/layers/?" + query})
		if got := len(a.body["Layers"].([]any)); got != want {
			t.Errorf("%s: %d layers, want %d", query, got, want)
		}
	}
}

// TestPartitions: ARNs have the partition of the region that a request is signed for, and it is taken back in them.
func TestPartitions(t *testing.T) {
	s := newServer(t)
	content := object{"Content": object{"ZipFile": lambdatest.PythonLayer("m", "x = 1\n")}}
	for region, partition := range map[string]string{"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		in := signed("AKIAEXAMPLE", region, "lambda")
		arn := "arn:" + partition + ":lambda:" + region + ":000000000000:layer:libs"
		published := s.ok(201, request{method: "POST", path: "/2018-10-31/layers/libs/versions", header: in, body: content})
		if got := published.body["LayerVersionArn"]; got != arn+":1" {
			t.Errorf("%s: published %v", region, got)
		}
		s.ok(200, request{method: "GET", path: "/2018-10-31/layers?find=LayerVersion&Arn=" + arn + ":1", header: in})
		s.ok(200, request{method: "GET", path: "/2018-10-31/layers/" + arn + "/versions/1", header: in})
		policy := s.ok(201, request{method: "POST", path: "/2018-10-31/layers/libs/versions/1/policy", header: in,
			body: object{"StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "111111111111"}})
		if text := fmt.Sprint(policy.body["Statement"]); !strings.Contains(text, "arn:"+partition+":iam::111111111111:root") {
			t.Errorf("%s: %s", region, text)
		}
	}
}

func TestLayersOfAccountsAndRegionsAreApart(t *testing.T) {
	s := newServer(t)
	s.publish("libs")
	path := "/2018-10-31/layers/libs/versions/1"
	for name, row := range map[string]struct {
		header map[string]string
		status int
	}{
		"same":             {signed("AKIAEXAMPLE", "us-east-1", "lambda"), 200},
		"the same, named":  {signed("000000000000", "us-east-1", "lambda"), 200},
		"another region":   {signed("AKIAEXAMPLE", "eu-west-1", "lambda"), 404},
		"another account":  {signed("111111111111", "us-east-1", "lambda"), 404},
		"no real region":   {signed("AKIAEXAMPLE", "Us_East", "lambda"), 200},
		"a broken header":  {map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=x"}, 200},
		"another protocol": {map[string]string{"Authorization": "Bearer x"}, 200},
	} {
		if a := s.do(request{method: "GET", path: path, header: row.header}); a.status != row.status {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	presigned := path + "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + url.QueryEscape("111111111111/20260112/us-east-1/lambda/aws4_request")
	if a := s.do(request{method: "GET", path: presigned}); a.status != 404 {
		t.Errorf("pre-signed: %d %s", a.status, a.text)
	}
}
