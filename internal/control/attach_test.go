package control_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

func withLayers(name string, arns ...string) control.UpdateFunctionConfigurationInput {
	return control.UpdateFunctionConfigurationInput{Caller: here, Ref: ref(name), Layers: &arns}
}

func TestLayersAreRefused(t *testing.T) {
	f := start(t)
	f.create("f")
	for _, name := range []lambda.LayerName{"a", "b", "c", "d", "e", "g"} {
		f.publish(name)
		f.publish(name)
	}
	const prefix = "arn:aws:lambda:us-east-1:000000000000:layer:"
	const pattern = `(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`
	six := []string{prefix + "a:1", prefix + "b:1", prefix + "c:1", prefix + "d:1", prefix + "e:1", prefix + "g:1"}
	bad := func(printed string) string {
		return "1 validation error detected: Value '[" + printed + "]' at 'layers' failed to satisfy constraint: Member must satisfy " +
			"constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, " +
			"Member must satisfy regular expression pattern: " + pattern + ", Member must not be null]"
	}
	denied := func(arn string) string {
		return "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayerVersion on resource: " + arn +
			" because no resource-based policy allows the lambda:GetLayerVersion action"
	}
	const five = "Cannot reference more than 5 layers."
	const region = "Layers are not in the same region as the function. Layers are expected to be in region us-east-1."
	same := func(a, b string) string {
		return "Two different versions of the same layer are not allowed to be referenced in the same function. " + a + " and " + b +
			" are versions of the same layer."
	}
	for _, row := range []struct {
		name string
		list []string
		kind lambda.Kind
		text string
	}{
		{"no version", []string{prefix + "a"}, lambda.Constraint, bad(prefix + "a")},
		{"one bad of two", []string{prefix + "a:1", "x"}, lambda.Constraint, bad(prefix + "a:1, x")},
		{"bad before too many", append([]string{"x"}, six...), lambda.Constraint, bad("x, " + strings.Join(six, ", "))},
		{"six", six, lambda.Invalid, five},
		{"six and none exists", repeat(6, numbered(prefix+"no%d:1")), lambda.Invalid, five},
		{"other region", []string{"arn:aws:lambda:eu-west-2:000000000000:layer:a:1"}, lambda.Invalid, region},
		{"missing, and one of another region", []string{prefix + "no:1", "arn:aws:lambda:eu-west-2:000000000000:layer:a:1"}, lambda.Invalid, region},
		{"missing layer", []string{prefix + "a:1", prefix + "no:1"}, lambda.Invalid, "Layer version " + prefix + "no:1 does not exist."},
		{"missing version", []string{prefix + "a:3"}, lambda.Invalid, "Layer version " + prefix + "a:3 does not exist."},
		{"one of AWS's own", []string{"arn:aws:lambda:::awslayer:AmazonLinux1803"}, lambda.Invalid, "Layer version arn:aws:lambda:::awslayer:AmazonLinux1803 does not exist."},
		{"a number beyond all", []string{prefix + "a:99999999999999999999"}, lambda.Invalid, "Layer version " + prefix + "a:99999999999999999999 does not exist."},
		{"six of AWS's own", repeat(6, numbered("arn:aws:lambda:::awslayer:a%d")), lambda.Invalid, five},
		{"version zero", []string{prefix + "a:0"}, lambda.Invalid, "Layer version " + prefix + "a:0 does not exist."},
		{"foreign", []string{"arn:aws:lambda:us-east-1:111111111111:layer:a:1"}, lambda.Denied, denied("arn:aws:lambda:us-east-1:111111111111:layer:a:1")},
		{"foreign and far", []string{"arn:aws:lambda:eu-west-2:111111111111:layer:a:1"}, lambda.Denied, denied("arn:aws:lambda:eu-west-2:111111111111:layer:a:1")},
		{"twice", []string{prefix + "a:1", prefix + "a:1"}, lambda.Invalid, same(prefix+"a:1", prefix+"a:1")},
		{"two versions", []string{prefix + "a:2", prefix + "b:1", prefix + "a:1"}, lambda.Invalid, same(prefix+"a:2", prefix+"a:1")},
		{"two pairs", []string{prefix + "a:1", prefix + "b:1", prefix + "b:2", prefix + "a:2"}, lambda.Invalid, same(prefix+"b:1", prefix+"b:2")},
		{"twice and missing", []string{prefix + "no:1", prefix + "no:1"}, lambda.Invalid, "Layer version " + prefix + "no:1 does not exist."},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := f.UpdateFunctionConfiguration(t.Context(), withLayers("f", row.list...))
			wantError(t, err, row.kind, row.text)
			_, err = f.CreateFunction(t.Context(), f.minimal("g", func(in *control.CreateFunctionInput) { in.LayerARNs = row.list }))
			wantError(t, err, row.kind, row.text)
		})
	}
	if fn := f.get("f"); fn.Latest.Number != 1 {
		t.Errorf("a refused update wrote revision %d", fn.Latest.Number)
	}
}

