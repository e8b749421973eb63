package control_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const (
	levelOfText = `LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "Json" and try again.`
	onlyLatest  = "Current operation does not support versions other than $LATEST. Please set the version to $LATEST or do not set a version in your request."
	inProgress  = "The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:f"
	stale       = "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
)

func codeOf(f *fixture, name string, zip []byte) control.UpdateFunctionCodeInput {
	return control.UpdateFunctionCodeInput{Caller: here, Ref: ref(name), Package: control.Package{Zip: f.zip(zip)}}
}

func configurationOf(name string, change func(*control.UpdateFunctionConfigurationInput)) control.UpdateFunctionConfigurationInput {
	in := control.UpdateFunctionConfigurationInput{Caller: here, Ref: ref(name)}
	if change != nil {
		change(&in)
	}
	return in
}

func TestUpdateFunctionCode(t *testing.T) {
	f := start(t)
	before := f.create("f")
	zip := lambdatest.PythonFunction("def lambda_handler(event, context): return 2\n")
	in := codeOf(f, "f", zip)
	in.Architectures = []string{"arm64"}
	in.RevisionID = before.RevisionID
	running, err := f.UpdateFunctionCode(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.UpdateStatus = lambda.UpdateInProgress
	want.UpdateReason = catalog.Reason{Text: "The function is being created.", Code: "Creating"}
	want.Latest = running.Latest
	want.RevisionID, want.Sequence = running.RevisionID, running.Sequence
	wantSame(t, "while it runs", running.Function, want)
	wantSame(t, "digest", running.Latest.Code.Digest, digest.Of(zip))
	wantSame(t, "architectures", running.Latest.Config.Architectures, []string{"arm64"})
	wantSame(t, "revision", running.Latest.Number, 2)
	done := f.settled("f")
	wantSame(t, "status", done.UpdateStatus, lambda.UpdateSuccessful)
	wantSame(t, "reason", done.UpdateReason, catalog.Reason{})
	if before.RevisionID == running.RevisionID || running.RevisionID == done.RevisionID {
		t.Errorf("got revision IDs %s, %s, %s, want all different", before.RevisionID, running.RevisionID, done.RevisionID)
	}

	// A redundant update goes the same way.
	again, err := f.UpdateFunctionCode(t.Context(), codeOf(f, "f", zip))
	if err != nil {
		t.Fatal(err)
	}
	if again.RevisionID == done.RevisionID || again.UpdateStatus != lambda.UpdateInProgress || again.Latest.Number != 3 {
		t.Errorf("a redundant update: got %+v", again)
	}
	wantSame(t, "architectures stay", f.settled("f").Latest.Config.Architectures, []string{"arm64"})
}

func TestDryRun(t *testing.T) {
	f := start(t)
	before := f.create("f")
	zip := lambdatest.PythonFunction("# other\n")
	in := codeOf(f, "f", zip)
	in.DryRun = true
	answer, err := f.UpdateFunctionCode(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "digest in the answer", answer.Latest.Code.Digest, digest.Of(zip))
	wantSame(t, "the function", f.get("f"), before)
	bad := codeOf(f, "f", []byte("no zip"))
	bad.DryRun = true
	_, err = f.UpdateFunctionCode(t.Context(), bad)
	wantError(t, err, lambda.Invalid, badZip)
}

func TestUpdateCodeRefuses(t *testing.T) {
	f := start(t)
	f.create("f")
	type input = control.UpdateFunctionCodeInput
	noZip := func(in *input) { in.Package.Zip.Discard(); in.Package.Zip = nil }
	for _, row := range []struct {
		name   string
		change func(*input)
		kind   lambda.Kind
		text   string
	}{
		{"unknown", func(in *input) { in.Ref.Name = "gone" }, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone"},
		{"version", func(in *input) { in.Ref.Qualifier = "1" }, lambda.Invalid, onlyLatest},
		{"other account", func(in *input) { in.Ref.Account = "111111111111" }, lambda.Denied, ""},
		{"no code", noZip, lambda.Invalid, "Please provide a source for function code."},
		{"no key", func(in *input) { noZip(in); in.Package.S3 = &control.S3Object{Bucket: "b"} }, lambda.Invalid,
			"Please provide a source for function code."},
		{"zip and S3", func(in *input) { in.Package.S3 = &control.S3Object{Bucket: "b", Key: "k"} }, lambda.Invalid,
			"Please do not provide other FunctionCode parameters when providing a ZipFile."},
		{"image", func(in *input) { noZip(in); in.Package.ImageURI = "x" }, lambda.Invalid,
			"Please don't provide ImageUri when updating a function with packageType Zip."},
		{"other members", func(in *input) { in.NotBuilt = []string{"X"} }, lambda.NotBuilt, "lamina does not implement X yet."},
		{"stale", func(in *input) { in.RevisionID = "x" }, lambda.Stale, stale},
		{"not a zip", func(in *input) { noZip(in); in.Package.Zip = f.zip([]byte("no zip")) }, lambda.Invalid, badZip},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := codeOf(f, "f", lambdatest.EchoFunction())
			row.change(&in)
			_, err := f.UpdateFunctionCode(t.Context(), in)
			wantError(t, err, row.kind, row.text)
			if n := f.data.staged(t); n != 0 {
				t.Errorf("%d staged zips are left", n)
			}
		})
	}
}

