package objects_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

var (
	here     = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}
	far      = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "eu-west-2"}
	stranger = lambda.Scope{Partition: "aws", Account: "111111111111", Region: "us-east-1"}
)

// parts is a service over real records and bytes.
type parts struct {
	*objects.Service
	t     *testing.T
	blobs *blob.Store
	spy   *spy

	records *records
}

func newParts(t *testing.T) parts {
	t.Helper()
	dir := t.TempDir()
	db, err := database.Open(t.Context(), database.SQLiteURL(filepath.Join(dir, "lamina.db")))
	must(t, err)
	kept, err := sqlcatalog.Open(t.Context(), db)
	must(t, err)
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	must(t, err)
	p := parts{t: t, spy: &spy{Driver: driver}, records: &records{Objects: kept}}
	p.blobs = blob.New(p.spy)
	p.Service = objects.New(objects.Options{Catalog: p.records, Blobs: p.blobs, Now: time.Now})
	t.Cleanup(func() { must(t, errors.Join(p.blobs.Close(), kept.Close())) })
	return p
}

// records tell when somebody looks for a bucket, as every request does first.
type records struct {
	catalog.Objects
	before func() // nil while nobody wants to know
}

func (r *records) GetBucket(ctx context.Context, k catalog.BucketKey) (catalog.Bucket, error) {
	if r.before != nil {
		r.before()
	}
	return r.Objects.GetBucket(ctx, k)
}

// spy is told of what is done to blobs.
type spy struct {
	blob.Driver
	before func(what string) // nil while nobody wants to know
	max    int64             // bytes of a blob; 0: no limit
}

func (s *spy) MaxSize() int64 { return s.max }

func (s *spy) tell(what string) {
	if s.before != nil {
		s.before(what)
	}
}

func (s *spy) Stage(ctx context.Context) (blob.DriverStaged, error) {
	s.tell("stage")
	st, err := s.Driver.Stage(ctx)
	return spiedStaged{st, s}, err
}

func (s *spy) Open(ctx context.Context, d digest.Digest) (blob.Reader, error) {
	s.tell("open")
	return s.Driver.Open(ctx, d)
}

type spiedStaged struct {
	blob.DriverStaged
	spy *spy
}

func (s spiedStaged) Commit(ctx context.Context, d digest.Digest) error {
	s.spy.tell("commit")
	return s.DriverStaged.Commit(ctx, d)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, what string, err error, code objects.Code) {
	t.Helper()
	if !objects.IsCode(err, code) {
		t.Errorf("%s: got %v, want %s", what, err, code)
	}
}

func (p parts) bucket(name string) {
	p.t.Helper()
	must(p.t, p.CreateBucket(p.t.Context(), here, name, nil))
}

func (p parts) put(bucket, name, text string) catalog.Object {
	p.t.Helper()
	_, o, err := p.Put(p.t.Context(), here, objects.PutInput{Bucket: bucket, Name: name}, objects.Body{Reader: strings.NewReader(text)})
	must(p.t, err)
	return o
}

func (p parts) read(o catalog.Object) string {
	p.t.Helper()
	r, err := p.Open(p.t.Context(), o)
	must(p.t, err)
	defer r.Close()
	b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	must(p.t, err)
	return string(b)
}

func (p parts) countBlobs() int {
	p.t.Helper()
	n := 0
	must(p.t, p.blobs.List(p.t.Context(), func(blob.Info) error { n++; return nil }))
	return n
}

func TestBuckets(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	must(t, p.CreateBucket(ctx, far, "far-away", nil))
	must(t, p.CreateBucket(ctx, here, "bucket", nil)) // again, as us-east-1 lets one
	wantCode(t, "again elsewhere", p.CreateBucket(ctx, far, "far-away", nil), objects.BucketAlreadyOwnedByYou)
	wantCode(t, "another's", p.CreateBucket(ctx, stranger, "bucket", nil), objects.BucketAlreadyExists)
	_, err := p.Bucket(ctx, stranger, "bucket")
	wantCode(t, "read by another", err, objects.AccessDenied)
	_, err = p.Bucket(ctx, here, "far-away")
	wantCode(t, "from another region", err, objects.PermanentRedirect)
	_, err = p.Anywhere(ctx, here, "far-away")
	must(t, err)
	list, err := p.ListBuckets(ctx, here)
	must(t, err)
	if len(list) != 2 || list[0].Key.Name != "bucket" || list[1].Key.Name != "far-away" {
		t.Errorf("got %+v", list)
	}
	p.put("bucket", "a", "1")
	wantCode(t, "delete a full one", p.DeleteBucket(ctx, here, "bucket"), objects.BucketNotEmpty)
	_, err = p.Delete(ctx, here, "bucket", []catalog.ObjectID{{Name: "a"}})
	must(t, err)
	must(t, p.DeleteBucket(ctx, here, "bucket"))
	wantCode(t, "delete again", p.DeleteBucket(ctx, here, "bucket"), objects.NoSuchBucket)
}

