package s3api

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

type attributesResult struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string   `xml:",omitempty"`
	Checksum     *attributesChecksum
	ObjectParts  *attributesParts
	StorageClass string `xml:",omitempty"`
	ObjectSize   *int64
}

type attributesChecksum struct {
	partSums
	ChecksumType string
}

type attributesParts struct {
	TotalPartsCount int `xml:"PartsCount"`
}

// objectAttributes answers what the header asks for. The parts themselves are only counted.
func (a *API) objectAttributes(q *request) error {
	var wanted []string
	for _, v := range q.r.Header.Values("X-Amz-Object-Attributes") {
		for name := range strings.SplitSeq(v, ",") {
			wanted = append(wanted, strings.TrimSpace(name))
		}
	}
	for _, name := range wanted {
		if !slices.Contains([]string{"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}, name) {
			return newFault("InvalidArgument", "Invalid attribute name specified.")
		}
	}
	if len(wanted) == 0 {
		return newFault("InvalidRequest", "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	b, o, err := a.Objects.Get(q.ctx(), q.call.Scope, q.bucket, q.id())
	if err != nil {
		return err
	}
	var out attributesResult
	for _, name := range wanted {
		switch c := o.About.Checksum; {
		case name == "ETag":
			out.ETag = o.ETag // without quotes here
		case name == "ObjectSize":
			out.ObjectSize = &o.Size
		case name == "StorageClass":
			out.StorageClass = listing{encode: encodeKey}.entry(o, nil).StorageClass
		case name == "Checksum" && c.Value != "":
			out.Checksum = &attributesChecksum{sumsOf(c.Algorithm, c.Value), c.Type}
		case name == "ObjectParts" && len(o.About.Parts) > 0:
			out.ObjectParts = &attributesParts{len(o.About.Parts)}
		}
	}
	q.versionHeader(b, o)
	q.w.Header().Set("Last-Modified", httpTime(o.Modified))
	writeXML(q.w, http.StatusOK, out)
	return nil
}
