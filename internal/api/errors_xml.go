package api

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"strings"

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

// s3Error is an error of S3.
type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

// writeXML answers an error to a caller who expects XML: one who sent a form, or who signed for a service that only speaks
// XML. It reports whether it did.
func writeXML(w http.ResponseWriter, r *http.Request, row row, e *lambda.Error) bool {
	requestID := w.Header()["x-amzn-RequestId"][0]
	var body any
	switch service := readCredential(r).service; {
	case service == "s3":
		body = s3Error{Code: row.exception, Message: e.Message, RequestID: requestID}
	case service != "lambda" && (service == "sts" || isForm(r)):
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

func isForm(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}