func TestBucketNames(t *testing.T) {
	for name, want := range map[string]bool{
		"abc": true, "a.b-c": true, "123": true, strings.Repeat("a", 63): true,
		"": false, "ab": false, "Abc": false, "a_b": false, ".ab": false, "ab-": false, "a..b": false, "a.-b": false, "10.0.0.1": false,
		strings.Repeat("a", 64): false, "a/b": false,
	} {
		if got := objects.IsBucketName(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// TestPut: sums are made and compared, and what does not match is not kept.
func TestPut(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	const text = "123456789" // whose sums are in everybody's tables
	sums := map[string]string{"CRC32": "y/Q5Jg==", "CRC32C": "4waSgw==", "CRC64NVME": "rosUhgp5mIg=",
		"SHA1": "98O8HYCOBHMq32eZZczDTKeuNEE=", "SHA256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="}
	for algorithm, value := range sums {
		body := func(value string) objects.Body {
			return objects.Body{Reader: strings.NewReader(text), Algorithm: algorithm, Expected: func() string { return value }}
		}
		in := objects.PutInput{Bucket: "bucket", Name: algorithm}
		_, o, err := p.Put(ctx, here, in, body(value))
		if err != nil || o.About.Checksum != (catalog.Checksum{Algorithm: algorithm, Type: objects.FullObject, Value: value}) {
			t.Errorf("%s: got %+v, %v", algorithm, o.About.Checksum, err)
		}
		in.Name = "bad"
		_, _, err = p.Put(ctx, here, in, body("AAAA"))
		wantCode(t, algorithm, err, objects.BadDigest)
	}
	_, _, err := p.Put(ctx, here, objects.PutInput{Bucket: "bucket", Name: "bad"}, objects.Body{Reader: strings.NewReader(text), MD5: make([]byte, 16)})
	wantCode(t, "MD5", err, objects.BadDigest)
	_, _, err = p.Get(ctx, here, "bucket", catalog.ObjectID{Name: "bad"})
	wantCode(t, "what was refused", err, objects.NoSuchKey)
	_, _, err = p.Put(ctx, here, objects.PutInput{Bucket: "bucket", Name: strings.Repeat("k", 1025)}, objects.Body{Reader: strings.NewReader(text)})
	wantCode(t, "a long key", err, objects.KeyTooLong)
	_, _, err = p.Put(ctx, here, objects.PutInput{Bucket: "bucket", Name: "a\x00"}, objects.Body{Reader: strings.NewReader(text)})
	wantCode(t, "a NUL", err, objects.InvalidArgument)
	broken := errors.New("broken")
	_, _, err = p.Put(ctx, here, objects.PutInput{Bucket: "bucket", Name: "bad"}, objects.Body{Reader: io.MultiReader(strings.NewReader("x"), failing{broken})})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the body's error", err)
	}
	if n := p.countBlobs(); n != 1 {
		t.Errorf("there are %d blobs, want one", n)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestConditions(t *testing.T) {
	p := newParts(t)
	p.bucket("bucket")
	put := func(c objects.Conditions) error {
		_, _, err := p.Put(t.Context(), here, objects.PutInput{Bucket: "bucket", Name: "a", Conditions: c}, objects.Body{Reader: strings.NewReader("1")})
		return err
	}
	wantCode(t, "match of none", put(objects.Conditions{IfMatch: "x"}), objects.NoSuchKey)
	must(t, put(objects.Conditions{IfNoMatch: true}))
	wantCode(t, "there already", put(objects.Conditions{IfNoMatch: true}), objects.PreconditionFailed)
	wantCode(t, "another ETag", put(objects.Conditions{IfMatch: `"x"`}), objects.PreconditionFailed)
	must(t, put(objects.Conditions{IfMatch: `"c4ca4238a0b923820dcc509a6f75849b"`}))
}

// TestUpload: an object in parts has AWS's ETag, and its bytes are those of the parts that were named.
func TestUpload(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	for _, row := range []struct{ algorithm, kind, want string }{
		{"", "", ""},
		{"CRC32", objects.Composite, "COMPOSITE"},
		{"CRC64NVME", objects.FullObject, "FULL_OBJECT"},
	} {
		u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: "bucket", Name: "big", About: catalog.About{
			Headers: map[string]string{"Content-Type": "x/y"}, Checksum: catalog.Checksum{Algorithm: row.algorithm, Type: row.kind}}})
		must(t, err)
		id := objects.UploadID{Bucket: "bucket", Name: "big", ID: u.ID}
		first, last := strings.Repeat("a", objects.MinPart), "the end"
		var named []objects.NamedPart
		etags := md5.New()
		for number, text := range map[int]string{1: first, 3: last, 2: "not named"} {
			_, part, err := p.PutPart(ctx, here, id, number, objects.Body{Reader: strings.NewReader(text)})
			must(t, err)
			if number != 2 {
				named = append(named, objects.NamedPart{Number: number, ETag: `"` + part.ETag + `"`, Checksum: part.Checksum})
			}
		}
		slices.SortFunc(named, func(a, b objects.NamedPart) int { return a.Number - b.Number })
		for _, n := range named {
			b, err := hex.DecodeString(strings.Trim(n.ETag, `"`))
			must(t, err)
			etags.Write(b)
		}
		if row.want != "" {
			_, _, err = p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: named, Checksum: "AAAA"})
			wantCode(t, "another sum of the whole", err, objects.BadDigest)
		}
		_, o, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: named})
		must(t, err)
		if want := fmt.Sprintf("%x-2", etags.Sum(nil)); o.ETag != want {
			t.Errorf("got ETag %s, want %s", o.ETag, want)
		}
		if got := p.read(o); got != first+last {
			t.Errorf("got %d bytes, want %d", len(got), len(first+last))
		}
		if got := o.About.Checksum; got.Type != row.want || (got.Value == "") != (row.want == "") || strings.HasSuffix(got.Value, "-2") != (row.want == objects.Composite) {
			t.Errorf("got checksum %+v", got)
		}
		if diff := cmp.Diff([]int64{objects.MinPart, int64(len(last))}, o.About.Parts); diff != "" || o.About.Headers["Content-Type"] != "x/y" {
			t.Errorf("about %+v", o.About)
		}
		_, again, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: named})
		if err != nil || again.Number != o.Number {
			t.Errorf("completed again: got %+v, %v", again, err)
		}
		_, _, err = p.PutPart(ctx, here, id, 1, objects.Body{Reader: strings.NewReader("late")})
		wantCode(t, "a late part", err, objects.NoSuchUpload)

		c, err := p.Copy(ctx, here, objects.CopyInput{From: objects.Source{Bucket: "bucket", ID: catalog.ObjectID{Name: "big"}}, To: objects.PutInput{Bucket: "bucket", Name: "copy"}})
		must(t, err)
		_, _, err = p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: objects.UploadID{Bucket: "bucket", Name: "copy", ID: id.ID}, Parts: named})
		wantCode(t, "the upload of a copy", err, objects.NoSuchUpload)
		if want := fmt.Sprintf("%x", md5.Sum([]byte(first+last))); c.Object.ETag != want || c.Object.Digest != o.Digest || c.Object.About.Headers["Content-Type"] != "x/y" {
			t.Errorf("the copy is %+v, want ETag %s", c.Object, want)
		}
	}
}