func TestLayersOfUpdate(t *testing.T) {
	f := start(t)
	f.create("f")
	a, b := f.publishZip("a", lambdatest.PythonLayer("m", "1")), f.publishZip("b", lambdatest.PythonLayer("m", "2"))
	refs := func(list ...lambda.LayerRef) []lambda.LayerRef { return list }
	refA, refB := lambda.LayerRef{ARN: a.ARN, Content: a.Content}, lambda.LayerRef{ARN: b.ARN, Content: b.Content}
	shadow := []lambda.Shadow{{Path: "python/m.py", Winner: 1, Losers: []int{0}}}
	for i, row := range []struct {
		name    string
		in      control.UpdateFunctionConfigurationInput
		layers  []lambda.LayerRef
		shadows []lambda.Shadow
	}{
		{"attach two", withLayers("f", a.ARN.String(), b.ARN.String()), refs(refA, refB), shadow},
		{"leave them", control.UpdateFunctionConfigurationInput{Caller: here, Ref: ref("f"), Timeout: new(9)}, refs(refA, refB), shadow},
		{"other order", withLayers("f", b.ARN.String(), a.ARN.String()), refs(refB, refA), shadow},
		{"one", withLayers("f", b.ARN.String()), refs(refB), nil},
		{"none", withLayers("f"), nil, nil},
	} {
		if _, err := f.UpdateFunctionConfiguration(t.Context(), row.in); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		fn := f.settled("f")
		wantSame(t, row.name+": layers", fn.Latest.Layers, row.layers)
		wantSame(t, row.name+": shadow map", fn.Latest.ShadowMap, row.shadows)
		wantSame(t, row.name+": revision", fn.Latest.Number, int64(i+2))
	}
}

func TestSizeBudget(t *testing.T) {
	const limit = lambda.MaxUnzippedSize
	f := start(t)
	f.create("f")
	claimed := func(name lambda.LayerName, size int64) string {
		f.trees.claim(size)
		defer f.trees.claim(0)
		return f.publish(name).ARN.String()
	}
	code := f.get("f").Latest.Code.UnzippedSize
	fits, over := claimed("fits", limit-code), claimed("over", limit-code+1)
	alone, one := claimed("alone", limit), claimed("one", 1)

	_, err := f.UpdateFunctionConfiguration(t.Context(), withLayers("f", over))
	combined := "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes."
	wantError(t, err, lambda.Invalid, combined)
	_, err = f.CreateFunction(t.Context(), f.minimal("g", func(in *control.CreateFunctionInput) { in.LayerARNs = []string{over} }))
	wantError(t, err, lambda.Invalid, combined)
	_, err = f.UpdateFunctionConfiguration(t.Context(), withLayers("f", alone, one))
	wantError(t, err, lambda.Invalid, "Layers consume more than the available size of 262144000 bytes")

	if _, err := f.UpdateFunctionConfiguration(t.Context(), withLayers("f", fits)); err != nil {
		t.Fatalf("exactly the limit: %v", err)
	}
	f.settled("f")
	longer := lambdatest.PythonFunction(strings.Repeat("#", int(code)+1))
	_, err = f.UpdateFunctionCode(t.Context(), control.UpdateFunctionCodeInput{Caller: here, Ref: ref("f"), Package: control.Package{Zip: f.zip(longer)}})
	wantError(t, err, lambda.Invalid, "Unzipped size must be smaller than "+fmt.Sprint(code)+" bytes")
	_, err = f.UpdateFunctionCode(t.Context(), control.UpdateFunctionCodeInput{Caller: here, Ref: ref("f"),
		Package: control.Package{Zip: f.zip(lambdatest.EchoFunction())}})
	if err != nil {
		t.Fatalf("code that fits: %v", err)
	}
	f.settled("f")

	// A function whose layers leave nothing: its code has no bytes.
	f.create("empty", func(in *control.CreateFunctionInput) {
		in.Package.Zip.Discard()
		in.Package.Zip = f.zip(lambdatest.Zip(map[string]string{"lambda_function.py": ""}))
		in.LayerARNs = []string{alone}
	})
	_, err = f.UpdateFunctionCode(t.Context(), control.UpdateFunctionCodeInput{Caller: here, Ref: ref("empty"),
		Package: control.Package{Zip: f.zip(lambdatest.EchoFunction())}})
	wantError(t, err, lambda.Invalid, "Unzipped size must be smaller than 0 bytes")
}
