package sqlcatalog_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

func TestContents(t *testing.T) {
	for name, url := range map[string]func() string{
		"SQLite":   func() string { return database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")) },
		"Postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) { testContents(t, place(t, url())().(*sqlcatalog.Catalog)) })
	}
}

func contentOf(name string) lambda.Content {
	d := digest.Of([]byte(name))
	return lambda.Content{Digest: d, Size: 1, UnzippedSize: 2, ContentDigest: d, TreeKey: d}
}

func testContents(t *testing.T, c *sqlcatalog.Catalog) {
	defer c.Close()
	scope := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
	layer := lambda.LayerKey{Scope: scope, Name: "libs"}
	for _, name := range []string{"deleted", "listed"} {
		if _, err := c.InsertLayerVersion(t.Context(), catalog.LayerVersion{
			ARN: lambda.LayerVersionARN{LayerKey: layer}, Content: contentOf(name), Created: time.Now(),
		}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.DeleteLayerVersion(t.Context(), lambda.LayerVersionARN{LayerKey: layer, Version: 1}); err != nil {
		t.Fatal(err)
	}
	k := lambda.FunctionKey{Scope: scope, Name: "f"}
	_, err := c.InsertFunction(t.Context(), catalog.Function{Key: k, ID: "1", Latest: lambda.Revision{
		Code: contentOf("code"), Layers: []lambda.LayerRef{{ARN: lambda.LayerVersionARN{LayerKey: layer, Version: 9}, Content: contentOf("pinned")}},
	}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateFunction(t.Context(), k, 0, func(f *catalog.Function) error {
		f.Latest.Number, f.Latest.Code, f.Latest.Layers = 0, contentOf("new code"), nil
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	bucket := catalog.BucketKey{Partition: "aws", Name: "b"}
	if _, err := c.InsertBucket(t.Context(), catalog.Bucket{Key: bucket, Account: scope.Account, Region: scope.Region, Versioning: catalog.VersioningEnabled}); err != nil {
		t.Fatal(err)
	}
	bytesOf := func(name string) lambda.Content { return lambda.Content{Digest: digest.Of([]byte(name)), Size: 7} }
	for _, name := range []string{"old object", "object"} {
		o := catalog.Object{Bucket: bucket, Name: "o", Digest: bytesOf(name).Digest, Size: 7}
		if _, err := c.PutObject(t.Context(), o, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.DeleteObjects(t.Context(), bucket, []catalog.ObjectID{{Name: "o"}}, time.Now()); err != nil { // a marker has no bytes
		t.Fatal(err)
	}
	u, err := c.InsertUpload(t.Context(), catalog.Upload{Bucket: bucket, Name: "o"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutPart(t.Context(), u, catalog.Part{Number: 1, Digest: bytesOf("part").Digest, Size: 7}); err != nil {
		t.Fatal(err)
	}
	got, err := c.Contents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []lambda.Content{contentOf("listed"), contentOf("code"), contentOf("pinned"), contentOf("new code"),
		bytesOf("old object"), bytesOf("object"), bytesOf("part")}
	byDigest := cmpopts.SortSlices(func(a, b lambda.Content) bool { return a.Digest.Hex() < b.Digest.Hex() })
	if diff := cmp.Diff(want, got, byDigest); diff != "" {
		t.Errorf("Contents (-want +got):\n%s", diff)
	}
}
