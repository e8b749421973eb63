package control_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const (
	noResource = "The resource you requested does not exist."
	badZip     = "Could not unzip uploaded file. Please check your file, then try to upload again."
)

var (
	stranger  = lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
	otherSide = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "eu-west-2"}
)

func TestPublishLayerVersion(t *testing.T) {
	f := start(t)
	zip := lambdatest.PythonLayer("m", "x = 1")
	for want := int64(1); want <= 2; want++ {
		v, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{
			Caller: here, Layer: layerKey("libs"), Zip: f.zip(zip), Description: new(""), LicenseInfo: new("MIT"),
			Runtimes: []string{"python3.13", "python3.9"}, Architectures: []string{},
		})
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "ARN", v.ARN, layerARN("libs", want))
		wantSame(t, "digest", v.Content.Digest, digest.Of(zip))
		wantSame(t, "size", v.Content.Size, int64(len(zip)))
		wantSame(t, "zip", f.read(v.Content), zip)
		got, err := f.GetLayerVersion(t.Context(), here, v.ARN)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "GetLayerVersion", got, v)
	}
}

func TestPublishRefuses(t *testing.T) {
	f := start(t)
	good := lambdatest.PythonLayer("m", "x = 1")
	for _, row := range []struct {
		name   string
		zip    []byte // nil: none
		change func(*control.PublishLayerVersionInput)
		kind   lambda.Kind
		text   string
	}{
		{"no content", nil, nil, lambda.Invalid, "Missing Content"},
		{"no key", nil, func(in *control.PublishLayerVersionInput) { in.S3 = &control.S3Object{Bucket: "b"} }, lambda.Invalid, "Missing Content"},
		{"both", good, func(in *control.PublishLayerVersionInput) { in.S3 = &control.S3Object{Bucket: "b", Key: "k"} }, lambda.Invalid,
			"Please do not provide other LayerVersionContent parameters when providing a ZipFile."},
		{"not a zip", []byte("no zip"), nil, lambda.Invalid, badZip},
		{"empty", lambdatest.ZipOf(), nil, lambda.Invalid, "Uploaded file must be a non-empty zip"},
		{"too much inside", lambdatest.LyingBomb(10, lambda.MaxUnzippedSize+1), nil, lambda.Invalid, "Unzipped size must be smaller than 262144000 bytes"},
		{"zip too large", make([]byte, lambda.MaxZipSize+1), nil, lambda.TooLarge, "Zipped size must be smaller than 52428800 bytes"},
		{"other account", good, func(in *control.PublishLayerVersionInput) { in.Layer.Scope = stranger }, lambda.Denied,
			"User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:PublishLayerVersion on resource: " +
				"arn:aws:lambda:us-east-1:111111111111:layer:libs because no resource-based policy allows the lambda:PublishLayerVersion action"},
		{"other region", good, func(in *control.PublishLayerVersionInput) { in.Layer.Scope = otherSide }, lambda.NotFound, noResource},
		{"NUL", good, func(in *control.PublishLayerVersionInput) { in.Description = new("a\x00") }, lambda.Invalid,
			"a text with a NUL character cannot be stored"},
	} {
		t.Run(row.name, func(t *testing.T) {
			in := control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs")}
			if row.zip != nil {
				in.Zip = f.zip(row.zip)
			}
			if row.change != nil {
				row.change(&in)
			}
			_, err := f.PublishLayerVersion(t.Context(), in)
			wantError(t, err, row.kind, row.text)
			if n := f.data.staged(t); n != 0 {
				t.Errorf("%d staged zips are left", n)
			}
		})
	}
	if v := f.publish("libs"); v.ARN.Version != 1 {
		t.Errorf("after refusals: got version %d, want 1", v.ARN.Version)
	}
}

