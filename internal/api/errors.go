package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/lambda"
)

// row says what a kind of error is called on the wire.
type row struct {
	kind      lambda.Kind
	exception string
	status    int
	key       string // the body's member with the text: AWS has two spellings
	plain     bool   // the body has no Type
	query     string // what the exception is called in the query protocol; "" means the same
}

const (
	upper = "Message"
	lower = "message"
)

// rows is the one table between kinds and exceptions. The first row that fits wins.
var rows = []row{
	{kind: lambda.NoCodeSigning, exception: "CodeSigningConfigNotFoundException", status: 404, key: upper},
	{kind: lambda.Untrusted, exception: "CodeVerificationFailedException", status: 400, key: upper},
	{kind: lambda.NotFound, exception: "ResourceNotFoundException", status: 404, key: upper},
	{kind: lambda.Unprovisioned, exception: "ProvisionedConcurrencyConfigNotFoundException", status: 404, key: lower},
	{kind: lambda.Conflict, exception: "ResourceConflictException", status: 409, key: lower},
	{kind: lambda.Constraint, exception: "ValidationException", status: 400, key: lower, plain: true},
	{kind: lambda.Invalid, exception: "InvalidParameterValueException", status: 400, key: lower},
	{kind: lambda.Malformed, exception: "InvalidRequestContentException", status: 400, key: lower},
	{kind: lambda.Stale, exception: "PreconditionFailedException", status: 412, key: lower},
	{kind: lambda.OverQuota, exception: "CodeStorageExceededException", status: 400, key: lower},
	{kind: lambda.PolicyTooLong, exception: "PolicyLengthExceededException", status: 400, key: lower},
	{kind: lambda.TooLarge, exception: "RequestEntityTooLargeException", status: 413, key: lower, plain: true},
	{kind: lambda.WrongMediaType, exception: "UnsupportedMediaTypeException", status: 415, key: lower},
	{kind: lambda.Throttled, exception: "TooManyRequestsException", status: 429, key: lower},
	{kind: lambda.NotReady, exception: "ResourceConflictException", status: 409, key: lower},
	{kind: lambda.BadRuntime, exception: "InvalidRuntimeException", status: 502, key: upper},
	{kind: lambda.BadZip, exception: "InvalidZipFileException", status: 502, key: upper},
	{kind: lambda.Denied, exception: "AccessDeniedException", status: 403, key: upper, plain: true},
	{kind: lambda.Unsigned, exception: "MissingAuthenticationTokenException", status: 403, key: lower, plain: true, query: "MissingAuthenticationToken"},
	{kind: lambda.Unverifiable, exception: "IncompleteSignatureException", status: 403, key: lower, plain: true, query: "IncompleteSignature"},
	{kind: lambda.UnknownKey, exception: "UnrecognizedClientException", status: 403, key: lower, plain: true, query: "InvalidClientTokenId"},
	{kind: lambda.ExpiredKey, exception: "ExpiredTokenException", status: 403, key: lower, plain: true, query: "ExpiredToken"},
	{kind: lambda.BadSignature, exception: "InvalidSignatureException", status: 403, key: lower, plain: true, query: "SignatureDoesNotMatch"},
	{kind: lambda.NotBuilt, exception: "NotImplementedException", status: 501, key: lower},
	{kind: lambda.Internal, exception: "ServiceException", status: 500, key: upper},
}

// internalText is all that a caller learns of a failure that is ours.
const internalText = "An error occurred and the request cannot be processed."

var internalError = &lambda.Error{Kind: lambda.Internal, Message: internalText}

func rowOf(kind lambda.Kind) row {
	for _, r := range rows {
		if r.kind == kind {
			return r
		}
	}
	return rows[len(rows)-1]
}

// fail answers an error. What nobody classified goes to the log with the request id, and the caller gets a fixed text.
func (d *door) fail(w http.ResponseWriter, r *http.Request, c *wire.Call, err error) {
	var e *lambda.Error
	if !errors.As(err, &e) {
		e = &lambda.Error{Kind: lambda.Internal, Err: err}
	}
	if e.Kind == lambda.Internal {
		text := lambda.FaultText(err)
		level := slog.LevelError
		if r.Context().Err() != nil || !d.faults.first(text, d.Now()) {
			level = slog.LevelDebug // the caller went away, and what was cut short is no fault; or the fault was said just now
		}
		d.Log.LogAttrs(context.WithoutCancel(r.Context()), level, "a request failed", slog.String("request_id", c.RequestID),
			slog.String("operation", c.Operation), slog.Any("error", err))
		e = internalError
		if text != "" { // the caller, or who runs the server for him, can do something about it
			e = &lambda.Error{Kind: lambda.Internal, Message: text}
		}
	}
	d.answer(w, r, e)
}

// answer writes an error. The header says the exception's name, which is where SDKs look first.
func (d *door) answer(w http.ResponseWriter, r *http.Request, e *lambda.Error) {
	row := rowOf(e.Kind)
	h := w.Header()
	h.Del("Content-Length")
	h["x-amzn-ErrorType"] = []string{row.exception}
	if writeXML(w, r, row, e) {
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(row.status)
	body := row.body(e)
	if r.Header.Get("X-Amz-Target") != "" { // the JSON protocol of other services has the name in the body
		body["__type"] = row.exception
	}
	text, _ := json.Marshal(body) // strings and nil always marshal
	_, _ = w.Write(text)          // the caller may be gone
}

// body is what an error says. AWS writes null where it has no text.
func (r row) body(e *lambda.Error) map[string]any {
	body := map[string]any{r.key: nil}
	if e.Message != "" {
		body[r.key] = e.Message
	}
	if !r.plain && !e.Untyped {
		body["Type"] = "User"
	}
	if e.Kind == lambda.Internal {
		body["Type"] = "Service"
	}
	if e.Reason != "" {
		body["Reason"] = e.Reason
	}
	return body
}

func stack() string { return string(debug.Stack()) }
