package s3api

import (
	"encoding/xml"
	"net/http"

	"github.com/laminadev/lamina/internal/catalog"
)

// maxDeletes is how many objects one DeleteObjects names.
const maxDeletes = 1000

type deleteRequest struct {
	Quiet   bool
	Objects deleteList `xml:"Object"`
}

type deleteEntry struct {
	Key       string
	VersionID string `xml:"VersionId"`
	ETag      string
}

type deleteList []deleteEntry

// UnmarshalXML reads one element.
func (l *deleteList) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	return appendUpTo(maxDeletes, (*[]deleteEntry)(l), d, start)
}

type deletedEntry struct {
	Key             string
	VersionID       string `xml:"VersionId,omitempty"`
	DeleteMarker    bool   `xml:",omitempty"`
	MarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteResult struct {
	XMLName xml.Name       `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedEntry `xml:"Deleted"`
}

func (a *API) deleteObjects(q *request) error {
	var in deleteRequest
	if err := q.readXML(&in); err != nil {
		return err
	}
	if len(in.Objects) == 0 {
		return malformedXML()
	}
	var ids []catalog.ObjectID
	for _, o := range in.Objects {
		switch {
		case o.Key == "":
			return malformedXML()
		case o.ETag != "":
			return notImplemented("ETag in a DeleteObjects")
		}
		ids = append(ids, catalog.ObjectID{Name: o.Key, VersionID: o.VersionID})
	}
	done, err := a.Objects.Delete(q.ctx(), q.call.Scope, q.bucket, ids)
	if err != nil {
		return err
	}
	var out deleteResult
	for i, o := range done {
		if in.Quiet {
			break
		}
		e := deletedEntry{Key: ids[i].Name, VersionID: ids[i].VersionID, DeleteMarker: o.Marker}
		if o.Marker {
			e.MarkerVersionID = o.VersionID
		}
		out.Deleted = append(out.Deleted, e)
	}
	writeXML(q.w, http.StatusOK, out)
	return nil
}
