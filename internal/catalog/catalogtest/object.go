package catalogtest

import (
	"errors"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

func bucketKey(name string) catalog.BucketKey {
	return catalog.BucketKey{Partition: here.Partition, Name: name}
}

func insertBucket(t *testing.T, c catalog.Store, name string, v catalog.Versioning) catalog.BucketKey {
	t.Helper()
	b, err := c.InsertBucket(t.Context(), catalog.Bucket{Key: bucketKey(name), Account: here.Account, Region: here.Region, Versioning: v, Created: moment})
	ok(t, err)
	return b.Key
}

func object(k catalog.BucketKey, name, text string) catalog.Object {
	return catalog.Object{Bucket: k, Name: name, Digest: digest.Of([]byte(text)), Size: int64(len(text)), ETag: text, Modified: moment}
}

func putObject(t *testing.T, c catalog.Store, o catalog.Object) catalog.Object {
	t.Helper()
	o, err := c.PutObject(t.Context(), o, nil)
	ok(t, err)
	return o
}

func getObject(t *testing.T, c catalog.Store, k catalog.BucketKey, name, version string) catalog.Object {
	t.Helper()
	o, err := c.GetObject(t.Context(), k, catalog.ObjectID{Name: name, VersionID: version})
	ok(t, err)
	return o
}

func wantNoObject(t *testing.T, c catalog.Store, k catalog.BucketKey, name, version string) {
	t.Helper()
	_, err := c.GetObject(t.Context(), k, catalog.ObjectID{Name: name, VersionID: version})
	wantKind(t, name+" "+version, err, lambda.NotFound)
}

func testBuckets(t *testing.T, p Place) {
	c := open(t, p)
	k := bucketKey("b")
	_, err := c.GetBucket(t.Context(), k)
	wantKind(t, "no bucket", err, lambda.NotFound)
	wantKind(t, "delete no bucket", c.DeleteBucket(t.Context(), k), lambda.NotFound)
	first := catalog.Bucket{Key: k, Account: here.Account, Region: here.Region, Tags: map[string]string{"team": "blue"}, Created: moment}
	b, err := c.InsertBucket(t.Context(), first)
	ok(t, err)
	first.Created = moment.Truncate(time.Millisecond)
	wantSame(t, "inserted", b, first)
	before := sequence(t, c)
	other := catalog.Bucket{Key: k, Account: "111111111111", Region: "eu-west-2", Created: moment}
	_, err = c.InsertBucket(t.Context(), other)
	wantKind(t, "a name of another account's", err, lambda.Conflict)
	if got := sequence(t, c); got != before {
		t.Errorf("a refused bucket took number %d", got)
	}
	got, err := c.GetBucket(t.Context(), k)
	ok(t, err)
	wantSame(t, "read", got, first)
	_, err = c.GetBucket(t.Context(), catalog.BucketKey{Partition: "aws-cn", Name: "b"})
	wantKind(t, "another partition", err, lambda.NotFound)

	b, err = c.UpdateBucket(t.Context(), k, func(b *catalog.Bucket) error {
		b.Versioning, b.Tags = catalog.VersioningEnabled, nil
		return nil
	})
	ok(t, err)
	first.Versioning, first.Tags = catalog.VersioningEnabled, nil
	wantSame(t, "updated", b, first)
	no := errors.New("no")
	if _, err := c.UpdateBucket(t.Context(), k, func(*catalog.Bucket) error { return no }); err != no {
		t.Errorf("got %v, want the change's own error", err)
	}
	insertBucket(t, c, "a", "")
	insertBucket(t, c, "c", "")
	for after, want := range map[string][]string{"": {"a", "b"}, "a": {"b", "c"}, "c": nil} {
		list, err := c.ListBuckets(t.Context(), here.Partition, here.Account, after, 2)
		ok(t, err)
		var names []string
		for _, b := range list {
			names = append(names, b.Key.Name)
		}
		wantSame(t, "after "+after, names, want)
	}
	putObject(t, c, object(k, "x", "1"))
	wantKind(t, "delete a bucket that is not empty", c.DeleteBucket(t.Context(), k), lambda.Conflict)
	_, err = c.InsertUpload(t.Context(), catalog.Upload{Bucket: bucketKey("c"), Name: "u", Initiated: moment})
	ok(t, err)
	ok(t, c.DeleteBucket(t.Context(), bucketKey("c")))
	_, err = c.GetBucket(t.Context(), bucketKey("c"))
	wantKind(t, "after", err, lambda.NotFound)
}

// testObjects: without versioning there is one version, and it is the null version.
func testObjects(t *testing.T, p Place) {
	c := open(t, p)
	k := bucketKey("b")
	_, err := c.PutObject(t.Context(), object(k, "x", "1"), nil)
	wantKind(t, "put without a bucket", err, lambda.NotFound)
	_, err = c.GetObject(t.Context(), k, catalog.ObjectID{Name: "x"})
	wantKind(t, "get without a bucket", err, lambda.NotFound)
	_, err = c.DeleteObjects(t.Context(), k, nil, moment)
	wantKind(t, "delete without a bucket", err, lambda.NotFound)
	insertBucket(t, c, "b", "")
	wantNoObject(t, c, k, "x", "")

	o := object(k, "x", "1")
	o.About = catalog.About{Headers: map[string]string{"Content-Type": "text/plain"}, Metadata: map[string]string{"a": "<ü>"},
		Tags: map[string]string{"t": ""}, Checksum: catalog.Checksum{Algorithm: "CRC32", Type: "FULL_OBJECT", Value: "AAAA"}, Parts: []int64{5, 6}}
	put := putObject(t, c, o)
	o.VersionID, o.Number, o.Modified = catalog.NullVersion, put.Number, moment.Truncate(time.Millisecond)
	wantSame(t, "put", put, o)
	wantSame(t, "read", getObject(t, c, k, "x", ""), o)
	wantSame(t, "read by ID", getObject(t, c, k, "x", catalog.NullVersion), o)
	wantNoObject(t, c, k, "x", "other")
	if put.Number != sequence(t, c) {
		t.Errorf("the object has number %d, the catalog %d", put.Number, sequence(t, c))
	}

	second := putObject(t, c, object(k, "x", "2"))
	wantSame(t, "overwritten", getObject(t, c, k, "x", ""), second)
	list, err := c.ListObjectVersions(t.Context(), k, catalog.ObjectRange{}, 0, 10)
	ok(t, err)
	wantSame(t, "versions", list, []catalog.Object{second})

	tagged, err := c.UpdateObject(t.Context(), k, catalog.ObjectID{Name: "x"}, func(o *catalog.Object) error {
		o.About.Tags = map[string]string{"a": "b"}
		return nil
	})
	ok(t, err)
	wantSame(t, "tagged", getObject(t, c, k, "x", ""), tagged)
	_, err = c.UpdateObject(t.Context(), k, catalog.ObjectID{Name: "y"}, func(*catalog.Object) error { return nil })
	wantKind(t, "update of none", err, lambda.NotFound)

	done, err := c.DeleteObjects(t.Context(), k, []catalog.ObjectID{{Name: "x"}, {Name: "y"}}, moment)
	ok(t, err)
	wantSame(t, "deleted", done, make([]catalog.Object, 2))
	wantNoObject(t, c, k, "x", "")
	before := sequence(t, c)
	_, err = c.DeleteObjects(t.Context(), k, []catalog.ObjectID{{Name: "x"}, {Name: "x", VersionID: "none"}}, moment)
	ok(t, err)
	if got := sequence(t, c); got != before {
		t.Errorf("to delete what is not there took number %d", got)
	}
	_, err = c.PutObject(t.Context(), object(k, "a\x00b", "1"), nil)
	wantKind(t, "NUL in a name", err, lambda.Invalid)
}

func testCheckedObjects(t *testing.T, p Place) {
	c := open(t, p)
	k := insertBucket(t, c, "b", "")
	no := errors.New("no")
	absent := func(newest *catalog.Object) error {
		if newest != nil {
			return no
		}
		return nil
	}
	o, err := c.PutObject(t.Context(), object(k, "x", "1"), absent)
	ok(t, err)
	if _, err := c.PutObject(t.Context(), object(k, "x", "2"), absent); err != no {
		t.Errorf("got %v, want the check's own error", err)
	}
	wantSame(t, "after a refusal", getObject(t, c, k, "x", ""), o)
}

func testObjectVersions(t *testing.T, p Place) {
	c := open(t, p)
	k := insertBucket(t, c, "b", catalog.VersioningNever)
	null := putObject(t, c, object(k, "x", "0"))
	setVersioning := func(v catalog.Versioning) {
		_, err := c.UpdateBucket(t.Context(), k, func(b *catalog.Bucket) error { b.Versioning = v; return nil })
		ok(t, err)
	}
	remove := func(id catalog.ObjectID) catalog.Object {
		done, err := c.DeleteObjects(t.Context(), k, []catalog.ObjectID{id}, moment)
		ok(t, err)
		return done[0]
	}
	setVersioning(catalog.VersioningEnabled)
	one := putObject(t, c, object(k, "x", "1"))
	two := putObject(t, c, object(k, "x", "2"))
	if one.VersionID == two.VersionID || one.VersionID == catalog.NullVersion {
		t.Errorf("version IDs %s and %s", one.VersionID, two.VersionID)
	}
	wantSame(t, "newest", getObject(t, c, k, "x", ""), two)
	wantSame(t, "older", getObject(t, c, k, "x", one.VersionID), one)
	wantSame(t, "null", getObject(t, c, k, "x", catalog.NullVersion), null)

	marker := remove(catalog.ObjectID{Name: "x"})
	if !marker.Marker || marker.VersionID == "" || marker.Number == 0 {
		t.Errorf("deleted: got %+v, want a marker", marker)
	}
	wantSame(t, "newest of a deleted one", getObject(t, c, k, "x", ""), marker)
	list, err := c.ListObjects(t.Context(), k, catalog.ObjectRange{}, 10)
	ok(t, err)
	wantSame(t, "objects", list, nil)
	all, err := c.ListObjectVersions(t.Context(), k, catalog.ObjectRange{}, 0, 10)
	ok(t, err)
	wantSame(t, "versions", all, []catalog.Object{marker, two, one, null})
	rest, err := c.ListObjectVersions(t.Context(), k, catalog.ObjectRange{From: "x"}, two.Number, 1)
	ok(t, err)
	wantSame(t, "a page", rest, []catalog.Object{one})

	wantSame(t, "undeleted", remove(catalog.ObjectID{Name: "x", VersionID: marker.VersionID}), marker)
	wantSame(t, "newest again", getObject(t, c, k, "x", ""), two)
	setVersioning(catalog.VersioningSuspended)
	newNull := putObject(t, c, object(k, "x", "3"))
	all, err = c.ListObjectVersions(t.Context(), k, catalog.ObjectRange{}, 0, 10)
	ok(t, err)
	wantSame(t, "suspended", all, []catalog.Object{newNull, two, one})
	marker = remove(catalog.ObjectID{Name: "x"})
	if !marker.Marker || marker.VersionID != catalog.NullVersion {
		t.Errorf("deleted while suspended: got %+v, want a null marker", marker)
	}
	all, err = c.ListObjectVersions(t.Context(), k, catalog.ObjectRange{}, 0, 10)
	ok(t, err)
	wantSame(t, "deleted while suspended", all, []catalog.Object{marker, two, one})
	for _, o := range all {
		wantSame(t, "forgotten", remove(catalog.ObjectID{Name: "x", VersionID: o.VersionID}), o)
	}
	wantNoObject(t, c, k, "x", "")
	ok(t, c.DeleteBucket(t.Context(), k))
}

func testListObjects(t *testing.T, p Place) {
	c := open(t, p)
	k := insertBucket(t, c, "b", "")
	insertBucket(t, c, "other", "")
	putObject(t, c, object(bucketKey("other"), "a", "1"))
	for _, name := range []string{"b", "a/2", "ü", "a/1", "B"} {
		putObject(t, c, object(k, name, "1"))
	}
	for _, row := range []struct {
		name  string
		r     catalog.ObjectRange
		limit int
		want  []string
	}{
		{"all, by bytes", catalog.ObjectRange{}, 10, []string{"B", "a/1", "a/2", "b", "ü"}},
		{"a page", catalog.ObjectRange{}, 2, []string{"B", "a/1"}},
		{"after", catalog.ObjectRange{After: "a/1"}, 10, []string{"a/2", "b", "ü"}},
		{"from", catalog.ObjectRange{From: "a/1"}, 2, []string{"a/1", "a/2"}},
		{"before", catalog.ObjectRange{From: "a", Before: "b"}, 10, []string{"a/1", "a/2"}},
	} {
		list, err := c.ListObjects(t.Context(), k, row.r, row.limit)
		ok(t, err)
		var got []string
		for _, o := range list {
			got = append(got, o.Name)
		}
		wantSame(t, row.name, got, row.want)
	}
	_, err := c.ListObjects(t.Context(), bucketKey("none"), catalog.ObjectRange{}, 1)
	wantKind(t, "no bucket", err, lambda.NotFound)
}

func testUploads(t *testing.T, p Place) {
	c := open(t, p)
	k := bucketKey("b")
	_, err := c.InsertUpload(t.Context(), catalog.Upload{Bucket: k, Name: "x", Initiated: moment})
	wantKind(t, "no bucket", err, lambda.NotFound)
	insertBucket(t, c, "b", "")
	about := catalog.About{Headers: map[string]string{"Content-Type": "x/y"}, Checksum: catalog.Checksum{Algorithm: "CRC32", Type: "COMPOSITE"}}
	u, err := c.InsertUpload(t.Context(), catalog.Upload{Bucket: k, Name: "x", About: about, Initiated: moment})
	ok(t, err)
	got, err := c.GetUpload(t.Context(), k, "x", u.ID)
	ok(t, err)
	wantSame(t, "read", got, catalog.Upload{ID: u.ID, Bucket: k, Name: "x", About: about, Initiated: moment.Truncate(time.Millisecond)})
	_, err = c.GetUpload(t.Context(), k, "y", u.ID)
	wantKind(t, "of another object", err, lambda.NotFound)

	part := func(n int, text string) catalog.Part {
		p, err := c.PutPart(t.Context(), u, catalog.Part{Number: n, Digest: digest.Of([]byte(text)), Size: int64(len(text)), ETag: text, Checksum: "c", Modified: moment})
		ok(t, err)
		return p
	}
	part(2, "old")
	one, two, three := part(1, "1"), part(2, "2"), part(3, "3")
	parts, err := c.ListParts(t.Context(), u, 0, 10)
	ok(t, err)
	wantSame(t, "parts", parts, []catalog.Part{one, two, three})
	parts, err = c.ListParts(t.Context(), u, 1, 1)
	ok(t, err)
	wantSame(t, "a page of parts", parts, []catalog.Part{two})

	second, err := c.InsertUpload(t.Context(), catalog.Upload{Bucket: k, Name: "x", Initiated: moment})
	ok(t, err)
	third, err := c.InsertUpload(t.Context(), catalog.Upload{Bucket: k, Name: "y", Initiated: moment})
	ok(t, err)
	list, err := c.ListUploads(t.Context(), k, catalog.ObjectRange{}, "", 10)
	ok(t, err)
	if len(list) != 3 || list[2].ID != third.ID {
		t.Fatalf("got uploads %+v", list)
	}
	rest, err := c.ListUploads(t.Context(), k, catalog.ObjectRange{From: "x"}, list[0].ID, 10)
	ok(t, err)
	wantSame(t, "the other uploads", rest, list[1:])

	no := errors.New("no")
	if _, err := c.CompleteUpload(t.Context(), u, object(k, "x", "123"), func(*catalog.Object) error { return no }); err != no {
		t.Errorf("got %v, want the check's own error", err)
	}
	wantNoObject(t, c, k, "x", "")
	o, err := c.CompleteUpload(t.Context(), u, object(k, "x", "123"), nil)
	ok(t, err)
	wantSame(t, "completed", getObject(t, c, k, "x", ""), o)
	_, err = c.CompleteUpload(t.Context(), u, object(k, "x", "124"), nil)
	wantKind(t, "completed twice", err, lambda.NotFound)
	wantSame(t, "after that", getObject(t, c, k, "x", ""), o)
	_, err = c.PutPart(t.Context(), u, two)
	wantKind(t, "a part of what has ended", err, lambda.NotFound)
	ok(t, c.DeleteUpload(t.Context(), second))
	wantKind(t, "delete twice", c.DeleteUpload(t.Context(), second), lambda.NotFound)
}
