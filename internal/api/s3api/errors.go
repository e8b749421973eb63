package s3api

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// statuses is the one table between S3's codes and HTTP's statuses; what is not in it is 400.
var statuses = map[objects.Code]int{
	objects.AccessDenied:                    http.StatusForbidden,
	objects.BucketAlreadyExists:             http.StatusConflict,
	objects.BucketAlreadyOwnedByYou:         http.StatusConflict,
	objects.BucketNotEmpty:                  http.StatusConflict,
	objects.InvalidRange:                    http.StatusRequestedRangeNotSatisfiable,
	objects.MethodNotAllowed:                http.StatusMethodNotAllowed,
	objects.NoSuchBucket:                    http.StatusNotFound,
	objects.NoSuchKey:                       http.StatusNotFound,
	objects.NoSuchUpload:                    http.StatusNotFound,
	objects.NoSuchVersion:                   http.StatusNotFound,
	objects.PreconditionFailed:              http.StatusPreconditionFailed,
	"InternalError":                         http.StatusInternalServerError,
	"InvalidAccessKeyId":                    http.StatusForbidden,
	"MissingContentLength":                  http.StatusLengthRequired,
	"NoSuchBucketPolicy":                    http.StatusNotFound,
	"NoSuchCORSConfiguration":               http.StatusNotFound,
	"NoSuchLifecycleConfiguration":          http.StatusNotFound,
	"NoSuchTagSet":                          http.StatusNotFound,
	"NoSuchWebsiteConfiguration":            http.StatusNotFound,
	"NotImplemented":                        http.StatusNotImplemented,
	"ObjectLockConfigurationNotFoundError":  http.StatusNotFound,
	"ReplicationConfigurationNotFoundError": http.StatusNotFound,
	"NoSuchObjectLockConfiguration":         http.StatusNotFound,
	"SignatureDoesNotMatch":                 http.StatusForbidden,
}

// fault is a failure as it is answered.
type fault struct {
	body   errorBody
	header http.Header
}

type errorBody struct {
	XMLName        xml.Name `xml:"Error"`
	Code           objects.Code
	Message        string
	BucketName     string `xml:",omitempty"`
	Key            string `xml:",omitempty"`
	VersionID      string `xml:"VersionId,omitempty"`
	Region         string `xml:",omitempty"`
	Condition      string `xml:",omitempty"`
	Method         string `xml:",omitempty"`
	ResourceType   string `xml:",omitempty"`
	ActualSize     string `xml:"ActualObjectSize,omitempty"`
	RangeRequested string `xml:",omitempty"`
	Header         string `xml:",omitempty"`
	Expires        string `xml:",omitempty"`
	ServerTime     string `xml:",omitempty"`
	RequestID      string `xml:"RequestId"`
	HostID         string `xml:"HostId"`
}

func newFault(code objects.Code, message string) *fault {
	return &fault{body: errorBody{Code: code, Message: message}, header: http.Header{}}
}

func (f *fault) Error() string { return string(f.body.Code) + ": " + f.body.Message }

func notImplemented(what string) *fault {
	f := newFault("NotImplemented", "A header you provided implies functionality that is not implemented: lamina does not have "+what+".")
	f.body.Header = what
	return f
}

func malformedXML() *fault {
	return newFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// faultOf words a failure as S3 does; what is no failure of the request's is for the front door.
func faultOf(err error) (*fault, bool) {
	var f *fault
	var o *objects.Error
	var l *lambda.Error
	switch {
	case errors.As(err, &f):
		return f, true
	case errors.As(err, &o):
		return faultOfObject(o), true
	case errors.Is(err, auth.ErrContentMismatch):
		return newFault(objects.XAmzContentSHA256Invalid, "The provided 'x-amz-content-sha256' header does not match what was computed."), true
	case errors.Is(err, auth.ErrBadChunk), errors.Is(err, io.ErrUnexpectedEOF):
		return newFault("IncompleteBody", "The request body terminated unexpectedly"), true
	case errors.As(err, &l) && l.Kind == lambda.BadSignature:
		return newFault("SignatureDoesNotMatch", l.Message), true
	}
	return nil, false
}

func faultOfObject(o *objects.Error) *fault {
	f := newFault(o.Code, o.Message)
	b := &f.body
	b.BucketName, b.Key, b.VersionID, b.Condition, b.Method, b.ResourceType = o.Bucket, o.Key, o.VersionID, o.Condition, o.Method, o.ResourceType
	if o.Marker != "" {
		f.header["x-amz-delete-marker"] = []string{"true"}
		f.header["x-amz-version-id"] = []string{o.Marker}
	}
	if o.Code == objects.PermanentRedirect { // which AWS says to who is at the wrong place, and this to who signed for it
		b.Code, b.Region = "AuthorizationHeaderMalformed", o.Region
		f.header["x-amz-bucket-region"] = []string{o.Region}
	}
	return f
}

// write answers a failure; a HEAD request gets no more than its status.
func (f *fault) write(w http.ResponseWriter, r *http.Request, requestID string) {
	h := w.Header()
	h.Del("Content-Length")
	h.Del("Content-Range")
	for name, values := range f.header {
		h[name] = values
	}
	status := statuses[f.body.Code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	if f.body.Code == "NotModified" {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	f.body.RequestID, f.body.HostID = requestID, requestID
	writeXML(w, status, f.body)
}

// WriteError answers a failure that the front door found.
func WriteError(w http.ResponseWriter, r *http.Request, requestID, code, message string) {
	newFault(objects.Code(code), message).write(w, r, requestID)
}

// writeXML writes an answer.
func writeXML(w http.ResponseWriter, status int, v any) {
	text, err := xml.Marshal(v)
	if err != nil { // of our own shapes, none does
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, xml.Header) // the caller may be gone
	_, _ = w.Write(text)
}
