package cli_test

import (
	"net/url"
	"testing"
)

const invalidName = "1 validation error detected: Value 'x' at 'layerName' failed to satisfy constraint"

// TestMeantARN: AWS's error about an ARN that leaves out what it names is shown, and what was probably meant.
func TestMeantARN(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.fail("GET /2018-10-31/layers/{name}/versions", 400, "ValidationException", invalidName)
	f.fail("GET /2015-03-31/functions/{name}", 404, "ResourceNotFoundException", "Function not found: x")
	const slip = "arn:aws:lambda:us-east-1:000000000000:libs"
	const layer = ` has ":layer:" in it; was arn:aws:lambda:us-east-1:000000000000:layer:libs`
	run(t, "layer", "show", slip+":1").want(t, 1, "", "cannot show layer "+slip+":1: "+invalidName+" (ValidationException, request 11111111-2222-3333-4444-555555555555)\n  the ARN of a layer"+layer+":1 meant?\n")
	run(t, "layer", "show", slip).want(t, 1, "", layer+" meant?\n")
	run(t, "layer", "list", slip).want(t, 1, "", layer+" meant?\n")
	zip := t.TempDir() + "/layer.zip"
	writeFile(t, zip, string(sampleZip()))
	run(t, "layer", "publish", slip, zip).want(t, 1, "", layer+" meant?\n")
	run(t, "layer", "show", "arn:aws:lambda:us-east-1:000000000000:function:f").want(t, 1, "", "that is the ARN of a function, and not of a layer\n")
	run(t, "function", "show", "arn:aws:lambda:us-east-1:000000000000:f").want(t, 3, "", `the ARN of a function has ":function:" in it; was arn:aws:lambda:us-east-1:000000000000:function:f meant?`)
	run(t, "function", "show", "arn:aws:lambda:us-east-1:000000000000:layer:f:1").want(t, 3, "", "that is the ARN of a layer, and not of a function\n")
	run(t, "layer", "list", "x").want(t, 1, "", invalidName+" (ValidationException, request 11111111-2222-3333-4444-555555555555)\n")

	run(t, "run", t.TempDir(), "--layer", slip+":1").want(t, 2, "", "--layer takes a folder or a zip, since lamina run asks no server: not \""+slip+":1\"\n  the ARN of a layer"+layer+":1 meant?\n")
	run(t, "run", t.TempDir(), "--layer", libsARN+":1").want(t, 2, "", "  get its zip first: curl -o layer.zip \"$(aws lambda get-layer-version-by-arn --arn "+libsARN+":1 --query Content.Location --output text)\"\n")
}

// TestDeniedLayer: AWS's refusal is shown, and which statement is missing and the command that adds it.
func TestDeniedLayer(t *testing.T) {
	bare(t)
	f := newFake(t)
	const arn = "arn:aws:lambda:eu-west-1:000000000000:layer:libs"
	denied := func(user, action, resource string) string {
		return "User: " + user + " is not authorized to perform: lambda:" + action + " on resource: " + resource +
			" because no resource-based policy allows the lambda:" + action + " action"
	}
	const root, role = "arn:aws:iam::111111111111:root", "arn:aws:sts::222222222222:assumed-role/r/s"
	f.fail("GET /2018-10-31/layers/"+url.PathEscape(arn)+"/versions/3", 403, "AccessDeniedException", denied(root, "GetLayerVersion", arn+":3"))
	f.fail("GET /2018-10-31/layers/"+url.PathEscape(arn)+"/versions/4", 403, "AccessDeniedException", denied(role, "GetLayerVersion", arn+":4"))
	f.fail("GET /2018-10-31/layers/"+url.PathEscape(arn)+"/versions", 403, "AccessDeniedException", denied(root, "ListLayerVersions", arn))

	r := run(t, "layer", "show", arn+":3")
	want := "lamina: cannot show layer " + arn + ":3: " + denied(root, "GetLayerVersion", arn+":3") + " (AccessDeniedException, request 11111111-2222-3333-4444-555555555555)\n" +
		`  the version's policy has no statement such as {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},"Action":"lambda:GetLayerVersion","Resource":"` + arn + ":3\"}\n" +
		"  if the version exists, account 000000000000 adds it with:\n" +
		"  aws lambda add-layer-version-permission --endpoint-url " + f.URL + " --region eu-west-1 --layer-name libs --version-number 3 --statement-id account-111111111111 --action lambda:GetLayerVersion --principal 111111111111\n"
	if r.Code != 1 || r.Err != want {
		t.Errorf("got code %d\n%s\nwant\n%s", r.Code, r.Err, want)
	}
	run(t, "layer", "show", arn+":4").want(t, 1, "", "--statement-id account-222222222222 --action lambda:GetLayerVersion --principal 222222222222\n")
	run(t, "layer", "list", arn).want(t, 1, "", "  no policy can grant lambda:ListLayerVersions to another account; it grants reading one version: lamina layer show "+arn+":VERSION\n")
}
