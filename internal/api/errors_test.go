package api_test

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const (
	runtimesP = "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2]"
	runtimesL = "[ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7]"
	arch      = "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
	patternA  = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?`
	patternB  = `(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`
	patternV  = `(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
	source    = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "
	tooDeep   = "Document nesting depth (1001) exceeds the maximum allowed (1000, from `StreamReadConstraints.getMaxNestingDepth()`)"
	malformed = "Could not parse request body into json: "
)

// violations is the text for members that break constraints.
func violations(items ...string) string {
	if len(items) == 1 {
		return "1 validation error detected: " + items[0]
	}
	return string(rune('0'+len(items))) + " validation errors detected: " + strings.Join(items, "; ")
}

func value(v, member, constraint string) string {
	return "Value '" + v + "' at '" + member + "' failed to satisfy constraint: " + constraint
}

func longer(n string) string  { return "Member must have length less than or equal to " + n }
func shorter(n string) string { return "Member must have length greater than or equal to " + n }
func matches(p string) string { return "Member must satisfy regular expression pattern: " + p }
func oneOf(l string) string   { return "Member must satisfy enum value set: " + l }

// The forms of error bodies.
func invalid(text string) object      { return object{"Type": "User", "message": text} }
func notFound(text string) object     { return object{"Type": "User", "Message": text} }
func constraint(v ...string) object   { return object{"message": violations(v...)} }
func unparsable(text string) object   { return object{"Type": "User", "message": malformed + text} }
func tooLargeBody(text string) object { return object{"message": text} }

// noOperation is what AWS says of a request that is for none of its operations.
var noOperation = object{"Message": "Unable to determine service/operation name to be authorized"}

const (
	functions = "/2015-03-31/functions"
	layerPath = "/2018-10-31/layers/libs/versions"
)

func TestErrorsToTheLetter(t *testing.T) {
	s := newServer(t)
	s.create("f")
	s.publish("libs")
	zip := object{"ZipFile": lambdatest.PythonLayer("m", "")}
	publish := func(more object) request {
		in := object{"Content": zip}
		maps.Copy(in, more)
		return request{method: "POST", path: layerPath, body: in}
	}
	create := func(more object) request {
		return request{method: "POST", path: functions, body: function("new", more)}
	}
	configure := func(body any) request {
		return request{method: "PUT", path: functions + "/f/configuration", body: body}
	}
	get := func(path string) request { return request{method: "GET", path: path} }
	call := func(body any, header map[string]string) request {
		return request{method: "POST", path: functions + "/f/invocations", body: body, header: header}
	}
	long := strings.Repeat("n", 65)
	west := "arn:aws:lambda:eu-west-1:000000000000:"
	other := "arn:aws:lambda:us-east-1:111111111111:"

	for name, row := range map[string]struct {
		request
		status    int
		exception string
		body      object
	}{
		// Layers.
		"bad runtimes and architectures": {publish(object{"CompatibleRuntimes": []string{"invalidruntime", "invalidruntime2", "nodejs20.x"}, "CompatibleArchitectures": []string{"invalidarch", "x86_64"}}),
			400, "ValidationException", constraint(value("[invalidruntime, invalidruntime2, nodejs20.x]", "compatibleRuntimes", oneOf(runtimesP)), value("[invalidarch, x86_64]", "compatibleArchitectures", arch))},
		"too many of everything": {publish(object{"CompatibleRuntimes": slices.Repeat([]string{"java8"}, 16), "CompatibleArchitectures": []string{"arm64", "arm64", "arm64"},
			"Description": strings.Repeat("é", 257), "LicenseInfo": strings.Repeat("l", 513)}),
			400, "ValidationException", constraint(value(strings.Repeat("é", 257), "description", longer("256")),
				value("["+strings.Repeat("java8, ", 15)+"java8]", "compatibleRuntimes", longer("15")), value(strings.Repeat("l", 513), "licenseInfo", longer("512")),
				value("[arm64, arm64, arm64]", "compatibleArchitectures", longer("2")))},
		"null in a list": {publish(object{"CompatibleArchitectures": []any{"arm64", nil}}), 400, "ValidationException", constraint(value("[arm64, null]", "compatibleArchitectures", arch))},
		"no content":     {request{method: "POST", path: layerPath, body: object{}}, 400, "ValidationException", constraint("Value null at 'content' failed to satisfy constraint: Member must not be null")},
		"empty content":  {publish(object{"Content": object{}}), 400, "InvalidParameterValueException", invalid("Missing Content")},
		"not a zip":      {publish(object{"Content": object{"ZipFile": []byte("hello")}}), 400, "InvalidParameterValueException", invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")},
		"empty zip":      {publish(object{"Content": object{"ZipFile": lambdatest.Zip(nil)}}), 400, "InvalidParameterValueException", invalid("Uploaded file must be a non-empty zip")},
		"from S3": {publish(object{"Content": object{"S3Bucket": "bucket", "S3Key": "key"}}), 400, "InvalidParameterValueException",
			object{"Type": "User", "message": "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist"}},
		"bad layer name":          {request{method: "POST", path: "/2018-10-31/layers/a%20b/versions", body: object{"Content": zip}}, 400, "ValidationException", constraint(value("a b", "layerName", matches(lambda.LayerNamePattern)))},
		"empty layer name":        {get("/2018-10-31/layers//versions"), 403, "AccessDeniedException", noOperation},
		"version 0":               {get(layerPath + "/0"), 400, "InvalidParameterValueException", invalid("Layer Version Cannot be less than 1")},
		"version -1":              {request{method: "DELETE", path: layerPath + "/-1"}, 400, "InvalidParameterValueException", invalid("Layer Version Cannot be less than 1")},
		"version x":               {get(layerPath + "/x"), 400, "ValidationException", constraint(value("x", "versionNumber", "Member must be a valid Long"))},
		"unknown version":         {get(layerPath + "/9"), 404, "ResourceNotFoundException", notFound("The resource you requested does not exist.")},
		"unknown layer":           {get("/2018-10-31/layers/nope/versions/1"), 404, "ResourceNotFoundException", notFound("The resource you requested does not exist.")},
		"ARN without version":     {get("/2018-10-31/layers?find=LayerVersion&Arn=" + layerARN + "libs"), 400, "ValidationException", constraint(value(layerARN+"libs", "arn", matches(patternV)))},
		"no ARN":                  {get("/2018-10-31/layers?find=LayerVersion"), 400, "ValidationException", constraint("Value null at 'arn' failed to satisfy constraint: Member must not be null")},
		"ARN of unknown version":  {get("/2018-10-31/layers?find=LayerVersion&Arn=" + layerARN + "libs:9"), 404, "ResourceNotFoundException", notFound("The resource you requested does not exist.")},
		"ARN of AWS's own layer":  {get("/2018-10-31/layers?find=LayerVersion&Arn=arn:aws:lambda:::awslayer:AmazonLinux1703"), 404, "ResourceNotFoundException", notFound("The resource you requested does not exist.")},
		"layer of other account":  {get("/2018-10-31/layers/" + other + "layer:libs/versions/1"), 403, "AccessDeniedException", object{"Message": "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayerVersion on resource: " + other + "layer:libs:1 because no resource-based policy allows the lambda:GetLayerVersion action"}},
		"layers of other account": {get("/2018-10-31/layers/" + other + "layer:libs/versions"), 403, "AccessDeniedException", object{"Message": "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:ListLayerVersions on resource: " + other + "layer:libs because no resource-based policy allows the lambda:ListLayerVersions action"}},
		"bad filters": {get("/2018-10-31/layers?CompatibleRuntime=runtimedoesnotexist&CompatibleArchitecture=archdoesnotexist"), 400, "ValidationException",
			constraint(value("runtimedoesnotexist", "compatibleRuntime", oneOf(runtimesL)), value("archdoesnotexist", "compatibleArchitecture", oneOf("[x86_64, arm64]")))},
		"bad filter of versions": {get(layerPath + "?CompatibleRuntime=x"), 400, "ValidationException", constraint(value("x", "compatibleRuntime", oneOf(runtimesL)))},
		"page of 0":              {get("/2018-10-31/layers?MaxItems=0"), 400, "ValidationException", constraint(value("0", "maxItems", "Member must have value greater than or equal to 1"))},
		"page of 51":             {get(layerPath + "?MaxItems=51"), 400, "ValidationException", constraint(value("51", "maxItems", "Member must have value less than or equal to 50"))},

		// Functions: names.
		"bad name":                  {get(functions + "/a%20b"), 400, "ValidationException", constraint(value("a b", "functionName", matches(patternA)))},
		"bad new name":              {create(object{"FunctionName": "a.b"}), 400, "ValidationException", constraint(value("a.b", "functionName", matches(patternB)))},
		"141 characters":            {create(object{"FunctionName": strings.Repeat("n", 141)}), 400, "ValidationException", constraint(value(strings.Repeat("n", 141), "functionName", longer("140")))},
		"65 characters":             {create(object{"FunctionName": long}), 400, "InvalidParameterValueException", invalid("1 validation error detected: " + value(long, "functionName", longer("64")))},
		"65 characters, looked up":  {get(functions + "/" + long), 404, "ResourceNotFoundException", notFound("Function not found: " + functionARN + long)},
		"bad qualifier":             {get(functions + "/f?Qualifier=a!"), 400, "ValidationException", constraint(value("a!", "qualifier", matches(lambda.QualifierPattern)))},
		"qualifiers differ":         {get(functions + "/nope:1?Qualifier=2"), 400, "InvalidParameterValueException", invalid("The derived qualifier from the function name does not match the specified qualifier.")},
		"qualifiers differ, invoke": {request{method: "POST", path: functions + "/nope:1/invocations?Qualifier=$LATEST"}, 400, "InvalidParameterValueException", invalid("The derived qualifier from the function name does not match the specified qualifier.")},
		"another region":            {get(functions + "/" + west + "function:f"), 404, "ResourceNotFoundException", notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")},
		"another region, invoke":    {request{method: "POST", path: functions + "/" + west + "function:f/invocations"}, 404, "ResourceNotFoundException", notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")},
		"another account, create":   {create(object{"FunctionName": other + "function:f"}), 403, "AccessDeniedException", object{"Message": nil}},
		"another account, invoke":   {request{method: "POST", path: functions + "/" + other + "function:f/invocations"}, 403, "AccessDeniedException", object{"Message": nil}},
		"unknown function":          {get(functions + "/nope"), 404, "ResourceNotFoundException", notFound("Function not found: " + functionARN + "nope")},
		"unknown function, $LATEST": {get(functions + "/nope/configuration?Qualifier=%24LATEST"), 404, "ResourceNotFoundException", notFound("Function not found: " + functionARN + "nope:$LATEST")},
		"unknown qualifier":         {get(functions + "/f:$latest"), 400, "ValidationException", nil},
		"unknown alias":             {get(functions + "/f?Qualifier=live"), 404, "ResourceNotFoundException", notFound("Function not found: " + functionARN + "f:live")},

		// Functions: members.
		"bad role":             {create(object{"Role": "r1"}), 400, "ValidationException", constraint(value("r1", "role", matches(`arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`)))},
		"nothing":              {request{method: "POST", path: functions, body: object{}}, 400, "ValidationException", constraint("Value null at 'functionName' failed to satisfy constraint: Member must not be null", "Value null at 'role' failed to satisfy constraint: Member must not be null", "Value null at 'code' failed to satisfy constraint: Member must not be null")},
		"no source":            {create(object{"Code": object{}}), 400, "InvalidParameterValueException", invalid("Please provide a source for function code.")},
		"unknown runtime":      {create(object{"Runtime": "Python3.12"}), 400, "InvalidParameterValueException", invalid("Value Python3.12 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + runtimesP + " or be a valid ARN")},
		"deprecated runtime":   {create(object{"Runtime": "go1.x"}), 400, "InvalidParameterValueException", invalid("The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.")},
		"two architectures":    {create(object{"Architectures": []string{"x86_64", "arm64"}}), 400, "ValidationException", constraint(value("[x86_64, arm64]", "architectures", longer("1")))},
		"unknown architecture": {create(object{"Architectures": []string{"X86_64"}}), 400, "ValidationException", constraint(value("[X86_64]", "architectures", arch))},
		"too much of /tmp":     {create(object{"EphemeralStorage": object{"Size": 3000000}}), 400, "ValidationException", constraint(value("3000000", "ephemeralStorage.size", "Member must have value less than or equal to 10240"))},
		"too little of it all": {configure(object{"Timeout": 0, "MemorySize": 127}), 400, "ValidationException", constraint(value("0", "timeout", "Member must have value greater than or equal to 1"), value("127", "memorySize", "Member must have value greater than or equal to 128"))},
		"too much of it all":   {configure(object{"Timeout": 901, "MemorySize": 10241}), 400, "ValidationException", constraint(value("901", "timeout", "Member must have value less than or equal to 900"), value("10241", "memorySize", "Member must have value less than or equal to 10240"))},
		"bad SnapStart":        {create(object{"SnapStart": object{"ApplyOn": "x"}}), 400, "ValidationException", constraint(value("x", "snapStart.applyOn", oneOf("[PublishedVersions, None]")))},
		"bad subnet":           {create(object{"VpcConfig": object{"SubnetIds": []string{"s"}}}), 400, "ValidationException", constraint(value("[s]", "vpcConfig.subnetIds", "Member must satisfy constraint: ["+longer("1024")+", "+shorter("0")+", "+matches("subnet-[0-9a-z]*")+", Member must not be null]"))},
		"bad variable":         {create(object{"Environment": object{"Variables": object{"1a": "secret"}}}), 400, "ValidationException", constraint("Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]")},
		"bad FunctionVersion":  {get(functions + "?FunctionVersion=x"), 400, "ValidationException", constraint(value("x", "functionVersion", oneOf("[ALL]")))},
		"page of 10001":        {get(functions + "?MaxItems=10001"), 400, "ValidationException", constraint(value("10001", "maxItems", "Member must have value less than or equal to 10000"))},
		"environment too large": {request{method: "POST", path: functions, body: `{"FunctionName":"new","Role":"` + role + `","Runtime":"python3.12","Handler":"h.h","Code":{"ZipFile":"eA=="},"Environment":{"Variables":{"ZZ":"<&>","AA":"` + strings.Repeat("v", 4096) + `"}}}`},
			400, "InvalidParameterValueException", invalid(`Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {"ZZ":"<&>","AA":"` + strings.Repeat("v", 4096) + `"}`)},
		"exists":             {create(object{"FunctionName": "f"}), 409, "ResourceConflictException", object{"Type": "User", "message": "Function already exist: f"}},
		"stale":              {configure(object{"RevisionId": "00000000-0000-0000-0000-000000000000"}), 412, "PreconditionFailedException", object{"Type": "User", "message": "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"}},
		"PublishTo":          {create(object{"PublishTo": "LATEST_PUBLISHED"}), 501, "NotImplementedException", nil},
		"delete $LATEST":     {request{method: "DELETE", path: functions + "/nope?Qualifier=$LATEST"}, 400, "InvalidParameterValueException", invalid("$LATEST version cannot be deleted without deleting the function.")},
		"delete an alias":    {request{method: "DELETE", path: functions + "/f:live"}, 400, "InvalidParameterValueException", invalid("Deletion of aliases is not currently supported.")},
		"delete the unknown": {request{method: "DELETE", path: functions + "/nope:3"}, 404, "ResourceNotFoundException", notFound("Function not found: " + functionARN + "nope")},

		// Functions: layers.
		"layer without version": {configure(object{"Layers": []string{layerARN + "libs"}}), 400, "ValidationException", constraint(value("["+layerARN+"libs]", "layers", "Member must satisfy constraint: ["+longer("2048")+", "+shorter("1")+", "+matches(patternV)+", Member must not be null]"))},
		"six layers":            {configure(object{"Layers": slices.Repeat([]string{layerARN + "libs:1"}, 6)}), 400, "InvalidParameterValueException", invalid("Cannot reference more than 5 layers.")},
		"layer of elsewhere":    {configure(object{"Layers": []string{west + "layer:libs:1"}}), 400, "InvalidParameterValueException", invalid("Layers are not in the same region as the function. Layers are expected to be in region us-east-1.")},
		"missing layer":         {configure(object{"Layers": []string{layerARN + "libs:7"}}), 400, "InvalidParameterValueException", invalid("Layer version " + layerARN + "libs:7 does not exist.")},
		"same layer twice":      {configure(object{"Layers": []string{layerARN + "libs:1", layerARN + "libs:1"}}), 400, "InvalidParameterValueException", invalid("Two different versions of the same layer are not allowed to be referenced in the same function. " + layerARN + "libs:1 and " + layerARN + "libs:1 are versions of the same layer.")},

		// Bodies.
		"missing body":      {request{method: "POST", path: functions}, 400, "ValidationException", constraint("Value null at 'functionName' failed to satisfy constraint: Member must not be null", "Value null at 'role' failed to satisfy constraint: Member must not be null", "Value null at 'code' failed to satisfy constraint: Member must not be null")},
		"blank body":        {configure(" "), 400, "InvalidRequestContentException", unparsable("No content to map due to end-of-input" + source + "1, column: 0]")},
		"cut body":          {configure("{\n\"Timeout\": 3"), 400, "InvalidRequestContentException", unparsable("Unexpected end-of-input: expected close marker for Object (start marker at " + strings.TrimPrefix(source, "\n at ") + "1, column: 1])" + source + "2, column: 13]")},
		"not JSON":          {configure("hello"), 400, "InvalidRequestContentException", unparsable("Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + source + "1, column: 6]")},
		"not UTF-8":         {configure("{\"Description\": \"\xff\"}"), 400, "InvalidRequestContentException", unparsable("Invalid UTF-8 start byte 0xff" + source + "1, column: 19]")},
		"nested too deeply": {configure(`{"x": ` + strings.Repeat("[", 2000)), 400, "InvalidRequestContentException", unparsable(tooDeep)},
		"a list":            {configure("[]"), 400, "InvalidRequestContentException", unparsable("START_ARRAY can not be converted to a structure")},
		"text for a number": {configure(object{"Timeout": "3"}), 400, "InvalidRequestContentException", unparsable("STRING_VALUE can not be converted to a Integer")},
		"number for a text": {configure(object{"Description": 3}), 400, "InvalidRequestContentException", unparsable("NUMBER_VALUE can not be converted to a String")},
		"text for a list":   {configure(object{"Layers": "x"}), 400, "InvalidRequestContentException", unparsable("STRING_VALUE can not be converted to a List")},
		"number in a list":  {configure(object{"Layers": []int{1}}), 400, "InvalidRequestContentException", unparsable("NUMBER_VALUE can not be converted to a String")},
		"fraction":          {configure(object{"Timeout": 3.5}), 400, "InvalidRequestContentException", unparsable("Numeric value (3.5) out of range of int")},
		"huge number":       {configure(object{"Timeout": 1e10}), 400, "InvalidRequestContentException", unparsable("Numeric value (10000000000) out of range of int")},
		"number for a zip":  {publish(object{"Content": object{"ZipFile": 7}}), 400, "InvalidRequestContentException", unparsable("NUMBER_VALUE can not be converted to a ByteBuffer")},
		"bad base64":        {publish(object{"Content": object{"ZipFile": "QUJD!"}}), 400, "InvalidRequestContentException", unparsable("Illegal base64 in a blob at character 4")},
		"cut base64":        {publish(object{"Content": object{"ZipFile": "QUJDR"}}), 400, "InvalidRequestContentException", unparsable("Illegal base64 in a blob at character 4")},
		"too many members":  {configure(object{"Description": strings.Repeat("d", lambda.MaxPayloadSize)}), 413, "RequestEntityTooLargeException", tooLargeBody("Request must be smaller than 6291456 bytes for the UpdateFunctionConfiguration operation")},

		// Invoke.
		"event not JSON":        {call("hello", nil), 400, "InvalidRequestContentException", unparsable("Could not parse payload into json: Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')" + source + "1, column: 6]")},
		"event not UTF-8":       {call("\"\xff\"", nil), 400, "InvalidRequestContentException", unparsable("Could not parse payload into json: Invalid UTF-8 start byte 0xff" + source + "1, column: 3]")},
		"event too deep":        {call(strings.Repeat("[", 1001)+strings.Repeat("]", 1001), nil), 400, "InvalidRequestContentException", unparsable("Could not parse payload into json: " + tooDeep)},
		"event much too deep":   {call(strings.Repeat("[", 20000), nil), 400, "InvalidRequestContentException", unparsable("Could not parse payload into json: " + tooDeep)},
		"event too large":       {call(`"`+strings.Repeat("x", lambda.MaxPayloadSize)+`"`, nil), 413, "RequestEntityTooLargeException", object{"message": "Request must be smaller than 6291456 bytes for the InvokeFunction operation"}},
		"unknown type":          {call(nil, map[string]string{"X-Amz-Invocation-Type": "x"}), 400, "ValidationException", constraint(value("x", "invocationType", oneOf("[Event, RequestResponse, DryRun]")))},
		"unknown log type":      {call(nil, map[string]string{"X-Amz-Log-Type": "x"}), 400, "ValidationException", constraint(value("x", "logType", oneOf("[None, Tail]")))},
		"asynchronous":          {call(nil, map[string]string{"X-Amz-Invocation-Type": "Event"}), 501, "NotImplementedException", nil},
		"durable":               {call(nil, map[string]string{"X-Amz-Durable-Execution-Name": "x"}), 501, "NotImplementedException", nil},
		"bad client context":    {call(nil, map[string]string{"X-Amz-Client-Context": "!"}), 400, "InvalidRequestContentException", object{"Type": "User", "message": "Client context must be a valid Base64-encoded JSON object."}},
		"client context a list": {call(nil, map[string]string{"X-Amz-Client-Context": "W10="}), 400, "InvalidRequestContentException", object{"Type": "User", "message": "Client context must be a valid Base64-encoded JSON object."}},

		// Routes.
		"not built":      {get("/2025-11-30/capacity-providers"), 501, "NotImplementedException", object{"Type": "User", "message": "lamina does not have the operation ListCapacityProviders yet; doc/compatibility.md lists what it has"}},
		"unknown path":   {get("/2015-03-31/nothing"), 403, "AccessDeniedException", noOperation},
		"unknown method": {request{method: "PATCH", path: functions + "/f"}, 403, "AccessDeniedException", noOperation},
		"no name":        {request{method: "POST", path: functions + "//invocations", body: "{}"}, 403, "AccessDeniedException", noOperation},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.do(row.request)
			if got := a.header.Get("x-amzn-ErrorType"); a.status != row.status || got != row.exception {
				t.Errorf("got %d %s, want %d %s: %s", a.status, got, row.status, row.exception, a.text)
			}
			if a.header.Get("x-amzn-RequestId") == "" || a.header.Get("Content-Type") != "application/json" {
				t.Errorf("headers: %v", a.header)
			}
			if row.body == nil {
				return
			}
			if diff := cmp.Diff(row.body, a.body); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	if n := staged(t, s); n != 0 {
		t.Errorf("%d staged zips are left", n)
	}
}

// Errors of the invocation itself, whatever the reason: the table from kind to exception.
func TestKindsOfInvoke(t *testing.T) {
	s := newServer(t)
	for name, row := range map[string]struct {
		err       error
		status    int
		exception string
		body      object
	}{
		"throttled":   {&lambda.Error{Kind: lambda.Throttled, Message: "Rate Exceeded.", Reason: "ConcurrentInvocationLimitExceeded"}, 429, "TooManyRequestsException", object{"Type": "User", "message": "Rate Exceeded.", "Reason": "ConcurrentInvocationLimitExceeded"}},
		"pending":     {lambda.Errorf(lambda.NotReady, "The operation cannot be performed at this time. The function is currently in the following state: Pending"), 409, "ResourceConflictException", object{"Type": "User", "message": "The operation cannot be performed at this time. The function is currently in the following state: Pending"}},
		"bad runtime": {lambda.Errorf(lambda.BadRuntime, "no python"), 502, "InvalidRuntimeException", object{"Type": "User", "Message": "no python"}},
		"bad zip":     {lambda.Errorf(lambda.BadZip, "no zip"), 502, "InvalidZipFileException", object{"Type": "User", "Message": "no zip"}},
		"untyped":     {&lambda.Error{Kind: lambda.Invalid, Message: "m", Untyped: true}, 400, "InvalidParameterValueException", object{"message": "m"}},
		"internal":    {errors.New("the disk is on fire"), 500, "ServiceException", object{"Type": "Service", "Message": "An error occurred and the request cannot be processed."}},
	} {
		s.invoker.Err = row.err
		a := s.do(request{method: "POST", path: functions + "/f/invocations"})
		if got := a.header.Get("x-amzn-ErrorType"); a.status != row.status || got != row.exception {
			t.Errorf("%s: got %d %s, want %d %s", name, a.status, got, row.status, row.exception)
		}
		if diff := cmp.Diff(row.body, a.body); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if wait := a.header.Get("Retry-After"); wait != "" { // SDKs would show it as a member that AWS's answers do not have
			t.Errorf("%s: Retry-After is %q", name, wait)
		}
		inLog := strings.Contains(s.log.String(), "the disk is on fire") && strings.Contains(s.log.String(), a.header.Get("x-amzn-RequestId"))
		if inLog != (row.status == 500) {
			t.Errorf("%s: the log is %s", name, s.log)
		}
	}
}

func TestEveryOperationIsRoutedByItsSpelledPath(t *testing.T) {
	s := newServer(t)
	for _, r := range lambdaapi.Routes {
		path := strings.NewReplacer("{VersionNumber}", "1", "{", url.PathEscape("{"), "}", url.PathEscape("}")).Replace(r.Path)
		if r.Query != "" {
			path += "?" + r.Query
		}
		a := s.do(request{method: r.Method, path: path, body: "{}"})
		notBuilt := a.status == http.StatusNotImplemented && strings.Contains(a.text, " "+r.Name+" ")
		if lambdaapi.Built(r.Name) == notBuilt || a.status == 500 {
			t.Errorf("%s %s: %d %s", r.Method, path, a.status, a.text)
		}
	}
}
