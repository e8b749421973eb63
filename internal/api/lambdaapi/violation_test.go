package lambdaapi

import (
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api/jsonstream"
)

// The forms of operations that are not built yet, in the texts recorded from AWS.
func TestViolations(t *testing.T) {
	for _, row := range []struct {
		input *shape
		body  string
		want  string
	}{
		{&shapeAliasRoutingConfiguration, `{"AdditionalVersionWeights":{"2":2}}`,
			"1 validation error detected: Value '{2=2.0}' at 'additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]"},
		{&shapeAliasRoutingConfiguration, `{"AdditionalVersionWeights":{"x":0.5}}`,
			"1 validation error detected: Value '{x=0.5}' at 'additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]"},
		{&shapeCreateAliasRequest, `{"FunctionName":"f","Name":"2024","FunctionVersion":"1"}`,
			"1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"},
		{&shapeCreateAliasRequest, `{"FunctionName":"f","Name":"2024-01-02","FunctionVersion":"1"}`, ""},
		{&shapeAddLayerVersionPermissionRequest, `{"LayerName":"l","VersionNumber":1,"StatementId":"s","Action":"*","Principal":"*"}`,
			"1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion"},
		{&shapeUntagResourceRequest, `{"Resource":"arn:aws:lambda:us-east-1:000000000000:function:f"}`,
			"1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"},
		{&shapeCreateFunctionRequest, `{"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{},"FileSystemConfigs":[{"Arn":"x","LocalMountPath":"/mnt/a"}]}`,
			"1 validation error detected: Value 'x' at 'fileSystemConfigs.1.member.arn' failed to satisfy constraint: Member must satisfy regular expression pattern: "},
		{&shapeFunctionCode, `{"S3Bucket":"my.bucket."}`,
			"1 validation error detected: Value 'my.bucket.' at 's3Bucket' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9A-Za-z\\.\\-_]*(?<!\\.)"},
	} {
		v, err := jsonstream.Decode(strings.NewReader(row.body), jsonstream.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := validate(row.input, &v); err != nil {
			got = err.Error()
		}
		if row.want == "" && got != "" || !strings.HasPrefix(got, row.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", row.body, got, row.want)
		}
	}
}