// ready is an upload with two parts that are named.
func (p parts) ready(bucket, name string) objects.CompleteInput {
	p.t.Helper()
	ctx := p.t.Context()
	u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: bucket, Name: name})
	must(p.t, err)
	in := objects.CompleteInput{Upload: objects.UploadID{Bucket: bucket, Name: name, ID: u.ID}}
	for i, text := range []string{strings.Repeat("a", objects.MinPart), "the end"} {
		_, part, err := p.PutPart(ctx, here, in.Upload, i+1, objects.Body{Reader: strings.NewReader(text)})
		must(p.t, err)
		in.Parts = append(in.Parts, objects.NamedPart{Number: i + 1, ETag: part.ETag})
	}
	return in
}

// TestCompleteOutlivesItsCaller: who hangs up while parts are joined finds the object.
func TestCompleteOutlivesItsCaller(t *testing.T) {
	p := newParts(t)
	p.bucket("bucket")
	in := p.ready("bucket", "big")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p.spy.before = func(string) { cancel() }
	_, o, err := p.CompleteUpload(ctx, here, in)
	must(t, err)
	_, again, err := p.CompleteUpload(t.Context(), here, in)
	if err != nil || again.Number != o.Number {
		t.Errorf("completed again: got %+v, %v", again, err)
	}
}

