package runtimeapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

const (
	errorTypeHeader = "Lambda-Runtime-Function-Error-Type"
	errorBodyHeader = "Lambda-Runtime-Function-Error-Body"
	modeHeader      = "Lambda-Runtime-Function-Response-Mode"
	causeType       = "application/vnd.aws.lambda.error.cause+json"
)

var errTooLarge = errors.New("the body is too large")

// response takes the result of an invocation.
func (c *conn) response(req *http.Request, id string, keep bool) bool {
	if f := c.server.begin(c, id, InvocationResponse); f != nil {
		return c.fail(f, keep)
	}
	switch mode := req.Header.Get(modeHeader); mode {
	case "", "streaming":
	default:
		c.server.finish(c, &Answer{Failed: true, Fault: FaultResponseMode, ErrorType: FaultResponseMode})
		return c.fail(failureResponseMode, keep)
	}
	return c.take(req, keep, func(body []byte) *Answer {
		if kind := req.Trailer.Get(errorTypeHeader); kind != "" {
			return trailerError(kind, req.Trailer.Get(errorBodyHeader))
		}
		return &Answer{Body: body, ContentType: req.Header.Get("Content-Type")}
	})
}

// invocationError takes the error of an invocation.
func (c *conn) invocationError(req *http.Request, id string, keep bool) bool {
	if f := c.server.begin(c, id, InvocationErrorResponse); f != nil {
		return c.fail(f, keep)
	}
	return c.take(req, keep, func(body []byte) *Answer { return postedError(req, body) })
}

// take reads the body of an answer whose reception has begun and hands it over.
func (c *conn) take(req *http.Request, keep bool, answer func(body []byte) *Answer) bool {
	body, err := readBody(req)
	switch {
	case errors.Is(err, errTooLarge):
		c.server.finish(c, &Answer{Failed: true, Fault: FaultTooLarge, ErrorType: FaultTooLarge})
		return c.failAfterBody(req, failureTooLarge, keep)
	case err != nil:
		c.server.finish(c, nil)
		c.fail(failureTruncated, false)
		return false
	}
	c.server.finish(c, answer(body))
	return c.accepted(keep)
}

// initError takes the error of a runtime that could not initialise.
func (c *conn) initError(req *http.Request, keep bool) bool {
	body, err := readBody(req)
	switch {
	case errors.Is(err, errTooLarge):
		return c.failAfterBody(req, failureTooLarge, keep)
	case err != nil:
		c.fail(failureTruncated, false)
		return false
	}
	a := postedError(req, body)
	if a.ErrorType == "" {
		a.ErrorType = unknownErrorType // every client of AWS's names one here
	}
	if f := c.server.initError(c, a); f != nil {
		return c.fail(f, keep)
	}
	return c.accepted(keep)
}

// failAfterBody reads the rest of a refused body before it says so: most clients look for an answer only when they have
// sent everything.
func (c *conn) failAfterBody(req *http.Request, f *failure, keep bool) bool {
	if b, ok := req.Body.(*continueBody); ok && !b.asked {
		c.fail(f, false)
		return false
	}
	if !c.skipRest(req) {
		c.fail(f, false)
		return false
	}
	return c.fail(f, keep)
}

// readBody reads a body up to AWS's limit.
func readBody(req *http.Request) ([]byte, error) {
	if req.ContentLength > lambda.MaxResponseSize {
		return nil, errTooLarge
	}
	if n := req.ContentLength; n > 0 && n <= joinBody {
		body := make([]byte, n)
		_, err := io.ReadFull(req.Body, body)
		return body, err
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(req.Body, lambda.MaxResponseSize+1))
	switch {
	case n > lambda.MaxResponseSize:
		return nil, errTooLarge
	case err != nil:
		return nil, err
	}
	if b.Len() == 0 {
		return []byte{}, nil // posted, and empty
	}
	return b.Bytes(), nil
}

func postedError(req *http.Request, body []byte) *Answer {
	if strings.HasPrefix(req.Header.Get("Content-Type"), causeType) {
		body = withoutCause(body)
	}
	return &Answer{Body: body, ContentType: req.Header.Get("Content-Type"), Failed: true,
		ErrorType: errorType(req.Header.Get(errorTypeHeader))}
}

// trailerError is the error that a streaming runtime sends behind its body. A buffered caller gets it in place of what was
// streamed.
func trailerError(kind, encoded string) *Answer {
	body, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(body) > lambda.MaxResponseSize {
		body = nil
	}
	return &Answer{Body: body, ContentType: jsonType, Failed: true, ErrorType: errorType(kind)}
}

// withoutCause reduces an error that came with its X-Ray cause to what callers see.
func withoutCause(body []byte) []byte {
	var e struct {
		Message json.RawMessage `json:"errorMessage,omitempty"`
		Type    json.RawMessage `json:"errorType,omitempty"`
		Trace   json.RawMessage `json:"stackTrace,omitempty"`
	}
	if json.Unmarshal(body, &e) != nil {
		return body
	}
	out, err := json.Marshal(e)
	if err != nil {
		return body
	}
	return out
}

const unknownErrorType = "Runtime.Unknown"

var knownErrorType = regexp.MustCompile(`(Runtime|Function)\.[A-Z][a-zA-Z]+`)

// errorType is the runtime's error type as telemetry shows it; AWS keeps what looks like one of its own. A runtime that
// sent none gets none, since the usual clients send none for an exception of the handler.
func errorType(sent string) string {
	switch {
	case sent == "":
		return ""
	case knownErrorType.MatchString(sent) && printable(sent):
		return sent
	case strings.HasPrefix(sent, "Function."):
		return "Function.Unknown"
	}
	return unknownErrorType
}

// printable keeps control characters out of log lines.
func printable(s string) bool {
	return len(s) <= 256 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
