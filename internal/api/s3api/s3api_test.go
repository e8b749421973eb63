package s3api_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api/s3api"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/catalog/sqlcatalog"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// newAPI is S3 over fresh records and bytes, called by one account in us-east-1. What it does not answer is a failure of ours.
func newAPI(t testing.TB) http.Handler {
	t.Helper()
	return newAPIOver(t, t.TempDir())
}

// newAPIOver keeps its bytes below "blobs" in a directory.
func newAPIOver(t testing.TB, dir string) http.Handler {
	t.Helper()
	db, err := database.Open(t.Context(), database.SQLiteURL(filepath.Join(dir, "lamina.db")))
	must(t, err)
	records, err := sqlcatalog.Open(t.Context(), db)
	must(t, err)
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	must(t, err)
	blobs := blob.New(driver)
	t.Cleanup(func() { must(t, errors.Join(blobs.Close(), records.Close())) })
	a := s3api.New(s3api.Options{Objects: objects.New(objects.Options{Catalog: records, Blobs: blobs}), Hosts: []string{"lamina.example"}})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &wire.Call{Scope: lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}, RequestID: "the-request", Base: "http://here"}
		err := auth.OpenStream(r)
		if err == nil {
			err = a.Serve(w, r, c)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do sends a request: its headers are lines of "Name: value".
func do(h http.Handler, method, target, headers, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1"+target, strings.NewReader(body))
	for line := range strings.SplitSeq(headers, "\n") {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name != "" {
			r.Header.Set(name, strings.TrimSpace(value))
		}
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func ok(t *testing.T, w *httptest.ResponseRecorder, status int) string {
	t.Helper()
	if w.Code != status {
		t.Fatalf("got %d %s, want %d", w.Code, w.Body, status)
	}
	return w.Body.String()
}

// TestRefused: what S3 refuses, in its words, with the statuses that it has.
func TestRefused(t *testing.T) {
	h := newAPI(t)
	ok(t, do(h, "PUT", "/bucket", "", ""), 200)
	ok(t, do(h, "PUT", "/bucket/there", "", "hello"), 200)
	upload := ok(t, do(h, "POST", "/bucket/up?uploads", "x-amz-checksum-algorithm: CRC32", ""), 200)
	_, id, _ := strings.Cut(upload, "<UploadId>")
	id, _, _ = strings.Cut(id, "</UploadId>")
	for name, row := range map[string]struct {
		method, target, headers, body string
		status                        int
		code                          string
	}{
		"no bucket":            {"GET", "/none/key", "", "", 404, "NoSuchBucket"},
		"no key":               {"GET", "/bucket/none", "", "", 404, "NoSuchKey"},
		"no version":           {"GET", "/bucket/there?versionId=x", "", "", 404, "NoSuchVersion"},
		"no upload":            {"PUT", "/bucket/up?partNumber=1&uploadId=x", "", "", 404, "NoSuchUpload"},
		"another's upload":     {"GET", "/bucket/other?uploadId=" + id, "", "", 404, "NoSuchUpload"},
		"no part number":       {"PUT", "/bucket/up?partNumber=x&uploadId=" + id, "", "", 400, "InvalidArgument"},
		"part 10001":           {"PUT", "/bucket/up?partNumber=10001&uploadId=" + id, "", "", 400, "InvalidArgument"},
		"a part's other sum":   {"PUT", "/bucket/up?partNumber=1&uploadId=" + id, "x-amz-checksum-sha1: AAAA", "", 400, "InvalidRequest"},
		"complete, no parts":   {"POST", "/bucket/up?uploadId=" + id, "", "<CompleteMultipartUpload/>", 400, "MalformedXML"},
		"complete, no XML":     {"POST", "/bucket/up?uploadId=" + id, "", "nonsense", 400, "MalformedXML"},
		"complete, wrong part": {"POST", "/bucket/up?uploadId=" + id, "", "<C><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></C>", 400, "InvalidPart"},
		"upload, SHA1 of all":  {"POST", "/bucket/up?uploads", "x-amz-checksum-algorithm: SHA1\nx-amz-checksum-type: FULL_OBJECT", "", 400, "InvalidRequest"},
		"upload, no algorithm": {"POST", "/bucket/up?uploads", "x-amz-checksum-type: FULL_OBJECT", "", 400, "InvalidRequest"},
		"upload, unknown sum":  {"POST", "/bucket/up?uploads", "x-amz-checksum-algorithm: XXHASH3", "", 501, "NotImplemented"},

		"bad bucket name":      {"PUT", "/Bucket", "", "", 400, "InvalidBucketName"},
		"bucket, bad XML":      {"PUT", "/other", "", "<a", 400, "MalformedXML"},
		"bucket, locked":       {"PUT", "/other", "x-amz-bucket-object-lock-enabled: true", "", 501, "NotImplemented"},
		"bucket, wrong region": {"PUT", "/other", "", "<C><LocationConstraint>us-east-1</LocationConstraint></C>", 400, "InvalidLocationConstraint"},
		"bucket, not empty":    {"DELETE", "/bucket", "", "", 409, "BucketNotEmpty"},
		"bucket of others":     {"GET", "/bucket", "x-amz-expected-bucket-owner: 111111111111", "", 403, "AccessDenied"},
		"versioning, state":    {"PUT", "/bucket?versioning", "", "<V><Status>On</Status></V>", 400, "MalformedXML"},
		"versioning, no body":  {"PUT", "/bucket?versioning", "", "", 400, "MalformedXML"},
		"versioning, MFA":      {"PUT", "/bucket?versioning", "", "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>", 501, "NotImplemented"},
		"no tags":              {"GET", "/bucket?tagging", "", "", 404, "NoSuchTagSet"},

		"policy":           {"GET", "/bucket?policy", "", "", 501, "NotImplemented"},
		"ACL":              {"PUT", "/bucket/there?acl", "", "", 501, "NotImplemented"},
		"retention":        {"PUT", "/bucket/there?retention", "", "", 501, "NotImplemented"},
		"a form":           {"POST", "/bucket", "Content-Type: multipart/form-data; boundary=x", "", 501, "NotImplemented"},
		"a method":         {"PATCH", "/bucket/there", "", "", 405, "MethodNotAllowed"},
		"a service method": {"DELETE", "/", "", "", 405, "MethodNotAllowed"},
		"public":           {"PUT", "/bucket/new", "x-amz-acl: public-read", "x", 400, "AccessControlListNotSupported"},
		"SSE-C":            {"PUT", "/bucket/new", "x-amz-server-side-encryption-customer-algorithm: AES256", "x", 501, "NotImplemented"},
		"SSE-C, read":      {"GET", "/bucket/there", "x-amz-server-side-encryption-customer-algorithm: AES256", "", 501, "NotImplemented"},
		"locked":           {"PUT", "/bucket/new", "x-amz-object-lock-mode: GOVERNANCE", "x", 400, "InvalidRequest"},
		"append":           {"PUT", "/bucket/there", "x-amz-write-offset-bytes: 5", "x", 501, "NotImplemented"},

		"encryption":         {"PUT", "/bucket/new", "x-amz-server-side-encryption: aes256", "x", 400, "InvalidArgument"},
		"a key of KMS":       {"PUT", "/bucket/new", "x-amz-server-side-encryption-aws-kms-key-id: k", "x", 400, "InvalidArgument"},
		"a key of KMS, S3's": {"PUT", "/bucket/new", "x-amz-server-side-encryption: AES256\nx-amz-server-side-encryption-aws-kms-key-id: k", "x", 400, "InvalidArgument"},
		"upload, encryption": {"POST", "/bucket/up?uploads", "x-amz-server-side-encryption: true", "", 400, "InvalidArgument"},
		"storage class":      {"PUT", "/bucket/new", "x-amz-storage-class: standard", "x", 400, "InvalidStorageClass"},
		"a long key":         {"PUT", "/bucket/" + strings.Repeat("k", 1025), "", "x", 400, "KeyTooLongError"},
		"no UTF-8":           {"PUT", "/bucket/%ff", "", "x", 400, "InvalidURI"},
		"a NUL":              {"PUT", "/bucket/a%00", "", "x", 400, "InvalidArgument"},
		"much metadata":      {"PUT", "/bucket/new", "x-amz-meta-a: " + strings.Repeat("v", 2048), "x", 400, "MetadataTooLarge"},
		"long headers":       {"PUT", "/bucket/new", "Content-Disposition: " + strings.Repeat("v", 9000), "x", 400, "RequestHeaderSectionTooLarge"},
		"no MD5":             {"PUT", "/bucket/new", "Content-MD5: AAAA", "x", 400, "InvalidDigest"},
		"another MD5":        {"PUT", "/bucket/new", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==", "x", 400, "BadDigest"},
		"another sum":        {"PUT", "/bucket/new", "x-amz-checksum-crc32: AAAAAA==", "x", 400, "BadDigest"},
		"two sums":           {"PUT", "/bucket/new", "x-amz-checksum-crc32: AAAAAA==\nx-amz-checksum-sha1: AAAA", "x", 400, "InvalidRequest"},
		"an unknown sum":     {"PUT", "/bucket/new", "x-amz-checksum-xxhash3: AAAA", "x", 501, "NotImplemented"},
		"another digest":     {"PUT", "/bucket/new", "x-amz-content-sha256: " + strings.Repeat("0", 64), "x", 400, "XAmzContentSHA256Mismatch"},
		"bad chunks":         {"PUT", "/bucket/new", "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 1", "x", 400, "IncompleteBody"},
		"a trailer's sum":    {"PUT", "/bucket/new", "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 1\nx-amz-trailer: x-amz-checksum-crc32", "1\r\nx\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 400, "BadDigest"},
		"no trailer":         {"PUT", "/bucket/new", "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 1\nx-amz-trailer: x-amz-checksum-crc32", "1\r\nx\r\n0\r\n\r\n", 400, "MalformedTrailerError"},
		"another trailer":    {"PUT", "/bucket/new", "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 1\nx-amz-trailer: x-amz-checksum-crc32", "1\r\nx\r\n0\r\nx-amz-checksum-sha1:AAAA\r\n\r\n", 400, "MalformedTrailerError"},
		"no chunks":          {"PUT", "/bucket/new", "x-amz-trailer: x-amz-checksum-crc32", "x", 400, "MalformedTrailerError"},
		"part, no trailer":   {"PUT", "/bucket/up?partNumber=1&uploadId=" + id, "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\nx-amz-decoded-content-length: 1\nx-amz-trailer: x-amz-checksum-crc32", "1\r\nx\r\n0\r\n\r\n", 400, "MalformedTrailerError"},
		"tags, no trailer":   {"PUT", "/bucket/there?tagging", "x-amz-trailer: x-amz-checksum-crc32", "<Tagging><TagSet/></Tagging>", 400, "MalformedTrailerError"},
		"many tags":          {"PUT", "/bucket/new", "x-amz-tagging: a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1", "x", 400, "BadRequest"},
		"a tag twice":        {"PUT", "/bucket/new", "x-amz-tagging: a=1&a=2", "x", 400, "InvalidTag"},
		"tags, bad XML":      {"PUT", "/bucket/there?tagging", "", "<Tagging><TagSet><Tag></Tagging>", 400, "MalformedXML"},
		"there already":      {"PUT", "/bucket/there", "If-None-Match: *", "x", 412, "PreconditionFailed"},
		"another ETag":       {"PUT", "/bucket/there", `If-Match: "x"`, "x", 412, "PreconditionFailed"},
		"read, another ETag": {"GET", "/bucket/there", `If-Match: "x"`, "", 412, "PreconditionFailed"},
		"read, too old":      {"GET", "/bucket/there", "If-Unmodified-Since: Mon, 12 Jan 2015 15:31:58 GMT", "", 412, "PreconditionFailed"},
		"delete, if":         {"DELETE", "/bucket/there", `If-Match: "x"`, "", 501, "NotImplemented"},
		"range":              {"GET", "/bucket/there", "Range: bytes=5-", "", 416, "InvalidRange"},
		"range and part":     {"GET", "/bucket/there?partNumber=1", "Range: bytes=1-", "", 400, "InvalidRequest"},
		"part 2":             {"GET", "/bucket/there?partNumber=2", "", "", 400, "InvalidPartNumber"},

		"copy of nothing":      {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/none", "", 404, "NoSuchKey"},
		"copy, no key":         {"PUT", "/bucket/new", "x-amz-copy-source: bucket", "", 400, "InvalidArgument"},
		"copy, directive":      {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/there\nx-amz-metadata-directive: MERGE", "", 400, "InvalidArgument"},
		"copy onto itself":     {"PUT", "/bucket/there", "x-amz-copy-source: /bucket/there", "", 400, "InvalidRequest"},
		"copy, encryption":     {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/there\nx-amz-server-side-encryption: aes256", "", 400, "InvalidArgument"},
		"copy, another ETag":   {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/there\nx-amz-copy-source-if-match: x", "", 412, "PreconditionFailed"},
		"copy, same ETag":      {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/there\nx-amz-copy-source-if-none-match: *", "", 412, "PreconditionFailed"},
		"copy of others":       {"PUT", "/bucket/new", "x-amz-copy-source: /bucket/there\nx-amz-source-expected-bucket-owner: 111111111111", "", 403, "AccessDenied"},
		"copy part of others":  {"PUT", "/bucket/up?partNumber=1&uploadId=" + id, "x-amz-copy-source: /bucket/there\nx-amz-source-expected-bucket-owner: 111111111111", "", 403, "AccessDenied"},
		"copy part, range":     {"PUT", "/bucket/up?partNumber=1&uploadId=" + id, "x-amz-copy-source: /bucket/there\nx-amz-copy-source-range: bytes=1-", "", 400, "InvalidArgument"},
		"copy part, too long":  {"PUT", "/bucket/up?partNumber=1&uploadId=" + id, "x-amz-copy-source: /bucket/there\nx-amz-copy-source-range: bytes=0-5", "", 400, "InvalidArgument"},
		"list, keys":           {"GET", "/bucket?list-type=2&max-keys=x", "", "", 400, "InvalidArgument"},
		"list, negative":       {"GET", "/bucket?max-keys=-1", "", "", 400, "InvalidArgument"},
		"list, encoding":       {"GET", "/bucket?encoding-type=xml", "", "", 400, "InvalidArgument"},
		"list, token":          {"GET", "/bucket?list-type=2&continuation-token=*", "", "", 400, "InvalidArgument"},
		"list, type":           {"GET", "/bucket?list-type=3", "", "", 400, "InvalidArgument"},
		"versions, marker":     {"GET", "/bucket?versions&version-id-marker=x", "", "", 400, "InvalidArgument"},
		"delete, no XML":       {"POST", "/bucket?delete", "", "", 400, "MalformedXML"},
		"delete, nothing":      {"POST", "/bucket?delete", "", "<Delete/>", 400, "MalformedXML"},
		"delete, another MD5":  {"POST", "/bucket?delete", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==", "<Delete><Object><Key>there</Key></Object></Delete>", 400, "BadDigest"},
		"delete, too much":     {"POST", "/bucket?delete", "", "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", 1001) + "</Delete>", 400, "MalformedXML"},
		"complete, too much":   {"POST", "/bucket/up?uploadId=" + id, "", "<CompleteMultipartUpload>" + strings.Repeat("<Part><PartNumber>1</PartNumber></Part>", 10001) + "</CompleteMultipartUpload>", 400, "MalformedXML"},
		"attributes, none":     {"GET", "/bucket/there?attributes", "", "", 400, "InvalidRequest"},
		"attributes, unknown":  {"GET", "/bucket/there?attributes", "x-amz-object-attributes: Colour", "", 400, "InvalidArgument"},
		"expired":              {"GET", "/bucket/there?X-Amz-Signature=0&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60", "", "", 403, "AccessDenied"},
		"expired, old":         {"GET", "/bucket/there?AWSAccessKeyId=x&Signature=y&Expires=1", "", "", 403, "AccessDenied"},
		"expires never":        {"GET", "/bucket/there?X-Amz-Signature=0&X-Amz-Date=20200101T000000Z", "", "", 400, "AuthorizationQueryParametersError"},
		"an empty bucket name": {"GET", "//key", "", "", 400, "InvalidBucketName"},
	} {
		w := do(h, row.method, row.target, row.headers, row.body)
		if w.Code != row.status || !strings.Contains(w.Body.String(), "<Code>"+row.code+"</Code>") || !strings.Contains(w.Body.String(), "<RequestId>the-request</RequestId>") {
			t.Errorf("%s: got %d %s, want %d %s", name, w.Code, w.Body, row.status, row.code)
		}
	}
	if list := ok(t, do(h, "GET", "/bucket", "", ""), 200); strings.Count(list, "<Key>") != 1 {
		t.Errorf("what was refused was kept: %s", list)
	}
}

// TestHead: HEAD tells nothing but the status and headers.
func TestHead(t *testing.T) {
	s := httptest.NewServer(newAPI(t))
	t.Cleanup(s.Close)
	for target, want := range map[string]int{"/none": 404, "/none/key": 404} {
		res, err := s.Client().Head(s.URL + target)
		must(t, err)
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != want || len(b) > 0 || res.Header["X-Amz-Request-Id"] == nil {
			t.Errorf("%s: got %d %q %v", target, res.StatusCode, b, res.Header)
		}
	}
}

// TestHosts: a bucket is named by the path or by the host.
func TestHosts(t *testing.T) {
	h := newAPI(t)
	ok(t, do(h, "PUT", "/my.bucket", "", ""), 200)
	ok(t, do(h, "PUT", "/my.bucket/a/key", "", "hello"), 200)
	for host, target := range map[string]string{
		"localhost:4566": "/my.bucket/a/key", "s3.localhost": "/my.bucket/a/key", "s3.eu-west-2.localhost:80": "/my.bucket/a/key",
		"my.bucket.localhost:4566": "/a/key", "MY.bucket.localhost.": "/a/key", "my.bucket.s3.localhost": "/a/key",
		"my.bucket.s3.eu-west-2.localhost": "/a/key", "my.bucket.lamina.example": "/a/key", "lamina.example": "/my.bucket/a/key",
	} {
		if w := do(h, "GET", target, "Host: "+host, ""); w.Code != 200 || w.Body.String() != "hello" {
			t.Errorf("%s%s: got %d %s", host, target, w.Code, w.Body)
		}
	}
}

// TestAnswers looks at what clients that are tried elsewhere do not show.
func TestAnswers(t *testing.T) {
	h := newAPI(t)
	ok(t, do(h, "PUT", "/bucket", "", ""), 200)
	w := do(h, "PUT", "/bucket/"+"a%01+%20b", "Content-Encoding: aws-chunked,gzip\nx-amz-server-side-encryption: AES256\nExpires: never", "123456789")
	ok(t, w, 200)
	if got := w.Header()["x-amz-checksum-crc64nvme"]; len(got) != 1 || got[0] != "rosUhgp5mIg=" || w.Header()["x-amz-server-side-encryption"] == nil {
		t.Errorf("a put: got %v", w.Header())
	}
	w = do(h, "GET", "/bucket/a%01+%20b?response-expires=soon", "", "")
	if ok(t, w, 200) != "123456789" || w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Expires") != "soon" || w.Header()["x-amz-version-id"] != nil {
		t.Errorf("a get: got %v", w.Header())
	}
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("a page in a bucket would be one of lamina's own: %q", policy)
	}
	ok(t, do(h, "PUT", "/bucket/copy", "x-amz-copy-source: bucket/a%01%2B%20b\nx-amz-source-expected-bucket-owner: 000000000000", ""), 200)
	list := ok(t, do(h, "GET", "/bucket?encoding-type=url&prefix=a", "", ""), 200)
	if !strings.Contains(list, "<Key>a%01%2B%20b</Key>") {
		t.Errorf("an encoded list: %s", list)
	}
	w = do(h, "GET", "/bucket/a%01+%20b", `If-None-Match: "25f9e794323b453885f5181f1b624d0b"`, "")
	if w.Code != http.StatusNotModified || w.Body.Len() > 0 || w.Header()["ETag"] == nil {
		t.Errorf("not modified: got %d %s %v", w.Code, w.Body, w.Header())
	}
	ok(t, do(h, "PUT", "/bucket?versioning", "", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"), 200)
	deleted := do(h, "DELETE", "/bucket/a%01+%20b", "", "")
	marker := deleted.Header()["x-amz-version-id"]
	if deleted.Code != 204 || deleted.Header()["x-amz-delete-marker"] == nil || len(marker) != 1 {
		t.Fatalf("a delete: got %d %v", deleted.Code, deleted.Header())
	}
	w = do(h, "GET", "/bucket/a%01+%20b", "", "")
	if w.Code != 404 || w.Header()["x-amz-delete-marker"] == nil {
		t.Errorf("a deleted one: got %d %v", w.Code, w.Header())
	}
	w = do(h, "GET", "/bucket/a%01+%20b?versionId="+marker[0], "", "")
	if w.Code != 405 || w.Header()["x-amz-delete-marker"] == nil {
		t.Errorf("a marker: got %d %v", w.Code, w.Header())
	}
	attributes := ok(t, do(h, "GET", "/bucket/a%01+%20b?attributes&versionId=null", "x-amz-object-attributes: ETag,ObjectSize,Checksum", ""), 200)
	if !strings.Contains(attributes, "<ETag>25f9e794323b453885f5181f1b624d0b</ETag><Checksum><ChecksumCRC64NVME>rosUhgp5mIg=</ChecksumCRC64NVME>") || !strings.Contains(attributes, "<ObjectSize>9</ObjectSize>") {
		t.Errorf("attributes: %s", attributes)
	}
}

// TestCopyStores: a copy has the metadata of its source, and the storage class and encryption that its own request asks for.
func TestCopyStores(t *testing.T) {
	h := newAPI(t)
	ok(t, do(h, "PUT", "/bucket", "", ""), 200)
	ok(t, do(h, "PUT", "/bucket/from", "Content-Type: text/x\nx-amz-meta-a: b\nx-amz-storage-class: GLACIER_IR\nx-amz-website-redirect-location: /x\n"+
		"x-amz-server-side-encryption: aws:kms\nx-amz-server-side-encryption-aws-kms-key-id: k", "hello"), 200)
	names := []string{"Content-Type", "x-amz-meta-a", "x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"}
	for _, row := range []struct {
		what, headers string
		want          map[string]string
	}{
		{"nothing asked for", "", map[string]string{"Content-Type": "text/x", "x-amz-meta-a": "b"}},
		{"encryption", "x-amz-server-side-encryption: AES256", map[string]string{"Content-Type": "text/x", "x-amz-meta-a": "b", "x-amz-server-side-encryption": "AES256"}},
		{"storage class", "x-amz-storage-class: STANDARD_IA\nContent-Type: text/y", map[string]string{"Content-Type": "text/x", "x-amz-meta-a": "b", "x-amz-storage-class": "STANDARD_IA"}},
		{"S3's own class, which is not shown", "x-amz-storage-class: STANDARD", map[string]string{"Content-Type": "text/x", "x-amz-meta-a": "b"}},
		{"all anew", "x-amz-metadata-directive: REPLACE\nContent-Type: text/y\nx-amz-storage-class: STANDARD_IA", map[string]string{"Content-Type": "text/y", "x-amz-storage-class": "STANDARD_IA"}},
	} {
		w := do(h, "PUT", "/bucket/to", "x-amz-copy-source: /bucket/from\n"+row.headers, "")
		ok(t, w, 200)
		if got := strings.Join(w.Header()["x-amz-server-side-encryption"], ""); got != row.want["x-amz-server-side-encryption"] {
			t.Errorf("%s: the answer says the encryption %q", row.what, got)
		}
		read := do(h, "GET", "/bucket/to", "", "")
		ok(t, read, 200)
		got := map[string]string{}
		for _, name := range names {
			if v := read.Header()[name]; len(v) > 0 {
				got[name] = v[0]
			}
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.what, diff)
		}
	}
	ok(t, do(h, "PUT", "/bucket/from", "x-amz-copy-source: /bucket/from\nx-amz-server-side-encryption: AES256", ""), 200) // onto itself
	if w := do(h, "GET", "/bucket/from", "", ""); w.Header().Get("Content-Type") != "text/x" || w.Header()["x-amz-storage-class"] != nil {
		t.Errorf("copied onto itself: got %v", w.Header())
	}
}

// TestLostBytes: an answer that says that an object cannot be read has nothing of the object's.
func TestLostBytes(t *testing.T) {
	dir := t.TempDir()
	h := newAPIOver(t, dir)
	ok(t, do(h, "PUT", "/bucket", "", ""), 200)
	ok(t, do(h, "PUT", "/bucket/lost", "Content-Encoding: gzip\nCache-Control: max-age=60\nx-amz-meta-a: b", "hello"), 200)
	stored := ok(t, do(h, "GET", "/bucket/lost", "", ""), 200)
	must(t, filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != stored {
			return err
		}
		return os.Remove(path)
	}))
	w := do(h, "GET", "/bucket/lost", "x-amz-checksum-mode: ENABLED", "")
	if w.Code < 400 {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	for _, name := range []string{"ETag", "Last-Modified", "Content-Encoding", "Cache-Control", "Content-Length", "x-amz-meta-a", "x-amz-checksum-crc64nvme"} {
		if v := w.Header()[name]; v != nil {
			t.Errorf("%s: %q", name, v)
		}
	}
}

// zeros are as many as one likes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestMemory: a long object comes and goes in pieces.
func TestMemory(t *testing.T) {
	const size, most = 64 << 20, 8 << 20
	h := newAPI(t)
	ok(t, do(h, "PUT", "/bucket", "", ""), 200)
	allocated := func(f func()) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	got := allocated(func() {
		r := httptest.NewRequest("PUT", "/bucket/long", io.LimitReader(zeros{}, size))
		r.ContentLength = size
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		ok(t, w, 200)
	})
	if got > most {
		t.Errorf("a put of %d bytes allocated %d", size, got)
	}
	got = allocated(func() {
		w := &counter{header: http.Header{}}
		h.ServeHTTP(w, httptest.NewRequest("GET", "/bucket/long", nil))
		if w.n != size {
			t.Errorf("got %d bytes", w.n)
		}
	})
	if got > most {
		t.Errorf("a get of %d bytes allocated %d", size, got)
	}
}

// counter is an answer that is only counted.
type counter struct {
	header http.Header
	n      int
}

func (c *counter) Header() http.Header         { return c.header }
func (c *counter) WriteHeader(int)             {}
func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }

// FuzzRequests: nothing that comes makes a failure of ours.
func FuzzRequests(f *testing.F) {
	for _, seed := range [][4]string{
		{"PUT", "/bucket/k?partNumber=1&uploadId=x", "x-amz-copy-source: /bucket/k?versionId=null\nx-amz-copy-source-range: bytes=0-0", ""},
		{"POST", "/bucket?delete", "", "<Delete><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>"},
		{"POST", "/bucket/k?uploads", "x-amz-checksum-algorithm: CRC32", ""},
		{"GET", "/bucket?list-type=2&prefix=a&delimiter=%2F&start-after=a&max-keys=2&encoding-type=url", "", ""},
		{"GET", "/bucket?versions&key-marker=a&version-id-marker=null", "", ""},
		{"GET", "/bucket?uploads&key-marker=a&upload-id-marker=b", "", ""},
		{"GET", "/bucket/k?partNumber=1&response-content-type=x%0Ay", "Range: bytes=-0", ""},
		{"PUT", "/bucket/k", "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\nx-amz-decoded-content-length: 1", "1;chunk-signature=0\r\nx\r\n0\r\n\r\n"},
		{"PUT", "/bucket/k?tagging", "", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
		{"PUT", "/other", "Host: x.localhost", "<C><LocationConstraint>EU</LocationConstraint></C>"},
		{"GET", "/bucket/k?X-Amz-Signature=0&X-Amz-Date=20990101T000000Z&X-Amz-Expires=60", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	h := newAPI(f)
	for _, target := range []string{"/bucket", "/bucket/k"} {
		if w := do(h, "PUT", target, "", ""); w.Code != 200 {
			f.Fatal(w.Body)
		}
	}
	f.Fuzz(func(t *testing.T, method, target, headers, body string) {
		r, err := http.NewRequest(method, "http://127.0.0.1"+target, bytes.NewReader([]byte(body)))
		if err != nil || r.Host != "127.0.0.1" {
			t.Skip("no request")
		}
		for line := range strings.SplitSeq(headers, "\n") {
			name, value, _ := strings.Cut(line, ":")
			r.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError && !strings.Contains(w.Body.String(), "lamina does not implement bodies") && !strings.Contains(w.Body.String(), "You must provide") {
			t.Errorf("%s %s\n%s\n%q: %s", method, target, headers, body, w.Body)
		}
	})
}
