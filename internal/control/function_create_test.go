package control_test

import (
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

func TestCreateFunction(t *testing.T) {
	f := start(t)
	f.trees.set(blocked)
	pending, err := f.CreateFunction(t.Context(), f.minimal("f"))
	if err != nil {
		t.Fatal(err)
	}
	want := lambda.Configuration{
		Runtime: "python3.13", Handler: lambdatest.PythonHandler, Role: role,
		MemorySize: 128, Timeout: 3, StorageSize: 512, PackageType: "Zip", Architectures: []string{"x86_64"},
		TracingMode: "PassThrough", SnapStart: "None", Logging: lambda.LoggingConfig{LogFormat: "Text", LogGroup: "/aws/lambda/f"},
	}
	wantSame(t, "defaults", pending.Latest.Config, want)
	wantSame(t, "state", pending.State, lambda.StatePending)
	wantSame(t, "reason", pending.StateReason, catalog.Reason{Text: "The function is being created.", Code: "Creating"})
	wantSame(t, "update status", pending.UpdateStatus, "")
	wantSame(t, "digest", pending.Latest.Code.Digest, digest.Of(lambdatest.EchoFunction()))
	wantSame(t, "what is read", f.get("f"), pending.Function)
	f.restart()
	active := f.settled("f")
	if active.RevisionID == pending.RevisionID {
		t.Error("the revision ID stayed when the function became Active")
	}
	after := pending.Function
	after.State, after.StateReason, after.UpdateStatus = lambda.StateActive, catalog.Reason{}, lambda.UpdateSuccessful
	after.RevisionID, after.Sequence = active.RevisionID, active.Sequence
	wantSame(t, "the active function", active, after)
}

func TestCreateKeepsWhatIsSent(t *testing.T) {
	f := start(t)
	low, high := f.publishZip("low", lambdatest.PythonLayer("m", "1")), f.publishZip("high", lambdatest.PythonLayer("m", "2"))
	fn := f.create("f", func(in *control.CreateFunctionInput) {
		in.Config.Description, in.Config.MemorySize, in.Config.Timeout, in.Config.StorageSize = "d", 256, 10, 1024
		in.Config.Architectures = []string{"arm64"}
		in.Config.Environment = &lambda.Variables{Map: map[string]string{}}
		in.Config.TracingMode, in.Config.SnapStart = "Active", "PublishedVersions"
		in.Config.Logging = lambda.LoggingConfig{LogFormat: "JSON", SystemLogLevel: "WARN"}
		in.LayerARNs = []string{low.ARN.String(), high.ARN.String()}
		in.Tags = map[string]string{"team": "blue"}
	})
	want := lambda.Configuration{
		Runtime: "python3.13", Handler: lambdatest.PythonHandler, Role: role, Description: "d",
		MemorySize: 256, Timeout: 10, StorageSize: 1024, PackageType: "Zip", Architectures: []string{"arm64"},
		Environment: &lambda.Variables{Map: map[string]string{}}, TracingMode: "Active", SnapStart: "PublishedVersions",
		Logging: lambda.LoggingConfig{LogFormat: "JSON", LogGroup: "/aws/lambda/f", ApplicationLogLevel: "INFO", SystemLogLevel: "WARN"},
	}
	wantSame(t, "configuration", fn.Latest.Config, want)
	wantSame(t, "tags", fn.Tags, map[string]string{"team": "blue"})
	wantSame(t, "layers", fn.Latest.Layers, []lambda.LayerRef{{ARN: low.ARN, Content: low.Content}, {ARN: high.ARN, Content: high.Content}})
	wantSame(t, "shadow map", fn.Latest.ShadowMap, []lambda.Shadow{{Path: "python/m.py", Winner: 1, Losers: []int{0}}})
}

func TestCreateRefuses(t *testing.T) {
	f := start(t)
	f.create("taken")
	big := strings.Repeat("x", 4096)
	type input = control.CreateFunctionInput
	noZip := func(in *input) { in.Package.Zip.Discard(); in.Package.Zip = nil }
	withZip := func(zip []byte) func(*input) {
		return func(in *input) { in.Package.Zip.Discard(); in.Package.Zip = f.zip(zip) }
	}
	withRuntime := func(r lambda.Runtime) func(*input) { return func(in *input) { in.Config.Runtime = r } }
	withVariables := func(json string, vars map[string]string) func(*input) {
		return func(in *input) {
			in.Config.Environment, in.EnvironmentJSON = &lambda.Variables{Map: vars}, json
		}
	}
	const (
		runtimes = "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, " +
			"python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, " +
			"nodejs18.x, provided.al2, java8.al2]"
		environment = "Lambda was unable to configure your environment variables because the environment variables you have provided "
		mandatory   = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
		image       = "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image."
	)
	for _, row := range []struct {
		name   string
		change func(*input)
		kind   lambda.Kind
		text   string
	}{
		{"other account", func(in *input) { in.Ref.Account = "111111111111" }, lambda.Denied, ""},
		{"other partition", func(in *input) { in.Ref.Partition = "aws-cn" }, lambda.Denied, ""},
		{"other region", func(in *input) { in.Ref.Region = "eu-west-2" }, lambda.NotFound,
			"Functions from 'eu-west-2' are not reachable in this region ('us-east-1')"},
		{"long name", func(in *input) { in.Ref.Name = lambda.FunctionName(strings.Repeat("n", 65)) }, lambda.Invalid,
			"1 validation error detected: Value '" + strings.Repeat("n", 65) + "' at 'functionName' failed to satisfy constraint: " +
				"Member must have length less than or equal to 64"},
		{"exists", func(in *input) { in.Ref.Name = "taken" }, lambda.Conflict, "Function already exist: taken"},
		{"no code", noZip, lambda.Invalid, "Please provide a source for function code."},
		{"no key", func(in *input) { noZip(in); in.Package.S3 = &control.S3Object{Bucket: "b"} }, lambda.Invalid,
			"Please provide a source for function code."},
		{"zip and S3", func(in *input) { in.Package.S3 = &control.S3Object{Bucket: "b", Key: "k"} }, lambda.Invalid,
			"Please do not provide other FunctionCode parameters when providing a ZipFile."},
		{"zip and image", func(in *input) { in.Package.ImageURI = "x" }, lambda.Invalid,
			"Please do not provide other FunctionCode parameters when providing a ZipFile."},
		{"image URI alone", func(in *input) { noZip(in); in.Package.ImageURI = "x" }, lambda.NotBuilt, "lamina does not implement ImageUri yet."},
		{"image", func(in *input) {
			noZip(in)
			in.Package.ImageURI, in.Config = "x", lambda.Configuration{PackageType: "Image", Role: role}
		}, lambda.NotBuilt, "lamina does not implement PackageType Image yet."},
		{"image with handler", func(in *input) { in.Config.PackageType, in.Config.Runtime = "Image", "" }, lambda.Invalid, image},
		{"image with runtime", func(in *input) { in.Config.PackageType, in.Config.Handler = "Image", "" }, lambda.Invalid, image},
		{"image with layers", func(in *input) {
			in.Config = lambda.Configuration{PackageType: "Image"}
			in.LayerARNs = []string{layerARN("a", 1).String()}
		}, lambda.Invalid, image},
		{"other members", func(in *input) { in.NotBuilt = []string{"ImageConfig", "X"} }, lambda.NotBuilt, "lamina does not implement ImageConfig yet."},
		{"no runtime", withRuntime(""), lambda.Invalid, mandatory},
		{"no handler", func(in *input) { in.Config.Handler = "" }, lambda.Invalid, mandatory},
		{"no handler, own bootstrap", func(in *input) { in.Config.Handler, in.Config.Runtime = "", "provided.al2023" }, lambda.Invalid, mandatory},
		{"unknown runtime", withRuntime("python9"), lambda.Invalid,
			"Value python9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + runtimes + " or be a valid ARN"},
		{"runtime in capitals", withRuntime("Python3.13"), lambda.Invalid,
			"Value Python3.13 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + runtimes + " or be a valid ARN"},
		{"runtime of lists only", withRuntime("nasa"), lambda.Invalid,
			"Value nasa at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: " + runtimes + " or be a valid ARN"},
		{"old runtime", withRuntime("java8"), lambda.Invalid, "The runtime parameter of java8 is no longer supported for creating or updating " +
			"AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."},
		{"very old runtime", withRuntime("nodejs8.10"), lambda.Invalid, "The runtime parameter of nodejs8.10 is no longer supported for creating " +
			"or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."},
		{"log level of text", func(in *input) { in.Config.Logging.SystemLogLevel = "WARN" }, lambda.Invalid, levelOfText},
		{"reserved variable", withVariables("", map[string]string{"A1": "", "AWS_REGION": "x"}), lambda.Invalid,
			environment + "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION"},
		{"two reserved variables", withVariables(`{"LAMBDA_TASK_ROOT":"","A1":"","AWS_REGION":"x"}`,
			map[string]string{"A1": "", "AWS_REGION": "x", "LAMBDA_TASK_ROOT": ""}), lambda.Invalid,
			environment + "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: LAMBDA_TASK_ROOT, AWS_REGION"},
		{"variables in the order of the request", withVariables(` { "zz" : "<é&>" , "aa" : "`+big+`" }`, map[string]string{"aa": big, "zz": "<é&>"}),
			lambda.Invalid, environment + `exceeded the 4KB limit. String measured: {"zz":"<é&>","aa":"` + big + `"}`},
		{"variables without an order", withVariables("", map[string]string{"zz": "1", "aa": big}), lambda.Invalid,
			environment + `exceeded the 4KB limit. String measured: {"aa":"` + big + `","zz":"1"}`},
		{"4097 bytes", withVariables("", map[string]string{"aa": big[:4097-len(`{"aa":""}`)]}), lambda.Invalid,
			environment + `exceeded the 4KB limit. String measured: {"aa":"` + big[:4097-len(`{"aa":""}`)] + `"}`},
		{"tags", func(in *input) {
			in.Tags = map[string]string{}
			for _, tag := range repeat(51, numbered("t%d")) {
				in.Tags[tag] = ""
			}
		}, lambda.Invalid, "Number of tags exceeds resource tag limit."},
		{"not a zip", withZip([]byte("no zip")), lambda.Invalid, badZip},
		{"empty zip", withZip(lambdatest.ZipOf()), lambda.Invalid, "Uploaded file must be a non-empty zip"},
		{"too much inside", withZip(lambdatest.LyingBomb(10, lambda.MaxUnzippedSize+1)), lambda.Invalid, "Unzipped size must be smaller than 262144000 bytes"},
		{"NUL", func(in *input) { in.Config.Description = "a\x00" }, lambda.Invalid, "a text with a NUL character cannot be stored"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := f.CreateFunction(t.Context(), f.minimal("f", row.change))
			wantError(t, err, row.kind, row.text)
			if n := f.data.staged(t); n != 0 {
				t.Errorf("%d staged zips are left", n)
			}
		})
	}
	_, err := f.GetFunction(t.Context(), here, ref("f"))
	wantError(t, err, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f")
}

func TestCreateAccepts(t *testing.T) {
	f := start(t)
	f.create("long-environment", func(in *control.CreateFunctionInput) {
		in.Config.Environment = &lambda.Variables{Map: map[string]string{"aa": strings.Repeat("x", 4096-len(`{"aa":""}`))}}
	})
	f.create(strings.Repeat("n", 64))
	f.create("runtime-that-is-not-here", func(in *control.CreateFunctionInput) { in.Config.Runtime = "dotnet8" })
	f.create("fifty-tags", func(in *control.CreateFunctionInput) {
		in.Tags = map[string]string{}
		for _, tag := range repeat(50, numbered("t%d")) {
			in.Tags[tag] = ""
		}
	})
}

func TestDeleteFunction(t *testing.T) {
	f := start(t)
	f.create("f")
	const gone = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone"
	for _, row := range []struct {
		name, ref string
		kind      lambda.Kind
		text      string // "": no error
	}{
		{"unknown", "gone", lambda.NotFound, gone},
		{"$LATEST", "f:$LATEST", lambda.Invalid, "$LATEST version cannot be deleted without deleting the function."},
		{"$LATEST of an unknown one", "gone:$LATEST", lambda.Invalid, "$LATEST version cannot be deleted without deleting the function."},
		{"alias", "f:live", lambda.Invalid, "Deletion of aliases is not currently supported."},
		{"unknown version", "f:7", 0, ""},
		{"version of an unknown one", "gone:7", lambda.NotFound, gone},
		{"other region", "arn:aws:lambda:eu-west-2:000000000000:function:f", lambda.NotFound,
			"Functions from 'eu-west-2' are not reachable in this region ('us-east-1')"},
		{"the function", "f", 0, ""},
		{"again", "f", lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f"},
	} {
		err := f.DeleteFunction(t.Context(), here, ref(row.ref))
		if row.text != "" {
			wantError(t, err, row.kind, row.text)
		} else if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestGetFunctionByQualifier(t *testing.T) {
	f := start(t)
	f.create("f")
	wantSame(t, "$LATEST", f.get("f:$LATEST"), f.get("f"))
	for _, name := range []string{"f:1", "f:live", "f:$LATEST.PUBLISHED", "f:$latest", "gone:$LATEST", "gone"} {
		r := lambda.FunctionRef{FunctionKey: lambda.FunctionKey{Scope: here}}
		n, q, _ := strings.Cut(name, ":")
		r.Name, r.Qualifier = lambda.FunctionName(n), lambda.Qualifier(q)
		_, err := f.GetFunction(t.Context(), here, r)
		wantError(t, err, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:"+name)
	}
}

func TestQualify(t *testing.T) {
	for _, row := range []struct {
		name string
		q    lambda.Qualifier
		want lambda.Qualifier
	}{{"f", "", ""}, {"f:live", "", "live"}, {"f", "live", "live"}, {"f:live", "live", "live"}} {
		got, err := control.Qualify(ref(row.name), row.q)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, row.name+" and "+string(row.q), got.Qualifier, row.want)
	}
	_, err := control.Qualify(ref("f:live"), "1")
	wantError(t, err, lambda.Invalid, "The derived qualifier from the function name does not match the specified qualifier.")
}

func TestListFunctions(t *testing.T) {
	f := start(t)
	for _, name := range []string{"b", "d", "a", "c"} {
		f.create(name)
	}
	var got []lambda.FunctionName
	in := control.ListFunctionsInput{Caller: here, Limit: 1}
	for {
		page, err := f.ListFunctions(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range page.Functions {
			got = append(got, fn.Key.Name)
		}
		if in.Marker = page.NextMarker; in.Marker == "" {
			break
		}
		if len(got) == 2 { // the last one seen goes, and one that comes before it arrives
			f.create("aa")
			if err := f.DeleteFunction(t.Context(), here, ref("b")); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantSame(t, "names", got, []lambda.FunctionName{"a", "b", "c", "d"})
}

func TestPagesHoldFifty(t *testing.T) {
	f := start(t)
	k := lambda.FunctionKey{Scope: here}
	for _, name := range repeat(51, numbered("f%02d")) {
		k.Name = lambda.FunctionName(name)
		if _, err := f.catalog.InsertFunction(t.Context(), catalog.Function{Key: k, State: lambda.StateActive}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{0, 50, 10000} {
		page, err := f.ListFunctions(t.Context(), control.ListFunctionsInput{Caller: here, Limit: limit})
		if err != nil || len(page.Functions) != 50 || page.NextMarker == "" {
			t.Errorf("limit %d: got %d functions, marker %q, %v; want 50 and a marker", limit, len(page.Functions), page.NextMarker, err)
		}
	}
}