// TestCompleteTwiceAtOnce asks again while parts are joined. The same question waits, and has the same answer; another one has an
// answer of its own.
func TestCompleteTwiceAtOnce(t *testing.T) {
	for name, row := range map[string]struct {
		first objects.Conditions
		want  objects.Code // of the first
		joins int64
	}{
		"the same": {joins: 1},
		"another":  {objects.Conditions{IfMatch: "x"}, objects.NoSuchKey, 2},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParts(t)
			p.bucket("bucket")
			in := p.ready("bucket", "big")
			var joins atomic.Int64
			begun, asked := make(chan struct{}), make(chan struct{})
			p.spy.before = func(what string) {
				if what == "stage" && joins.Add(1) == 1 {
					close(begun)
					<-asked
				}
			}
			var first catalog.Object
			var err error
			var g sync.WaitGroup
			g.Go(func() {
				in := in
				in.Conditions = row.first
				_, first, err = p.CompleteUpload(t.Context(), here, in)
			})
			<-begun
			p.records.before = sync.OnceFunc(func() { close(asked) })
			_, second, err2 := p.CompleteUpload(t.Context(), here, in)
			g.Wait()
			must(t, err2)
			if row.want != "" {
				wantCode(t, "the first", err, row.want)
			} else if err != nil || first.Number != second.Number {
				t.Errorf("got %+v, %v and %+v", first, err, second)
			}
			if joins.Load() != row.joins {
				t.Errorf("joined %d times, want %d", joins.Load(), row.joins)
			}
		})
	}
}

// TestUploadOfTooMuch: what the store of blobs does not take at once is refused before the parts are read.
func TestUploadOfTooMuch(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: "bucket", Name: "big"})
	must(t, err)
	id := objects.UploadID{Bucket: "bucket", Name: "big", ID: u.ID}
	var named []objects.NamedPart
	for n, size := range []int{objects.MinPart, 1} {
		_, part, err := p.PutPart(ctx, here, id, n+1, objects.Body{Reader: strings.NewReader(strings.Repeat("x", size))})
		must(t, err)
		named = append(named, objects.NamedPart{Number: n + 1, ETag: part.ETag})
	}
	p.spy.before = func(what string) { t.Errorf("too much: %s", what) }
	for name, row := range map[string]struct {
		max  int64
		want string
	}{
		"one byte too many": {objects.MinPart, "5242880 bytes at once"},
		"one part too many": {objects.MinPart - 1, "5242879 bytes at once"},
	} {
		p.spy.max = row.max
		_, _, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: named})
		wantCode(t, name, err, objects.EntityTooLarge)
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want one that says %q", name, err, row.want)
		}
	}
	p.spy.before, p.spy.max = nil, objects.MinPart+1
	_, o, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: named})
	must(t, err)
	if o.Size != objects.MinPart+1 {
		t.Errorf("as much as it takes: got %d bytes", o.Size)
	}
}

