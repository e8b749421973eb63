package api_test

import (
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	signingConfigs = "/2020-04-22/code-signing-configs"
	profile        = "arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/0123456789"
	noConfig       = "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0"
)

func signingOf(method, name string, body any) request {
	return request{method: method, path: "/2020-06-30/functions/" + name + "/code-signing-config", body: body}
}

// newSigning makes a code signing configuration and gives its ARN.
func (s *server) newSigning(more ...object) string {
	s.t.Helper()
	in := object{"AllowedPublishers": object{"SigningProfileVersionArns": []any{profile}}}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	a := s.ok(201, request{method: "POST", path: signingConfigs, body: in})
	return a.body["CodeSigningConfig"].(object)["CodeSigningConfigArn"].(string)
}

func TestCodeSigningConfig(t *testing.T) {
	s := newServer(t)
	want := func(a answer, more ...object) {
		t.Helper()
		got, _ := a.body["CodeSigningConfig"].(object)
		arn, _ := got["CodeSigningConfigArn"].(string)
		id, _ := got["CodeSigningConfigId"].(string)
		modified, _ := got["LastModified"].(string)
		if !regexp.MustCompile(`^csc-[a-z0-9]{17}$`).MatchString(id) || arn != "arn:aws:lambda:us-east-1:000000000000:code-signing-config:"+id || !dateForm.MatchString(modified) {
			t.Errorf("got %s", a.text)
		}
		delete(got, "CodeSigningConfigArn")
		delete(got, "CodeSigningConfigId")
		delete(got, "LastModified")
		w := object{"AllowedPublishers": object{"SigningProfileVersionArns": []any{profile}}, "CodeSigningPolicies": object{"UntrustedArtifactOnDeployment": "Warn"}}
		for _, m := range more {
			for k, v := range m {
				w[k] = v
			}
		}
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
	arn := s.newSigning()
	one := func(method string, body any) request {
		return request{method: method, path: signingConfigs + "/" + arn, body: body}
	}
	want(s.ok(200, one("GET", nil)))
	want(s.ok(200, one("PUT", object{"Description": "d"})), object{"Description": "d"})
	other := object{"AllowedPublishers": object{"SigningProfileVersionArns": []any{profile + "x"}}, "CodeSigningPolicies": object{"UntrustedArtifactOnDeployment": "Enforce"}}
	want(s.ok(200, one("PUT", other)), other, object{"Description": "d"})
	want(s.ok(200, one("GET", nil)), other, object{"Description": "d"})
	if list := s.ok(200, request{method: "GET", path: signingConfigs}); members(list.body["CodeSigningConfigs"], "CodeSigningConfigArn") != arn {
		t.Errorf("listed %s", list.text)
	}
	s.ok(204, one("DELETE", nil))
	if a := s.ok(200, request{method: "GET", path: signingConfigs}); cmp.Diff(object{"CodeSigningConfigs": []any{}}, a.body) != "" {
		t.Errorf("listed %s", a.text)
	}
	for _, missing := range []string{arn, noConfig, "arn:aws:lambda:eu-west-1:000000000000:code-signing-config:csc-0123456789abcdef0"} {
		text := "The Lambda code signing configuration " + missing + " can not be found."
		path := signingConfigs + "/" + missing
		for _, r := range []request{{method: "GET", path: path}, {method: "PUT", path: path, body: object{}}, {method: "DELETE", path: path}, {method: "GET", path: path + "/functions"}} {
			s.refused(404, "ResourceNotFoundException", text, r)
			if a := s.do(r); a.body["Type"] != nil {
				t.Errorf("%s has a type", a.text)
			}
		}
	}
	s.refused(400, "ValidationException", "1 validation error detected: Value 'x' at 'codeSigningPolicies.untrustedArtifactOnDeployment' failed to satisfy constraint: Member must satisfy enum value set: [Warn, Enforce]",
		request{method: "POST", path: signingConfigs, body: object{"AllowedPublishers": object{"SigningProfileVersionArns": []any{profile}}, "CodeSigningPolicies": object{"UntrustedArtifactOnDeployment": "x"}}})
}

func TestFunctionCodeSigning(t *testing.T) {
	s := newServer(t)
	s.create("f")
	s.create("g")
	if a := s.ok(200, signingOf("GET", "f", nil)); a.text != "{}\n" {
		t.Errorf("got %q", a.text)
	}
	s.ok(204, signingOf("DELETE", "f", nil))
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", signingOf("GET", "x", nil))
	s.refused(404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+noConfig+".",
		signingOf("PUT", "x", object{"CodeSigningConfigArn": noConfig}))
	arn := s.newSigning()
	s.refused(404, "ResourceNotFoundException", "Function not found: "+functionARN+"x", signingOf("PUT", "x", object{"CodeSigningConfigArn": arn}))
	has := object{"CodeSigningConfigArn": arn, "FunctionName": "f"}
	for _, r := range []request{signingOf("PUT", "f", object{"CodeSigningConfigArn": arn}), signingOf("GET", "f", nil)} {
		if diff := cmp.Diff(has, s.ok(200, r).body); diff != "" {
			t.Errorf("%s: %s", r.method, diff)
		}
	}
	functions := request{method: "GET", path: signingConfigs + "/" + arn + "/functions"}
	if diff := cmp.Diff(object{"FunctionArns": []any{functionARN + "f"}}, s.ok(200, functions).body); diff != "" {
		t.Error(diff)
	}
	s.refused(409, "ResourceConflictException", "Cannot delete the code signing configuration "+arn+" because functions use it.", request{method: "DELETE", path: signingConfigs + "/" + arn})

	// Nothing is signed here: Warn takes code all the same, and Enforce takes none.
	code := request{method: "PUT", path: fns + "/f/code", body: object{"ZipFile": function("f")["Code"].(object)["ZipFile"]}}
	s.ok(200, code)
	s.settle("f")
	s.ok(200, request{method: "PUT", path: signingConfigs + "/" + arn, body: object{"CodeSigningPolicies": object{"UntrustedArtifactOnDeployment": "Enforce"}}})
	s.refused(400, "CodeVerificationFailedException", "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for f.", code)
	s.ok(204, signingOf("DELETE", "f", nil))
	s.ok(200, code)
	s.settle("f")
	// A new function has its configuration from the start, or is not made.
	create := func(arn string) request {
		return request{method: "POST", path: fns, body: function("h", object{"CodeSigningConfigArn": arn})}
	}
	s.refused(404, "CodeSigningConfigNotFoundException", "The code signing configuration cannot be found. Check that the provided configuration is not deleted: "+noConfig+".", create(noConfig))
	s.refused(400, "CodeVerificationFailedException", "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for h.", create(arn))
	warning := s.newSigning()
	s.ok(201, create(warning))
	if diff := cmp.Diff(object{"CodeSigningConfigArn": warning, "FunctionName": "h"}, s.ok(200, signingOf("GET", "h", nil)).body); diff != "" {
		t.Error(diff)
	}
	s.ok(200, signingOf("PUT", "g", object{"CodeSigningConfigArn": arn}))
	s.ok(204, request{method: "DELETE", path: fns + "/g"})
	s.ok(204, request{method: "DELETE", path: signingConfigs + "/" + arn})
}

// TestTagsOfCodeSigningConfig: there are none, and whoever asks is told so.
func TestTagsOfCodeSigningConfig(t *testing.T) {
	s := newServer(t)
	got := s.ok(200, request{path: "/2017-03-31/tags/" + s.newSigning()})
	if diff := cmp.Diff(object{"Tags": object{}}, got.body); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	s.refused(404, "ResourceNotFoundException", "The Lambda code signing configuration "+noConfig+" can not be found.",
		request{path: "/2017-03-31/tags/" + noConfig})
}