func TestHostileZips(t *testing.T) {
	f := start(t)
	for _, hostile := range lambdatest.HostileZips() {
		t.Run(hostile.Name, func(t *testing.T) {
			_, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"), Zip: f.zip(hostile.Zip)})
			if !lambda.IsKind(err, lambda.Invalid) {
				t.Errorf("a layer: got %v, want kind %q", err, lambda.Invalid)
			}
			_, err = f.CreateFunction(t.Context(), f.minimal("f", func(in *control.CreateFunctionInput) {
				in.Package.Zip.Discard()
				in.Package.Zip = f.zip(hostile.Zip)
			}))
			if !lambda.IsKind(err, lambda.Invalid) {
				t.Errorf("a function: got %v, want kind %q", err, lambda.Invalid)
			}
		})
	}
}

func TestStageZipFails(t *testing.T) {
	f := start(t)
	broken := errors.New("broken")
	if _, err := f.StageZip(t.Context(), io.MultiReader(strings.NewReader("PK"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestGetAndDeleteRefuse(t *testing.T) {
	f := start(t)
	f.publish("libs")
	denied := func(action string) string {
		return "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:" + action + " on resource: " +
			"arn:aws:lambda:us-east-1:111111111111:layer:libs:1 because no resource-based policy allows the lambda:" + action + " action"
	}
	in := func(s lambda.Scope, version int64) lambda.LayerVersionARN {
		return lambda.LayerVersionARN{LayerKey: lambda.LayerKey{Scope: s, Name: "libs"}, Version: version}
	}
	for _, row := range []struct {
		name       string
		arn        lambda.LayerVersionARN
		kind       lambda.Kind
		text       string
		deleteKind lambda.Kind // Internal: no error
		deleteText string
	}{
		{"zero", layerARN("libs", 0), lambda.Invalid, "Layer Version Cannot be less than 1", lambda.Invalid, "Layer Version Cannot be less than 1"},
		{"negative", layerARN("libs", -1), lambda.Invalid, "Layer Version Cannot be less than 1", lambda.Invalid, "Layer Version Cannot be less than 1"},
		{"unknown version", layerARN("libs", 2), lambda.NotFound, noResource, 0, ""},
		{"unknown layer", layerARN("no", 1), lambda.NotFound, noResource, 0, ""},
		{"other region", in(otherSide, 1), lambda.NotFound, noResource, 0, ""},
		{"other account", in(stranger, 1), lambda.Denied, denied("GetLayerVersion"), lambda.Denied, denied("DeleteLayerVersion")},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := f.GetLayerVersion(t.Context(), here, row.arn)
			wantError(t, err, row.kind, row.text)
			err = f.DeleteLayerVersion(t.Context(), here, row.arn)
			if row.deleteText == "" {
				if err != nil {
					t.Errorf("delete: %v", err)
				}
				return
			}
			wantError(t, err, row.deleteKind, row.deleteText)
		})
	}
	if _, err := f.GetLayerVersion(t.Context(), here, layerARN("libs", 1)); err != nil {
		t.Errorf("a refused deletion deleted: %v", err)
	}
}

// TestLayerLifeCycle is the walk through recorded from AWS: numbers go on after deletions, and a function keeps what it has.
func TestLayerLifeCycle(t *testing.T) {
	f := start(t)
	f.create("f")
	f.publish("libs")
	f.publish("libs")
	if _, err := f.UpdateFunctionConfiguration(t.Context(), withLayers("f", layerARN("libs", 1).String())); err != nil {
		t.Fatal(err)
	}
	before := f.settled("f")
	for n := int64(1); n <= 2; n++ {
		for range 2 { // the second time there is nothing to delete
			if err := f.DeleteLayerVersion(t.Context(), here, layerARN("libs", n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	wantSame(t, "the function after the deletion", f.get("f"), before)
	page, err := f.ListLayerVersions(t.Context(), control.ListLayerVersionsInput{Caller: here, Layer: layerKey("libs")})
	if err != nil || len(page.Versions) != 0 {
		t.Errorf("got %d versions, %v; want none", len(page.Versions), err)
	}
	if v := f.publish("libs"); v.ARN.Version != 3 {
		t.Errorf("got version %d, want 3", v.ARN.Version)
	}
	_, err = f.UpdateFunctionConfiguration(t.Context(), withLayers("f", layerARN("libs", 1).String()))
	wantError(t, err, lambda.Invalid, "Layer version arn:aws:lambda:us-east-1:000000000000:layer:libs:1 does not exist.")
}

func TestListLayerVersions(t *testing.T) {
	f := start(t)
	for range 5 {
		f.publish("libs")
	}
	numbers := func(limit int, delete ...int64) []int64 {
		var got []int64
		in := control.ListLayerVersionsInput{Caller: here, Layer: layerKey("libs"), Limit: limit}
		for {
			page, err := f.ListLayerVersions(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Versions {
				got = append(got, v.ARN.Version)
			}
			if page.NextMarker == "" {
				return got
			}
			in.Marker = page.NextMarker
			for _, n := range delete { // between two pages
				if err := f.DeleteLayerVersion(t.Context(), here, layerARN("libs", n)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	wantSame(t, "one page", numbers(0), []int64{5, 4, 3, 2, 1})
	wantSame(t, "exactly one page", numbers(5), []int64{5, 4, 3, 2, 1})
	wantSame(t, "pages of two", numbers(2), []int64{5, 4, 3, 2, 1})
	wantSame(t, "while versions go", numbers(2, 4, 3), []int64{5, 4, 2, 1})
	wantSame(t, "pages of one", numbers(1), []int64{5, 2, 1})

	_, err := f.ListLayerVersions(t.Context(), control.ListLayerVersionsInput{Caller: here, Layer: lambda.LayerKey{Scope: stranger, Name: "libs"}})
	wantError(t, err, lambda.Denied, "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:ListLayerVersions on "+
		"resource: arn:aws:lambda:us-east-1:111111111111:layer:libs because no resource-based policy allows the lambda:ListLayerVersions action")
	for _, key := range []lambda.LayerKey{layerKey("no"), {Scope: otherSide, Name: "libs"}} {
		page, err := f.ListLayerVersions(t.Context(), control.ListLayerVersionsInput{Caller: here, Layer: key})
		if err != nil || len(page.Versions) != 0 {
			t.Errorf("%v: got %d versions, %v; want none", key, len(page.Versions), err)
		}
	}
}

func TestListLayers(t *testing.T) {
	f := start(t)
	f.publish("b")
	f.publish("a")
	f.publish("c")
	if _, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey("b"),
		Zip: f.zip(lambdatest.PythonLayer("m", "")), Architectures: []string{"arm64"}}); err != nil {
		t.Fatal(err)
	}
	list := func(in control.ListLayersInput) []string {
		var got []string
		in.Caller = here
		for {
			page, err := f.ListLayers(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range page.Versions {
				got = append(got, v.ARN.String())
			}
			if in.Marker = page.NextMarker; in.Marker == "" {
				return got
			}
		}
	}
	all := []string{layerARN("a", 1).String(), layerARN("b", 2).String(), layerARN("c", 1).String()}
	wantSame(t, "one page", list(control.ListLayersInput{}), all)
	wantSame(t, "pages of one", list(control.ListLayersInput{Limit: 1}), all)
	wantSame(t, "filter", list(control.ListLayersInput{Filter: catalog.LayerFilter{Architecture: "arm64"}}), all[1:2])
}

func TestBadMarkers(t *testing.T) {
	f := start(t)
	f.publish("a")
	f.publish("b")
	page, err := f.ListLayers(t.Context(), control.ListLayersInput{Caller: here, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, marker := range []string{"x", "bGF5ZXJz", page.NextMarker} { // the last is one of another list
		_, err := f.ListLayerVersions(t.Context(), control.ListLayerVersionsInput{Caller: here, Layer: layerKey("a"), Marker: marker})
		wantError(t, err, lambda.Invalid, "Invalid marker: "+marker)
		_, err = f.ListFunctions(t.Context(), control.ListFunctionsInput{Caller: here, Marker: marker})
		wantError(t, err, lambda.Invalid, "Invalid marker: "+marker)
	}
	_, err = f.ListLayers(t.Context(), control.ListLayersInput{Caller: here, Marker: "x"})
	wantError(t, err, lambda.Invalid, "Invalid marker: x")
}

func TestOpenZip(t *testing.T) {
	f := start(t)
	_, err := f.OpenZip(t.Context(), digest.Of([]byte("nothing")))
	wantError(t, err, lambda.NotFound, noResource)
}
