package s3api

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

const copyPrefix = "X-Amz-Copy-Source-"

// source reads what is copied: "bucket/key" or "/bucket/key", escaped, with "?versionId=…" perhaps.
func (q *request) source() (objects.Source, error) {
	if err := q.owned("X-Amz-Source-Expected-Bucket-Owner"); err != nil {
		return objects.Source{}, err
	}
	path, query, _ := strings.Cut(q.r.Header.Get("X-Amz-Copy-Source"), "?")
	bad := newFault("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	path, err := url.PathUnescape(path)
	if err != nil {
		return objects.Source{}, bad
	}
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if !ok || bucket == "" || key == "" {
		return objects.Source{}, bad
	}
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return objects.Source{}, bad
	}
	return objects.Source{
		Bucket: bucket, ID: catalog.ObjectID{Name: key, VersionID: parameters.Get("versionId")},
		Check: func(o catalog.Object) error { return checkRead(q.r.Header, copyPrefix, o) },
	}, nil
}

// copyResult is the answer to CopyObject and UploadPartCopy.
type copyResult struct {
	XMLName           xml.Name
	LastModified      string
	ETag              string
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
}

func (c *copyResult) setChecksum(algorithm, value string) {
	switch algorithm {
	case "CRC32":
		c.ChecksumCRC32 = value
	case "CRC32C":
		c.ChecksumCRC32C = value
	case "CRC64NVME":
		c.ChecksumCRC64NVME = value
	case "SHA1":
		c.ChecksumSHA1 = value
	case "SHA256":
		c.ChecksumSHA256 = value
	}
}

func (a *API) copyObject(q *request) error {
	q.call.Operation = "CopyObject"
	to, err := q.put()
	if err != nil {
		return err
	}
	from, err := q.source()
	if err != nil {
		return err
	}
	in := objects.CopyInput{From: from, To: to}
	if in.Change, err = q.directive("X-Amz-Metadata-Directive"); err != nil {
		return err
	}
	if in.Retag, err = q.directive("X-Amz-Tagging-Directive"); err != nil {
		return err
	}
	c, err := a.Objects.Copy(q.ctx(), q.call.Scope, in)
	if err != nil {
		return err
	}
	q.versionHeader(c.Bucket, c.Object)
	q.sourceHeader(c)
	encryptionHeaders(q.w.Header(), c.Object.About)
	out := copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyObjectResult"}, LastModified: c.Object.Modified.Format(isoTime),
		ETag: quoted(c.Object.ETag), ChecksumType: c.Object.About.Checksum.Type}
	out.setChecksum(c.Object.About.Checksum.Algorithm, c.Object.About.Checksum.Value)
	writeXML(q.w, http.StatusOK, out)
	return nil
}

func (q *request) sourceHeader(c objects.Copied) {
	if c.SourceBucket.Versioning != catalog.VersioningNever {
		q.w.Header()["x-amz-copy-source-version-id"] = []string{c.Source.VersionID}
	}
}

// directive reads a header that is COPY or REPLACE.
func (q *request) directive(name string) (replace bool, err error) {
	switch q.r.Header.Get(name) {
	case "", "COPY":
		return false, nil
	case "REPLACE":
		return true, nil
	}
	return false, newFault("InvalidArgument", "Unknown "+strings.ToLower(name)+".")
}

// copyPart is UploadPartCopy.
func (a *API) copyPart(q *request, number int) error {
	q.call.Operation = "UploadPartCopy"
	from, err := q.source()
	if err != nil {
		return err
	}
	var part *objects.ByteRange
	if s := q.r.Header.Get("X-Amz-Copy-Source-Range"); s != "" {
		const most = int64(1) << 62
		p, ok, _ := parseRange(s, most)
		if !ok || p.Last == most-1 || strings.HasPrefix(s, "bytes=-") {
			return newFault("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
		part = &p
	}
	c, err := a.Objects.CopyPart(q.ctx(), q.call.Scope, q.upload(), number, from, part)
	if err != nil {
		return err
	}
	q.sourceHeader(c)
	out := copyResult{XMLName: xml.Name{Space: namespace, Local: "CopyPartResult"}, LastModified: c.Part.Modified.Format(isoTime), ETag: quoted(c.Part.ETag)}
	out.setChecksum(c.PartAlgorithm, c.Part.Checksum)
	writeXML(q.w, http.StatusOK, out)
	return nil
}