func TestUpdateFunctionConfiguration(t *testing.T) {
	f := start(t)
	before := f.create("f", func(in *control.CreateFunctionInput) {
		in.Config.Environment = &lambda.Variables{Map: map[string]string{"AA": "1"}}
	})
	want := before.Latest.Config
	type input = control.UpdateFunctionConfigurationInput
	revision := before.RevisionID
	for _, row := range []struct {
		name   string
		change func(*input)
		want   func(*lambda.Configuration)
	}{
		{"nothing", func(*input) {}, func(*lambda.Configuration) {}},
		{"all members", func(in *input) {
			in.Runtime, in.Handler, in.Role, in.Description = new(lambda.Runtime("python3.12")), new("h.h"), new(role+"2"), new("d")
			in.MemorySize, in.Timeout, in.StorageSize = new(256), new(9), new(1024)
			in.TracingMode, in.SnapStart, in.KMSKeyARN, in.DeadLetterARN = new("Active"), new("PublishedVersions"), new("k"), new("q")
		}, func(c *lambda.Configuration) {
			c.Runtime, c.Handler, c.Role, c.Description = "python3.12", "h.h", role+"2", "d"
			c.MemorySize, c.Timeout, c.StorageSize = 256, 9, 1024
			c.TracingMode, c.SnapStart, c.KMSKeyARN, c.DeadLetterARN = "Active", "PublishedVersions", "k", "q"
		}},
		{"empty again", func(in *input) { in.Description = new("") }, func(c *lambda.Configuration) { c.Description = "" }},
		{"other variables", func(in *input) { in.Environment = &lambda.Variables{Map: map[string]string{"BB": "2"}} },
			func(c *lambda.Configuration) { c.Environment = &lambda.Variables{Map: map[string]string{"BB": "2"}} }},
		{"no variables", func(in *input) { in.Environment = &lambda.Variables{Map: map[string]string{}} },
			func(c *lambda.Configuration) { c.Environment = &lambda.Variables{Map: map[string]string{}} }},
		{"log group", func(in *input) { in.Logging = &control.LoggingUpdate{LogGroup: "/g"} },
			func(c *lambda.Configuration) { c.Logging.LogGroup = "/g" }},
		{"log format", func(in *input) { in.Logging = &control.LoggingUpdate{LogFormat: "JSON"} },
			func(c *lambda.Configuration) {
				c.Logging = lambda.LoggingConfig{LogFormat: "JSON", LogGroup: "/g", ApplicationLogLevel: "INFO", SystemLogLevel: "INFO"}
			}},
		{"log level", func(in *input) { in.Logging = &control.LoggingUpdate{ApplicationLogLevel: "DEBUG"} },
			func(c *lambda.Configuration) { c.Logging.ApplicationLogLevel = "DEBUG" }},
		{"log format again", func(in *input) { in.Logging = &control.LoggingUpdate{LogFormat: "JSON"} }, func(*lambda.Configuration) {}},
		{"text", func(in *input) { in.Logging = &control.LoggingUpdate{LogFormat: "Text"} },
			func(c *lambda.Configuration) {
				c.Logging = lambda.LoggingConfig{LogFormat: "Text", LogGroup: "/g"}
			}},
	} {
		row.want(&want)
		in := configurationOf("f", row.change)
		in.RevisionID = revision
		running, err := f.UpdateFunctionConfiguration(t.Context(), in)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		wantSame(t, row.name+": status", running.UpdateStatus, lambda.UpdateInProgress)
		wantSame(t, row.name+": state", running.State, lambda.StateActive)
		fn := f.settled("f")
		wantSame(t, row.name, fn.Latest.Config, want)
		wantSame(t, row.name+": code", fn.Latest.Code, before.Latest.Code)
		revision = fn.RevisionID
	}
}

