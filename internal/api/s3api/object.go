package s3api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

// versionHeader says which version an answer is about, where the bucket has any.
func (q *request) versionHeader(b catalog.Bucket, o catalog.Object) {
	if b.Versioning != catalog.VersioningNever {
		q.w.Header()["x-amz-version-id"] = []string{o.VersionID}
	}
}

func quoted(etag string) string { return `"` + etag + `"` }

// putObject is PutObject, or CopyObject when there is a source.
func (a *API) putObject(q *request) error {
	if q.r.Header.Get("X-Amz-Copy-Source") != "" {
		return a.copyObject(q)
	}
	in, err := q.put()
	if err != nil {
		return err
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	if body.Algorithm == "" {
		body.Algorithm = "CRC64NVME" // as AWS does
	}
	if q.r.ContentLength < 0 {
		return newFault("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	b, o, err := a.Objects.Put(q.ctx(), q.call.Scope, in, body)
	if err != nil {
		return err
	}
	q.versionHeader(b, o)
	h := q.w.Header()
	h["ETag"] = []string{quoted(o.ETag)}
	checksumHeaders(h, o.About.Checksum)
	encryptionHeaders(h, o.About)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// put reads where and on which conditions an object is written.
func (q *request) put() (objects.PutInput, error) {
	about, err := q.about()
	if err != nil {
		return objects.PutInput{}, err
	}
	conditions, err := q.conditions()
	return objects.PutInput{Bucket: q.bucket, Name: q.key, About: about, Conditions: conditions}, err
}

func checksumHeaders(h http.Header, c catalog.Checksum) {
	if c.Value == "" {
		return
	}
	h["x-amz-checksum-"+strings.ToLower(c.Algorithm)] = []string{c.Value}
	h["x-amz-checksum-type"] = []string{c.Type}
}

// encryptionHeaders repeat what the caller asked for; nothing is encrypted.
func encryptionHeaders(h http.Header, about catalog.About) {
	for name, v := range about.Headers {
		if strings.HasPrefix(name, "X-Amz-Server-Side-Encryption") {
			h[strings.ToLower(name)] = []string{v}
		}
	}
}

// overrides are the parameters of a GetObject that take the place of kept headers.
var overrides = map[string]string{"response-cache-control": "Cache-Control", "response-content-disposition": "Content-Disposition",
	"response-content-encoding": "Content-Encoding", "response-content-language": "Content-Language",
	"response-content-type": "Content-Type", "response-expires": "Expires"}

// getObject is GetObject and HeadObject.
func (a *API) getObject(q *request) error {
	if q.r.Header.Get("X-Amz-Server-Side-Encryption-Customer-Algorithm") != "" {
		return notImplemented("x-amz-server-side-encryption-customer-algorithm")
	}
	b, o, err := a.Objects.Get(q.ctx(), q.call.Scope, q.bucket, q.id())
	if err != nil {
		return err
	}
	if err := checkRead(q.r.Header, "", o); err != nil {
		q.validators(b, o)
		return err
	}
	part, status, err := q.part(o)
	if err != nil {
		return err
	}
	if q.r.Method == http.MethodHead {
		q.readHeaders(b, o, part, status)
		q.w.WriteHeader(status)
		return nil
	}
	r, err := a.Objects.Open(q.ctx(), o) // before the headers, which are no failure's
	if err != nil {
		return err
	}
	defer r.Close()
	q.readHeaders(b, o, part, status)
	q.w.WriteHeader(status)
	_, _ = io.Copy(q.w, io.NewSectionReader(r, part.First, part.Last-part.First+1)) // the caller may be gone
	return nil
}

// validators say which state of an object an answer is about.
func (q *request) validators(b catalog.Bucket, o catalog.Object) {
	q.versionHeader(b, o)
	q.w.Header()["ETag"] = []string{quoted(o.ETag)}
	q.w.Header().Set("Last-Modified", httpTime(o.Modified))
}

// readHeaders writes all headers of an answer with bytes of an object.
func (q *request) readHeaders(b catalog.Bucket, o catalog.Object, part objects.ByteRange, status int) {
	q.validators(b, o)
	q.objectHeaders(o)
	h := q.w.Header()
	if strings.EqualFold(q.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") && status == http.StatusOK {
		checksumHeaders(h, o.About.Checksum)
	}
	h.Set("Content-Length", strconv.FormatInt(part.Last-part.First+1, 10))
	if status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", part.First, part.Last, o.Size))
	}
}

// ownOrigin keeps a page that somebody has put into a bucket from being one of lamina's own origin, which could call its APIs as
// anybody: it may run, and a browser names no origin for its requests.
const ownOrigin = "sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads"

// objectHeaders writes what is kept with an object.
func (q *request) objectHeaders(o catalog.Object) {
	h := q.w.Header()
	h.Set("Content-Security-Policy", ownOrigin)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Accept-Ranges", "bytes")
	h.Set("Content-Type", "binary/octet-stream")
	for name, v := range o.About.Headers {
		if name == "X-Amz-Storage-Class" && v == "STANDARD" {
			continue
		}
		if strings.HasPrefix(name, "X-Amz-") {
			h[strings.ToLower(name)] = []string{v}
			continue
		}
		h.Set(name, v)
	}
	for name, v := range o.About.Metadata {
		h["x-amz-meta-"+name] = []string{v}
	}
	if n := len(o.About.Tags); n > 0 {
		h["x-amz-tagging-count"] = []string{strconv.Itoa(n)}
	}
	for parameter, name := range overrides {
		if q.query.Has(parameter) {
			h.Set(name, q.query.Get(parameter))
		}
	}
}

// part gives the bytes of an object that are asked for, and the status of their answer.
func (q *request) part(o catalog.Object) (objects.ByteRange, int, error) {
	all := objects.ByteRange{First: 0, Last: o.Size - 1}
	wanted := q.r.Header.Get("Range")
	if s := q.query.Get("partNumber"); s != "" {
		if wanted != "" {
			return all, 0, newFault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
		}
		return q.numberedPart(o, s)
	}
	if wanted == "" {
		return all, http.StatusOK, nil
	}
	if v := q.r.Header.Get("If-Range"); v != "" && strings.Trim(v, `"`) != o.ETag && v != httpTime(o.Modified) {
		return all, http.StatusOK, nil
	}
	part, ok, satisfiable := parseRange(wanted, o.Size)
	switch {
	case !ok:
		return all, http.StatusOK, nil
	case !satisfiable:
		f := newFault(objects.InvalidRange, "The requested range is not satisfiable")
		f.body.RangeRequested, f.body.ActualSize = wanted, strconv.FormatInt(o.Size, 10)
		return all, 0, f
	}
	return part, http.StatusPartialContent, nil
}

// numberedPart gives a part as the object was uploaded in.
func (q *request) numberedPart(o catalog.Object, number string) (objects.ByteRange, int, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > objects.MaxParts {
		return objects.ByteRange{}, 0, newFault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	sizes := o.About.Parts
	if len(sizes) == 0 {
		sizes = []int64{o.Size}
	} else {
		q.w.Header()["x-amz-mp-parts-count"] = []string{strconv.Itoa(len(sizes))}
	}
	if n > len(sizes) {
		return objects.ByteRange{}, 0, newFault("InvalidPartNumber", "The requested partnumber is not satisfiable")
	}
	first := int64(0)
	for _, size := range sizes[:n-1] {
		first += size
	}
	return objects.ByteRange{First: first, Last: first + sizes[n-1] - 1}, http.StatusPartialContent, nil
}

// parseRange reads "bytes=first-last". What is of another form, or several ranges, is no range (ok is false).
func parseRange(s string, size int64) (part objects.ByteRange, ok, satisfiable bool) {
	s, ok = strings.CutPrefix(s, "bytes=")
	from, to, dash := strings.Cut(strings.TrimSpace(s), "-")
	if !ok || !dash {
		return part, false, false
	}
	if from == "" { // the last bytes
		n, err := strconv.ParseUint(to, 10, 63)
		if err != nil {
			return part, false, false
		}
		return objects.ByteRange{First: max(0, size-int64(n)), Last: size - 1}, true, n > 0 && size > 0
	}
	first, err := strconv.ParseUint(from, 10, 63)
	if err != nil {
		return part, false, false
	}
	last := uint64(size - 1)
	if to != "" {
		if last, err = strconv.ParseUint(to, 10, 63); err != nil || last < first {
			return part, false, false
		}
	}
	return objects.ByteRange{First: int64(first), Last: min(int64(last), size-1)}, true, int64(first) < size
}

// checkRead checks the conditions of a request that reads an object; prefix is that of the headers' names.
func checkRead(h http.Header, prefix string, o catalog.Object) error {
	failed := func(name string) error {
		return &objects.Error{Code: objects.PreconditionFailed, Message: "At least one of the pre-conditions you specified did not hold", Condition: name}
	}
	notModified := func(name string) error {
		if prefix != "" {
			return failed(name)
		}
		return newFault("NotModified", "Not Modified")
	}
	modified := o.Modified.Truncate(time.Second)
	if v := h.Get(prefix + "If-Match"); v != "" {
		if !hasETag(v, o.ETag) {
			return failed("If-Match")
		}
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Unmodified-Since")); err == nil && modified.After(t) {
		return failed("If-Unmodified-Since")
	}
	if v := h.Get(prefix + "If-None-Match"); v != "" {
		if hasETag(v, o.ETag) {
			return notModified("If-None-Match")
		}
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Modified-Since")); err == nil && !modified.After(t) {
		return notModified("If-Modified-Since")
	}
	return nil
}

// hasETag reports whether a list of ETags has one.
func hasETag(list, etag string) bool {
	for v := range strings.SplitSeq(list, ",") {
		v = strings.TrimPrefix(strings.TrimSpace(v), "W/")
		if v == "*" || strings.Trim(v, `"`) == etag {
			return true
		}
	}
	return false
}

func (a *API) deleteObject(q *request) error {
	for _, name := range []string{"If-Match", "X-Amz-If-Match-Size", "X-Amz-If-Match-Last-Modified-Time"} {
		if q.r.Header.Get(name) != "" {
			return notImplemented(name + " in a DeleteObject")
		}
	}
	done, err := a.Objects.Delete(q.ctx(), q.call.Scope, q.bucket, []catalog.ObjectID{q.id()})
	if err != nil {
		return err
	}
	if o := done[0]; o.Number > 0 {
		q.w.Header()["x-amz-version-id"] = []string{o.VersionID}
		if o.Marker {
			q.w.Header()["x-amz-delete-marker"] = []string{"true"}
		}
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
