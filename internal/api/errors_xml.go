package api

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/laminadev/lamina/internal/api/s3api"
	"github.com/laminadev/lamina/internal/lambda"
)

// queryError is an error in the query protocol, which STS and other older services speak.
type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// s3Codes are what S3 calls the kinds that the front door finds.
var s3Codes = map[lambda.Kind]string{
	lambda.Denied: "AccessDenied", lambda.Unsigned: "AccessDenied", lambda.Unverifiable: "AccessDenied", lambda.UnknownKey: "InvalidAccessKeyId",
	lambda.ExpiredKey: "ExpiredToken", lambda.BadSignature: "SignatureDoesNotMatch", lambda.NotBuilt: "NotImplemented",
	lambda.Malformed: "InvalidRequest",
}

// writeXML answers an error to a caller who expects XML: one who speaks the query protocol, or who signed for a service that only
// speaks XML. It reports whether it did.
func writeXML(w http.ResponseWriter, r *http.Request, row row, e *lambda.Error) bool {
	requestID := w.Header()["x-amzn-RequestId"][0]
	var body any
	switch service := readCredential(r).service; {
	case service == "s3":
		s3api.WriteError(w, r, requestID, cmp.Or(s3Codes[e.Kind], "InternalError"), e.Message)
		return true
	case service != "lambda" && (service == "sts" || isQuery(r, service)):
		body = queryError{Type: "Sender", Code: cmp.Or(row.query, row.exception), Message: e.Message, RequestID: requestID}
	default:
		return false
	}
	text, err := xml.Marshal(body)
	if err != nil {
		return false
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(row.status)
	_, _ = w.Write(text) // the caller may be gone
	return true
}

// isQuery reports a form in the query protocol. Without a signature it goes to the root: curl calls all that it sends a form.
func isQuery(r *http.Request, service string) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && (service != "" || r.URL.Path == "/")
}
