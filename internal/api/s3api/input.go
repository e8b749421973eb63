package s3api

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

const (
	maxXML      = 8 << 20 // bytes of a body of XML
	maxHeaders  = 8 << 10 // bytes of the headers that are kept with an object: AWS's limit of all
	xmlBodies   = 4       // bodies of XML that are read at once for one account
	maxMetadata = 2 << 10 // bytes of the user's metadata
	maxTags     = 10      // of an object
	metaPrefix  = "X-Amz-Meta-"
	sumPrefix   = "X-Amz-Checksum-"
)

// keptHeaders are those of a PutObject that a GetObject gives back.
var keptHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	"X-Amz-Storage-Class", "X-Amz-Website-Redirect-Location", "X-Amz-Server-Side-Encryption", "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id",
	"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"}

// about reads what is kept with an object from the headers of its request.
func (q *request) about() (catalog.About, error) {
	a := catalog.About{Headers: map[string]string{}, Metadata: map[string]string{}}
	if err := q.checkHeaders(); err != nil {
		return a, err
	}
	size := 0
	for _, name := range keptHeaders {
		if v := q.r.Header.Get(name); v != "" {
			a.Headers[name] = v
			size += len(name) + len(v)
		}
	}
	if size > maxHeaders {
		return a, newFault("RequestHeaderSectionTooLarge", "Your request header section exceeds the maximum allowed request header section size.")
	}
	if v, ok := a.Headers["Content-Encoding"]; ok {
		if v = withoutChunks(v); v == "" {
			delete(a.Headers, "Content-Encoding")
		} else {
			a.Headers["Content-Encoding"] = v
		}
	}
	size = 0
	for name, values := range q.r.Header {
		if key, ok := strings.CutPrefix(name, metaPrefix); ok {
			v := strings.Join(values, ",")
			a.Metadata[strings.ToLower(key)] = v
			size += len(key) + len(v)
		}
	}
	if size > maxMetadata {
		return a, newFault("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	var err error
	a.Tags, err = queryTags(q.r.Header.Get("X-Amz-Tagging"))
	return a, err
}

// withoutChunks takes out of a Content-Encoding what is only about the way of the bytes.
func withoutChunks(encoding string) string {
	var left []string
	for part := range strings.SplitSeq(encoding, ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			left = append(left, part)
		}
	}
	return strings.Join(left, ",")
}

// checkHeaders refuses what would change what is kept, or who may read it.
func (q *request) checkHeaders() error {
	h := q.r.Header
	for _, name := range []string{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Write-Offset-Bytes"} {
		if h.Get(name) != "" {
			return notImplemented(strings.ToLower(name))
		}
	}
	for _, name := range []string{"X-Amz-Object-Lock-Mode", "X-Amz-Object-Lock-Retain-Until-Date", "X-Amz-Object-Lock-Legal-Hold"} {
		if h.Get(name) != "" {
			return newFault("InvalidRequest", "Bucket is missing Object Lock Configuration")
		}
	}
	switch acl := h.Get("X-Amz-Acl"); acl {
	case "", "private", "bucket-owner-full-control":
	default:
		return newFault("AccessControlListNotSupported", "The bucket does not allow ACLs")
	}
	if class := h.Get("X-Amz-Storage-Class"); class != "" && !slices.Contains(storageClasses, class) {
		return newFault("InvalidStorageClass", "The storage class you specified is not valid")
	}
	return checkEncryption(h.Get("X-Amz-Server-Side-Encryption"), h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"))
}

// storageClasses are those of buckets in a region.
var storageClasses = []string{"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}

func checkEncryption(algorithm, key string) error {
	switch algorithm {
	case "aws:kms", "aws:kms:dsse":
		return nil
	case "", "AES256":
		if key != "" {
			return newFault("InvalidArgument", "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		return nil
	}
	return newFault("InvalidArgument", "The encryption method specified is not supported")
}

func queryTags(s string) (map[string]string, error) {
	if s == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(s)
	if err != nil {
		return nil, newFault("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	tags := map[string]string{}
	for k, v := range values {
		if len(v) > 1 {
			return nil, newFault("InvalidTag", "Cannot provide multiple Tags with the same key")
		}
		tags[k] = v[0]
	}
	return tags, checkTags(tags, maxTags)
}

func checkTags(tags map[string]string, limit int) error {
	if len(tags) > limit {
		return newFault("BadRequest", "Object tags cannot be greater than "+strconv.Itoa(limit))
	}
	for k, v := range tags {
		switch {
		case k == "" || len([]rune(k)) > 128:
			return newFault("InvalidTag", "The TagKey you have provided is invalid")
		case len([]rune(v)) > 256:
			return newFault("InvalidTag", "The TagValue you have provided is invalid")
		}
	}
	return nil
}

// body gives the body of a request with the sums that it must have.
func (q *request) body() (objects.Body, error) {
	b := objects.Body{Reader: q.r.Body}
	if v := q.r.Header.Get("Content-Md5"); v != "" {
		sum, err := base64.StdEncoding.DecodeString(v)
		if err != nil || len(sum) != 16 {
			return b, newFault("InvalidDigest", "The Content-MD5 you specified is not valid.")
		}
		b.MD5 = sum
	}
	algorithm, err := q.algorithm()
	if err != nil || algorithm == "" {
		return b, err
	}
	b.Algorithm = algorithm
	name := sumPrefix + algorithm
	b.Announced = q.announces(name)
	b.Expected = func() string {
		if v := q.r.Header.Get(name); v != "" {
			return v
		}
		return q.r.Trailer.Get(name) // there are none before the end
	}
	return b, nil
}

// announces reports whether a request says that a trailer comes after its body.
func (q *request) announces(name string) bool {
	for trailer := range strings.SplitSeq(q.r.Header.Get("X-Amz-Trailer"), ",") {
		if strings.EqualFold(strings.TrimSpace(trailer), name) {
			return true
		}
	}
	return false
}

// algorithm is the one of the sum that a request brings or asks for, "" when there is none.
func (q *request) algorithm() (string, error) {
	var found []string
	for name := range q.r.Header {
		if a, ok := strings.CutPrefix(name, sumPrefix); ok && !slices.Contains([]string{"Algorithm", "Mode", "Type"}, a) {
			found = append(found, strings.ToUpper(a))
		}
	}
	for name := range strings.SplitSeq(q.r.Header.Get("X-Amz-Trailer"), ",") {
		if a, ok := strings.CutPrefix(http.CanonicalHeaderKey(strings.TrimSpace(name)), sumPrefix); ok {
			found = append(found, strings.ToUpper(a))
		}
	}
	if a := q.r.Header.Get("X-Amz-Sdk-Checksum-Algorithm"); a != "" && len(found) == 0 {
		found = append(found, strings.ToUpper(a))
	}
	switch {
	case len(found) == 0:
		return "", nil
	case len(found) > 1:
		return "", newFault("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
	case !objects.IsAlgorithm(found[0]):
		return "", notImplemented("checksums of the algorithm " + found[0])
	}
	return found[0], nil
}

// readXML reads a body of XML, and checks its sums.
func (q *request) readXML(v any) error {
	there, err := q.readOptionalXML(v)
	if err == nil && !there {
		err = malformedXML()
	}
	return err
}

// readOptionalXML reads a body of XML, and reports whether there is one.
func (q *request) readOptionalXML(v any) (bool, error) {
	leave, err := q.bodies.Enter(q.ctx(), q.call.Scope.Account)
	if err != nil {
		return false, err
	}
	defer leave()
	body, err := q.body()
	if err != nil {
		return false, err
	}
	text, err := objects.ReadAll(body, maxXML)
	switch {
	case objects.IsCode(err, objects.EntityTooLarge):
		return false, malformedXML()
	case err != nil || len(text) == 0:
		return false, err
	case xml.Unmarshal(text, v) != nil:
		return false, malformedXML()
	}
	return true, nil
}

// appendUpTo reads an element of a list that has at most limit: a long list would take many times the memory of its text.
func appendUpTo[T any](limit int, list *[]T, d *xml.Decoder, start xml.StartElement) error {
	if len(*list) == limit {
		return errors.New("too many elements")
	}
	var v T
	if err := d.DecodeElement(&v, &start); err != nil {
		return err
	}
	*list = append(*list, v)
	return nil
}

// conditions reads those of a request that writes.
func (q *request) conditions() (objects.Conditions, error) {
	c := objects.Conditions{IfMatch: q.r.Header.Get("If-Match")}
	switch v := q.r.Header.Get("If-None-Match"); v {
	case "":
	case "*":
		c.IfNoMatch = true
	default:
		return c, notImplemented("If-None-Match with an ETag, in a request that writes")
	}
	return c, nil
}

// number reads a whole number of the query between 0 and most; a greater one is most.
func (q *request) number(name string, most int) (int, error) {
	s := q.query.Get(name)
	if s == "" {
		return most, nil
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0, newFault("InvalidArgument", "Provided "+name+" not an integer or within integer range")
	}
	return min(int(n), most), nil
}
