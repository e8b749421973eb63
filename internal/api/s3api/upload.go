package s3api

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

type createUploadResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func (a *API) createUpload(q *request) error {
	in, err := q.put()
	if err != nil {
		return err
	}
	if in.About.Checksum, err = q.uploadChecksum(); err != nil {
		return err
	}
	u, err := a.Objects.CreateUpload(q.ctx(), q.call.Scope, in)
	if err != nil {
		return err
	}
	if c := u.About.Checksum; c.Algorithm != "" {
		q.w.Header()["x-amz-checksum-algorithm"] = []string{c.Algorithm}
		q.w.Header()["x-amz-checksum-type"] = []string{c.Type}
	}
	encryptionHeaders(q.w.Header(), u.About)
	writeXML(q.w, http.StatusOK, createUploadResult{Bucket: q.bucket, Key: q.key, UploadID: u.ID})
	return nil
}

// uploadChecksum reads which sums an upload has.
func (q *request) uploadChecksum() (catalog.Checksum, error) {
	c := catalog.Checksum{Algorithm: strings.ToUpper(q.r.Header.Get("X-Amz-Checksum-Algorithm")), Type: strings.ToUpper(q.r.Header.Get("X-Amz-Checksum-Type"))}
	switch {
	case c.Algorithm == "" && c.Type == "":
		return c, nil
	case c.Algorithm == "":
		return c, newFault("InvalidRequest", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
	case !objects.IsAlgorithm(c.Algorithm):
		return c, notImplemented("checksums of the algorithm " + c.Algorithm)
	case c.Type == "" && c.Algorithm == "CRC64NVME":
		c.Type = objects.FullObject
	case c.Type == "":
		c.Type = objects.Composite
	case c.Type != objects.FullObject && c.Type != objects.Composite:
		return c, newFault("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
	}
	if whole := c.Type == objects.FullObject; whole && strings.HasPrefix(c.Algorithm, "SHA") || !whole && c.Algorithm == "CRC64NVME" {
		return c, newFault("InvalidRequest", "The "+c.Type+" checksum type cannot be used with the "+strings.ToLower(c.Algorithm)+" checksum algorithm.")
	}
	return c, nil
}

func (a *API) putPart(q *request) error {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil {
		return newFault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	if err := q.checkHeaders(); err != nil {
		return err
	}
	if q.r.Header.Get("X-Amz-Copy-Source") != "" {
		return a.copyPart(q, number)
	}
	body, err := q.body()
	if err != nil {
		return err
	}
	if q.r.ContentLength < 0 {
		return newFault("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	u, p, err := a.Objects.PutPart(q.ctx(), q.call.Scope, q.upload(), number, body)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h["ETag"] = []string{quoted(p.ETag)}
	switch {
	case p.Checksum != "":
		h["x-amz-checksum-"+strings.ToLower(u.About.Checksum.Algorithm)] = []string{p.Checksum}
	case body.Expected != nil && body.Expected() != "":
		h["x-amz-checksum-"+strings.ToLower(body.Algorithm)] = []string{body.Expected()}
	}
	encryptionHeaders(h, u.About)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// partSums are the sums of a part, or of an object in parts, in XML.
type partSums struct {
	ChecksumCRC32     string `xml:",omitempty"`
	ChecksumCRC32C    string `xml:",omitempty"`
	ChecksumCRC64NVME string `xml:",omitempty"`
	ChecksumSHA1      string `xml:",omitempty"`
	ChecksumSHA256    string `xml:",omitempty"`
}

// of gives the one that was said.
func (s partSums) any() string {
	return s.ChecksumCRC32 + s.ChecksumCRC32C + s.ChecksumCRC64NVME + s.ChecksumSHA1 + s.ChecksumSHA256
}

func sumsOf(algorithm, value string) partSums {
	var c copyResult
	c.setChecksum(algorithm, value)
	return partSums{c.ChecksumCRC32, c.ChecksumCRC32C, c.ChecksumCRC64NVME, c.ChecksumSHA1, c.ChecksumSHA256}
}

type completeUpload struct {
	Parts partList `xml:"Part"`
}

type completePart struct {
	PartNumber int
	ETag       string
	partSums
}

type partList []completePart

// UnmarshalXML reads one element.
func (l *partList) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	return appendUpTo(objects.MaxParts, (*[]completePart)(l), d, start)
}

type completeResult struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	ETag     string
	partSums
	ChecksumType string `xml:",omitempty"`
}

func (a *API) completeUpload(q *request) error {
	conditions, err := q.conditions()
	if err != nil {
		return err
	}
	// The sum in the header is that of the object, not of this body.
	var whole string
	for _, algorithm := range objects.Algorithms {
		name := sumPrefix + algorithm
		whole += q.r.Header.Get(name)
		q.r.Header.Del(name)
	}
	var in completeUpload
	if err := q.readXML(&in); err != nil {
		return err
	}
	if len(in.Parts) == 0 {
		return malformedXML()
	}
	complete := objects.CompleteInput{Upload: q.upload(), Checksum: whole, Conditions: conditions}
	for _, p := range in.Parts {
		complete.Parts = append(complete.Parts, objects.NamedPart{Number: p.PartNumber, ETag: p.ETag, Checksum: p.any()})
	}
	b, o, err := a.Objects.CompleteUpload(q.ctx(), q.call.Scope, complete)
	if err != nil {
		return err
	}
	q.versionHeader(b, o)
	encryptionHeaders(q.w.Header(), o.About)
	writeXML(q.w, http.StatusOK, completeResult{
		Location: q.call.Base + "/" + q.bucket + "/" + encodeKey(q.key), Bucket: q.bucket, Key: q.key, ETag: quoted(o.ETag),
		partSums: sumsOf(o.About.Checksum.Algorithm, o.About.Checksum.Value), ChecksumType: o.About.Checksum.Type,
	})
	return nil
}

func (a *API) abortUpload(q *request) error {
	if err := a.Objects.AbortUpload(q.ctx(), q.call.Scope, q.upload()); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

type partEntry struct {
	PartNumber   int
	LastModified string
	ETag         string
	Size         int64
	partSums
}

type listPartsResult struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	Initiator            owner
	Owner                owner
	StorageClass         string
	PartNumberMarker     int
	NextPartNumberMarker int `xml:",omitempty"`
	MaxParts             int
	IsTruncated          bool
	Parts                []partEntry `xml:"Part"`
	ChecksumAlgorithm    string      `xml:",omitempty"`
	ChecksumType         string      `xml:",omitempty"`
}

func (a *API) listParts(q *request) error {
	limit, err := q.number("max-parts", maxKeys)
	if err != nil {
		return err
	}
	after := 0
	if q.query.Get("part-number-marker") != "" {
		if after, err = q.number("part-number-marker", objects.MaxParts); err != nil {
			return err
		}
	}
	u, err := a.Objects.Upload(q.ctx(), q.call.Scope, q.upload())
	if err != nil {
		return err
	}
	parts, err := a.Objects.Parts(q.ctx(), u, after, limit+1)
	if err != nil {
		return err
	}
	who := ownerOf(q.call.Scope.Account)
	out := listPartsResult{Bucket: q.bucket, Key: q.key, UploadID: u.ID, Initiator: who, Owner: who, StorageClass: "STANDARD",
		PartNumberMarker: after, MaxParts: limit, ChecksumAlgorithm: u.About.Checksum.Algorithm, ChecksumType: u.About.Checksum.Type}
	if len(parts) > limit {
		parts = parts[:limit]
		out.IsTruncated = limit > 0
	}
	for _, p := range parts {
		out.Parts = append(out.Parts, partEntry{p.Number, p.Modified.Format(isoTime), quoted(p.ETag), p.Size, sumsOf(u.About.Checksum.Algorithm, p.Checksum)})
		out.NextPartNumberMarker = p.Number
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

type uploadEntry struct {
	Key          string
	UploadID     string `xml:"UploadId"`
	Initiator    owner
	Owner        owner
	StorageClass string
	Initiated    string
}

type listUploadsResult struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             string
	Delimiter          string `xml:",omitempty"`
	EncodingType       string `xml:",omitempty"`
	MaxUploads         int
	IsTruncated        bool
	Uploads            []uploadEntry `xml:"Upload"`
	CommonPrefixes     []prefixEntry
}

func (a *API) listUploads(q *request) error {
	l, err := q.listing("max-uploads")
	if err != nil {
		return err
	}
	if l.After = q.query.Get("key-marker"); l.After != "" { // S3 ignores the other one without it
		l.Below = q.query.Get("upload-id-marker")
	}
	page, err := a.Objects.ListUploads(q.ctx(), q.call.Scope, l.ListInput)
	if err != nil {
		return err
	}
	who := ownerOf(q.call.Scope.Account)
	out := listUploadsResult{Bucket: q.bucket, KeyMarker: l.encode(l.After), UploadIDMarker: l.Below, Prefix: l.encode(l.Prefix),
		Delimiter: l.encode(l.Delimiter), EncodingType: l.form, MaxUploads: l.Limit, IsTruncated: page.More, CommonPrefixes: l.prefixes(page.Prefixes)}
	for _, u := range page.Items {
		out.Uploads = append(out.Uploads, uploadEntry{l.encode(u.Name), u.ID, who, who, "STANDARD", u.Initiated.Format(isoTime)})
	}
	if page.More {
		out.NextKeyMarker = l.encode(page.Next)
		if n := len(page.Items); n > 0 && page.Items[n-1].Name == page.Next {
			out.NextUploadIDMarker = page.Items[n-1].ID
		}
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}