func TestUpdateConfigurationRefuses(t *testing.T) {
	f := start(t)
	before := f.create("f")
	type input = control.UpdateFunctionConfigurationInput
	for _, row := range []struct {
		name   string
		change func(*input)
		kind   lambda.Kind
		text   string
	}{
		{"unknown", func(in *input) { in.Ref.Name = "gone" }, lambda.NotFound, "Function not found: arn:aws:lambda:us-east-1:000000000000:function:gone"},
		{"alias", func(in *input) { in.Ref.Qualifier = "live" }, lambda.Invalid, onlyLatest},
		{"other region", func(in *input) { in.Ref.Region = "eu-west-2" }, lambda.NotFound,
			"Functions from 'eu-west-2' are not reachable in this region ('us-east-1')"},
		{"log level of text", func(in *input) { in.Logging = &control.LoggingUpdate{ApplicationLogLevel: "DEBUG"} }, lambda.Invalid, levelOfText},
		{"log level with text", func(in *input) { in.Logging = &control.LoggingUpdate{LogFormat: "Text", SystemLogLevel: "INFO"} }, lambda.Invalid, levelOfText},
		{"other members", func(in *input) { in.NotBuilt = []string{"ImageConfig"} }, lambda.NotBuilt, "lamina does not implement ImageConfig yet."},
		{"old runtime", func(in *input) { in.Runtime = new(lambda.Runtime("go1.x")) }, lambda.Invalid,
			"The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a " +
				"supported runtime while creating or updating functions."},
		{"reserved variable", func(in *input) { in.Environment = &lambda.Variables{Map: map[string]string{"AWS_SESSION_TOKEN": ""}} },
			lambda.Invalid, "Lambda was unable to configure your environment variables because the environment variables you have provided " +
				"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_SESSION_TOKEN"},
		{"stale", func(in *input) { in.RevisionID = "x" }, lambda.Stale, stale},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", row.change))
			wantError(t, err, row.kind, row.text)
		})
	}
	wantSame(t, "the function", f.get("f"), before)
}

func TestUpdateWhileChanging(t *testing.T) {
	f := start(t)
	f.trees.set(blocked)
	created, err := f.CreateFunction(t.Context(), f.minimal("f"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(fn catalog.Function) {
		t.Helper()
		in := codeOf(f, "f", lambdatest.EchoFunction())
		in.RevisionID = fn.RevisionID
		_, err := f.UpdateFunctionCode(t.Context(), in)
		wantError(t, err, lambda.Conflict, inProgress)
		_, err = f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil))
		wantError(t, err, lambda.Conflict, inProgress)
	}
	refused(created.Function)
	f.restart()
	f.settled("f")
	f.trees.set(blocked)
	updated, err := f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil))
	if err != nil {
		t.Fatal(err)
	}
	refused(updated.Function)
	wantSame(t, "the function", f.get("f"), updated.Function)
	f.restart()
	f.settled("f")
}

// TestConcurrentUpdates: of many updates at once exactly one wins, whatever they change.
func TestConcurrentUpdates(t *testing.T) {
	const writers = 20
	f := start(t)
	f.create("f")
	f.trees.set(blocked)
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			if i%2 == 0 {
				_, errs[i] = f.UpdateFunctionConfiguration(t.Context(), configurationOf("f", nil))
				return
			}
			_, errs[i] = f.UpdateFunctionCode(t.Context(), codeOf(f, "f", lambdatest.EchoFunction()))
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantError(t, err, lambda.Conflict, inProgress)
	}
	if fn := f.get("f"); won != 1 || fn.Latest.Number != 2 {
		t.Errorf("%d updates won and the newest revision is %d, want 1 and 2", won, fn.Latest.Number)
	}
	f.restart()
	f.settled("f")
}

// TestConcurrentCreates: a name is given once.
func TestConcurrentCreates(t *testing.T) {
	const writers = 10
	f := start(t)
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		in := f.minimal("f")
		wg.Go(func() { _, errs[i] = f.CreateFunction(t.Context(), in) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantError(t, err, lambda.Conflict, "Function already exist: f")
	}
	if won != 1 {
		t.Errorf("%d creations won, want 1", won)
	}
	f.settled("f")
}

// TestCatalogFails: an error that nobody classified stays one.
func TestCatalogFails(t *testing.T) {
	f := start(t)
	f.create("f")
	f.stop()
	_, err := f.GetFunction(t.Context(), here, ref("f"))
	var e *lambda.Error
	if err == nil || errors.As(err, &e) {
		t.Errorf("got %v, want an error without a kind", err)
	}
}