func TestUploadRefuses(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: "bucket", Name: "big", About: catalog.About{Checksum: catalog.Checksum{Algorithm: "CRC32", Type: objects.Composite}}})
	must(t, err)
	id := objects.UploadID{Bucket: "bucket", Name: "big", ID: u.ID}
	var named []objects.NamedPart
	for n := 1; n <= 2; n++ {
		_, part, err := p.PutPart(ctx, here, id, n, objects.Body{Reader: strings.NewReader("small")})
		must(t, err)
		named = append(named, objects.NamedPart{Number: n, ETag: part.ETag})
	}
	for name, row := range map[string]struct {
		parts []objects.NamedPart
		want  objects.Code
	}{
		"small":     {named, objects.EntityTooSmall},
		"disorder":  {[]objects.NamedPart{named[1], named[0]}, objects.InvalidPartOrder},
		"twice":     {[]objects.NamedPart{named[1], named[1]}, objects.InvalidPartOrder},
		"no part":   {[]objects.NamedPart{{Number: 3, ETag: "x"}}, objects.InvalidPart},
		"wrong tag": {[]objects.NamedPart{{Number: 1, ETag: "x"}}, objects.InvalidPart},
		"wrong sum": {[]objects.NamedPart{{Number: 1, ETag: named[0].ETag, Checksum: "AAAA"}}, objects.InvalidPart},
	} {
		_, _, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: row.parts})
		wantCode(t, name, err, row.want)
	}
	_, _, err = p.PutPart(ctx, here, id, 1, objects.Body{Reader: strings.NewReader("x"), Algorithm: "SHA1"})
	wantCode(t, "another sum", err, objects.InvalidRequest)
	_, _, err = p.PutPart(ctx, here, id, 0, objects.Body{Reader: strings.NewReader("x")})
	wantCode(t, "part 0", err, objects.InvalidArgument)
	_, err = p.Upload(ctx, stranger, id)
	wantCode(t, "another's", err, objects.AccessDenied)
	must(t, p.AbortUpload(ctx, here, id))
	wantCode(t, "abort twice", p.AbortUpload(ctx, here, id), objects.NoSuchUpload)
}

// TestCopyPart makes an object of a part of another.
func TestCopyPart(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	p.put("bucket", "source", "0123456789")
	u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: "bucket", Name: "part"})
	must(t, err)
	id := objects.UploadID{Bucket: "bucket", Name: "part", ID: u.ID}
	from := objects.Source{Bucket: "bucket", ID: catalog.ObjectID{Name: "source"}}
	_, err = p.CopyPart(ctx, here, id, 1, from, &objects.ByteRange{First: 5, Last: 10})
	wantCode(t, "beyond the end", err, objects.InvalidArgument)
	c, err := p.CopyPart(ctx, here, id, 1, from, &objects.ByteRange{First: 2, Last: 4})
	must(t, err)
	_, o, err := p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: []objects.NamedPart{{Number: 1, ETag: c.Part.ETag}}})
	must(t, err)
	if got := p.read(o); got != "234" {
		t.Errorf("got %q", got)
	}
}

// TestCopyOfPartsIsRenewedLast: the bytes of a copy are young when its record is written, however long their sum has taken.
func TestCopyOfPartsIsRenewedLast(t *testing.T) {
	p := newParts(t)
	ctx := t.Context()
	p.bucket("bucket")
	u, err := p.CreateUpload(ctx, here, objects.PutInput{Bucket: "bucket", Name: "part"})
	must(t, err)
	id := objects.UploadID{Bucket: "bucket", Name: "part", ID: u.ID}
	_, part, err := p.PutPart(ctx, here, id, 1, objects.Body{Reader: strings.NewReader("x")})
	must(t, err)
	_, _, err = p.CompleteUpload(ctx, here, objects.CompleteInput{Upload: id, Parts: []objects.NamedPart{{Number: 1, ETag: part.ETag}}})
	must(t, err)
	var done []string
	p.spy.before = func(what string) { done = append(done, what) }
	_, err = p.Copy(ctx, here, objects.CopyInput{From: objects.Source{Bucket: "bucket", ID: catalog.ObjectID{Name: "part"}}, To: objects.PutInput{Bucket: "bucket", Name: "copy"}})
	must(t, err)
	if diff := cmp.Diff([]string{"open", "open", "stage", "commit"}, done); diff != "" { // read; read again to be renewed
		t.Errorf("what was done (-want +got):\n%s", diff)
	}
}

func TestCopyRefuses(t *testing.T) {
	p := newParts(t)
	p.bucket("bucket")
	p.put("bucket", "a", "1")
	same := objects.CopyInput{From: objects.Source{Bucket: "bucket", ID: catalog.ObjectID{Name: "a"}}, To: objects.PutInput{Bucket: "bucket", Name: "a"}}
	_, err := p.Copy(t.Context(), here, same)
	wantCode(t, "onto itself", err, objects.InvalidRequest)
	same.Change = true
	_, err = p.Copy(t.Context(), here, same)
	must(t, err)
	same.From.ID.Name = "none"
	_, err = p.Copy(t.Context(), here, same)
	wantCode(t, "of nothing", err, objects.NoSuchKey)
}
