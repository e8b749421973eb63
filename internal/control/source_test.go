package control_test

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/objects"
)

// object puts an object into a bucket of here, which is made when it is not there, and gives its version's ID.
func (f *fixture) object(bucket, key string, b []byte) string {
	f.t.Helper()
	if err := f.objects.CreateBucket(f.t.Context(), here, bucket, nil); err != nil { // in us-east-1 it may be there already
		f.t.Fatal(err)
	}
	if err := f.objects.UpdateBucket(f.t.Context(), here, bucket, func(b *catalog.Bucket) { b.Versioning = catalog.VersioningEnabled }); err != nil {
		f.t.Fatal(err)
	}
	_, o, err := f.objects.Put(f.t.Context(), here, objects.PutInput{Bucket: bucket, Name: key}, objects.Body{Reader: bytes.NewReader(b)})
	if err != nil {
		f.t.Fatal(err)
	}
	return o.VersionID
}

func (f *fixture) countBlobs() int {
	f.t.Helper()
	n := 0
	if err := f.data.blobs.List(f.t.Context(), func(blob.Info) error { n++; return nil }); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// TestFromS3: what an object holds is published without another copy of its bytes, the version that is named when one is.
func TestFromS3(t *testing.T) {
	f := start(t)
	first, second := lambdatest.PythonLayer("m", "x = 1"), lambdatest.PythonLayer("m", "x = 2")
	old := f.object("bucket", "/layer.zip", first)
	f.object("bucket", "/layer.zip", second)
	f.object("bucket", "code.zip", lambdatest.EchoFunction())
	before := f.countBlobs()

	for _, row := range []struct {
		version string
		size    int
	}{{"", len(second)}, {old, len(first)}} {
		v, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"),
			S3: &control.S3Object{Bucket: "bucket", Key: "/layer.zip", Version: row.version}})
		if err != nil {
			t.Fatal(err)
		}
		if v.Content.Size != int64(row.size) {
			t.Errorf("version %q: got a zip of %d bytes, want %d", row.version, v.Content.Size, row.size)
		}
	}
	fromS3 := control.Package{S3: &control.S3Object{Bucket: "bucket", Key: "code.zip"}}
	f.create("f", func(in *control.CreateFunctionInput) {
		in.Package.Zip.Discard()
		in.Package = fromS3
	})
	in := codeOf(f, "f", lambdatest.EchoFunction())
	in.Package.Zip.Discard()
	in.Package = fromS3
	if _, err := f.UpdateFunctionCode(t.Context(), in); err != nil {
		t.Error(err)
	}
	if got := f.countBlobs(); got != before {
		t.Errorf("there are %d blobs, want the %d of before", got, before)
	}
}

// TestFromS3IsLonger: a zip that is too long to be sent may come from S3.
func TestFromS3IsLonger(t *testing.T) {
	f := start(t)
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	e, err := w.CreateHeader(&zip.FileHeader{Name: "data", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(make([]byte, lambda.MaxZipSize)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f.object("bucket", "long.zip", b.Bytes())
	v, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"),
		S3: &control.S3Object{Bucket: "bucket", Key: "long.zip"}})
	if err != nil || v.Content.Size != int64(b.Len()) || v.Content.Size <= lambda.MaxZipSize {
		t.Errorf("got a zip of %d bytes, %v", v.Content.Size, err)
	}
}

func TestFromS3Refuses(t *testing.T) {
	f := start(t)
	f.object("bucket", "text", []byte("no zip"))
	f.object("bucket", "gone", []byte("no zip"))
	deleted, err := f.objects.Delete(t.Context(), here, "bucket", []catalog.ObjectID{{Name: "gone"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.objects.CreateBucket(t.Context(), otherSide, "far-away", nil); err != nil {
		t.Fatal(err)
	}
	if err := f.objects.CreateBucket(t.Context(), stranger, "not-ours", nil); err != nil {
		t.Fatal(err)
	}
	const getObject = "Error occurred while GetObject. S3 Error Code: "
	for _, row := range []struct {
		name string
		from control.S3Object
		kind lambda.Kind
		text string
	}{
		{"no bucket", control.S3Object{Bucket: "none", Key: "k"}, lambda.Invalid,
			getObject + "NoSuchBucket. S3 Error Message: The specified bucket does not exist"},
		{"no key", control.S3Object{Bucket: "bucket", Key: "k"}, lambda.Invalid,
			getObject + "NoSuchKey. S3 Error Message: The specified key does not exist."},
		{"deleted", control.S3Object{Bucket: "bucket", Key: "gone"}, lambda.Invalid,
			getObject + "NoSuchKey. S3 Error Message: The specified key does not exist."},
		{"no version", control.S3Object{Bucket: "bucket", Key: "text", Version: "x"}, lambda.Invalid,
			getObject + "NoSuchVersion. S3 Error Message: The specified version does not exist."},
		{"a delete marker", control.S3Object{Bucket: "bucket", Key: "gone", Version: deleted[0].VersionID}, lambda.Invalid,
			getObject + "MethodNotAllowed. S3 Error Message: The specified method is not allowed against this resource."},
		{"another region", control.S3Object{Bucket: "far-away", Key: "k"}, lambda.Invalid,
			getObject + "PermanentRedirect. S3 Error Message: The bucket is in this region: " + otherSide.Region + ". Please use this region to retry the request"},
		{"another account", control.S3Object{Bucket: "not-ours", Key: "k"}, lambda.Denied,
			"Your access has been denied by S3, please make sure your request credentials have permission to GetObject for not-ours/k. " +
				"S3 Error Code: AccessDenied. S3 Error Message: Access Denied"},
		{"not a zip", control.S3Object{Bucket: "bucket", Key: "text"}, lambda.Invalid, badZip},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := f.PublishLayerVersion(t.Context(), control.PublishLayerVersionInput{Caller: here, Layer: layerKey("libs"), S3: &row.from})
			wantError(t, err, row.kind, row.text)
		})
	}
}
