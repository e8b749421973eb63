package s3api

import (
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

// maxKeys is how many entries a page of a list has at most.
const maxKeys = 1000

type objectEntry struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	StorageClass      string
	Owner             *owner
}

type prefixEntry struct{ Prefix string }

type listResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	Marker                *string
	NextMarker            string `xml:",omitempty"`
	StartAfter            string `xml:",omitempty"`
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	KeyCount              *int
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Contents              []objectEntry
	CommonPrefixes        []prefixEntry
}

// listing is what every list is asked.
type listing struct {
	objects.ListInput
	encode func(string) string
	form   string // EncodingType
}

func (q *request) listing(limit string) (listing, error) {
	l := listing{encode: func(s string) string { return s }, form: q.query.Get("encoding-type")}
	switch l.form {
	case "":
	case "url":
		l.encode = encodeKey
	default:
		return l, newFault("InvalidArgument", "Invalid Encoding Method specified in Request")
	}
	n, err := q.number(limit, maxKeys)
	l.ListInput = objects.ListInput{Bucket: q.bucket, Prefix: q.query.Get("prefix"), Delimiter: q.query.Get("delimiter"), Limit: n}
	return l, err
}

// encodeKey is the encoding of names that a caller may ask for, since XML can't hold all of them.
func encodeKey(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%2F", "/")
}

func (l listing) prefixes(list []string) []prefixEntry {
	var all []prefixEntry
	for _, p := range list {
		all = append(all, prefixEntry{l.encode(p)})
	}
	return all
}

func (l listing) entry(o catalog.Object, who *owner) objectEntry {
	class := o.About.Headers["X-Amz-Storage-Class"]
	if class == "" {
		class = "STANDARD"
	}
	return objectEntry{Key: l.encode(o.Name), LastModified: o.Modified.Format(isoTime), ETag: quoted(o.ETag), Size: o.Size, StorageClass: class,
		ChecksumAlgorithm: o.About.Checksum.Algorithm, ChecksumType: o.About.Checksum.Type, Owner: who}
}

func (l listing) result(p objects.Page[catalog.Object], who *owner) listResult {
	out := listResult{Name: l.Bucket, Prefix: l.encode(l.Prefix), MaxKeys: l.Limit, Delimiter: l.encode(l.Delimiter), EncodingType: l.form,
		IsTruncated: p.More, CommonPrefixes: l.prefixes(p.Prefixes)}
	for _, o := range p.Items {
		out.Contents = append(out.Contents, l.entry(o, who))
	}
	return out
}

func (a *API) listObjects(q *request) error {
	l, err := q.listing("max-keys")
	if err != nil {
		return err
	}
	l.After = q.query.Get("marker")
	page, err := a.Objects.List(q.ctx(), q.call.Scope, l.ListInput)
	if err != nil {
		return err
	}
	who := ownerOf(q.call.Scope.Account)
	out := l.result(page, &who)
	out.Marker = new(l.encode(l.After))
	if page.More && l.Delimiter != "" { // else the last key is the marker
		out.NextMarker = l.encode(page.Next)
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

func (a *API) listObjectsV2(q *request) error {
	if q.query.Get("list-type") != "2" {
		return newFault("InvalidArgument", "Invalid List Type specified in Request")
	}
	l, err := q.listing("max-keys")
	if err != nil {
		return err
	}
	l.After = q.query.Get("start-after")
	token := q.query.Get("continuation-token")
	if q.query.Has("continuation-token") {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil || len(after) == 0 {
			return newFault("InvalidArgument", "The continuation token provided is incorrect")
		}
		l.After = string(after)
	}
	page, err := a.Objects.List(q.ctx(), q.call.Scope, l.ListInput)
	if err != nil {
		return err
	}
	var who *owner
	if q.query.Get("fetch-owner") == "true" {
		who = new(ownerOf(q.call.Scope.Account))
	}
	out := l.result(page, who)
	out.KeyCount = new(len(page.Items) + len(page.Prefixes))
	out.StartAfter, out.ContinuationToken = l.encode(q.query.Get("start-after")), token
	if page.More {
		out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(page.Next))
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

type versionEntry struct {
	XMLName xml.Name // Version or DeleteMarker
	objectEntryOfVersion
	VersionID string `xml:"VersionId"`
	IsLatest  bool
	Owner     owner
}

// objectEntryOfVersion is what a delete marker has not.
type objectEntryOfVersion struct {
	Key          string
	LastModified string
	ETag         string `xml:",omitempty"`
	Size         *int64
	StorageClass string `xml:",omitempty"`
}

type versionsResult struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	Versions            []versionEntry
	CommonPrefixes      []prefixEntry
}

func (a *API) listVersions(q *request) error {
	l, err := q.listing("max-keys")
	if err != nil {
		return err
	}
	l.After, l.Below = q.query.Get("key-marker"), q.query.Get("version-id-marker")
	if l.Below != "" && l.After == "" {
		return newFault("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
	}
	page, err := a.Objects.ListVersions(q.ctx(), q.call.Scope, l.ListInput)
	if err != nil {
		return err
	}
	out := versionsResult{Name: q.bucket, Prefix: l.encode(l.Prefix), KeyMarker: l.encode(l.After), VersionIDMarker: l.Below, MaxKeys: l.Limit,
		Delimiter: l.encode(l.Delimiter), EncodingType: l.form, IsTruncated: page.More, CommonPrefixes: l.prefixes(page.Prefixes)}
	for _, v := range page.Items {
		out.Versions = append(out.Versions, l.version(v, ownerOf(q.call.Scope.Account)))
	}
	if page.More {
		out.NextKeyMarker = l.encode(page.Next)
		if n := len(page.Items); n > 0 && page.Items[n-1].Name == page.Next {
			out.NextVersionIDMarker = page.Items[n-1].VersionID
		}
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}

func (l listing) version(v objects.Version, who owner) versionEntry {
	e := versionEntry{XMLName: xml.Name{Local: "Version"}, VersionID: v.VersionID, IsLatest: v.Latest, Owner: who}
	o := l.entry(v.Object, nil)
	e.Key, e.LastModified = o.Key, o.LastModified
	if v.Marker {
		e.XMLName.Local = "DeleteMarker"
		return e
	}
	e.ETag, e.Size, e.StorageClass = o.ETag, &v.Size, o.StorageClass
	return e
}
