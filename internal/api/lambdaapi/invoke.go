package lambdaapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api/jsonstream"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/invoke"
	"github.com/laminadev/lamina/internal/lambda"
)

// Invoker runs functions: an *invoke.Service.
type Invoker interface {
	Invoke(ctx context.Context, in invoke.Input) (invoke.Output, error)
}

// The invocation types of X-Amz-Invocation-Type.
const (
	requestResponse = "RequestResponse"
	event           = "Event"
	dryRun          = "DryRun"
)

const traceHeader = "X-Amzn-Trace-Id"

// invoke answers Invoke. Unlike the others it has raw bodies both ways, and its request id is the invocation's.
func (a *API) invoke(w http.ResponseWriter, r *http.Request, c *call) error {
	in, err := a.invocation(r, c)
	if err != nil {
		wire.Drain(r)
		return err
	}
	answered := false
	in.Answer = func(out invoke.Output) {
		answered = true
		answerInvoke(w, in, out)
		_ = http.NewResponseController(w).Flush() // else it leaves when we return
	}
	out, err := a.Invoke.Invoke(r.Context(), in)
	if err != nil || answered {
		return err
	}
	answerInvoke(w, in, out)
	return nil
}

func answerInvoke(w http.ResponseWriter, in invoke.Input, out invoke.Output) {
	h := w.Header()
	h.Set(traceHeader, in.TraceID)
	if out.FunctionError != "" {
		h.Set("X-Amz-Function-Error", out.FunctionError)
	}
	if in.LogTail && len(out.LogTail) > 0 {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(out.LogTail))
	}
	if out.ExecutedVersion != "" && in.Type == requestResponse {
		h.Set("X-Amz-Executed-Version", out.ExecutedVersion)
	}
	if in.Type == dryRun {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(out.Payload)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(out.Payload) // the caller may be gone
}

// invocation reads the input of an Invoke.
func (a *API) invocation(r *http.Request, c *call) (in invoke.Input, err error) {
	req := &InvocationRequest{}
	if err := c.read(r, a.limits.RequestSize, nil, req); err != nil {
		return in, err
	}
	in = invoke.Input{RequestID: c.RequestID, Type: requestResponse, LogTail: deref(req.LogType) == "Tail", TraceID: r.Header.Get(traceHeader)}
	if in.TraceID == "" {
		in.TraceID = lambda.NewTraceID(a.Now())
	}
	if req.InvocationType != nil {
		in.Type = *req.InvocationType
	}
	if in.Ref, err = c.functionRef(req.FunctionName, req.Qualifier); err != nil {
		return in, err
	}
	if err := control.Reach(c.Scope, in.Ref); err != nil {
		return in, err
	}
	if err := invokeNotBuilt(in, req); err != nil {
		return in, err
	}
	if in.ClientContext, err = clientContext(deref(req.ClientContext)); err != nil {
		return in, err
	}
	in.Payload, err = readPayload(r, c.route)
	return in, err
}

func invokeNotBuilt(in invoke.Input, req *InvocationRequest) error {
	switch {
	case in.Type == event:
		return lambda.Errorf(lambda.NotBuilt, "lamina does not implement the invocation type Event yet.")
	case req.TenantID != nil || req.DurableExecutionName != nil:
		return lambda.Errorf(lambda.NotBuilt, "lamina does not implement TenantId and DurableExecutionName yet.")
	}
	return nil
}

// clientContext decodes the header: base64 of a JSON object.
func clientContext(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	text, err := base64.StdEncoding.DecodeString(header)
	if err != nil || !json.Valid(text) || bytes.TrimLeft(text, " \t\r\n")[0] != '{' {
		return "", lambda.Errorf(lambda.Malformed, "Client context must be a valid Base64-encoded JSON object.")
	}
	return string(text), nil
}

var emptyEvent = []byte("{}")

// readPayload reads the event and checks that it is JSON. No event at all is an empty one.
func readPayload(r *http.Request, route *Route) ([]byte, error) {
	if r.ContentLength > lambda.MaxPayloadSize {
		return nil, tooLarge(route, lambda.MaxPayloadSize)
	}
	payload, err := readAtMost(r, lambda.MaxPayloadSize+1)
	switch {
	case err != nil:
		return nil, malformed("the request ended early: %v", err)
	case len(payload) > lambda.MaxPayloadSize:
		return nil, tooLarge(route, lambda.MaxPayloadSize)
	case len(payload) == 0:
		return emptyEvent, nil
	case json.Valid(payload) && utf8.Valid(payload) && !jsonstream.TooDeep(payload):
		return payload, nil
	}
	return nil, badPayload(payload)
}

// readAtMost reads a body up to a size: into just the room it takes when the caller has said its length.
func readAtMost(r *http.Request, size int64) ([]byte, error) {
	if r.ContentLength <= 0 {
		return io.ReadAll(io.LimitReader(r.Body, size))
	}
	payload := make([]byte, min(r.ContentLength, size))
	_, err := io.ReadFull(r.Body, payload)
	return payload, err
}

// badPayload says what is wrong with an event, in AWS's words.
func badPayload(payload []byte) error {
	_, err := jsonstream.Decode(bytes.NewReader(payload), jsonstream.Options{Filter: nothing{}})
	var syntax *jsonstream.SyntaxError
	if !errors.As(err, &syntax) {
		return malformed("Could not parse payload into json: %v", err)
	}
	return malformedAt("Could not parse payload into json: ", syntax)
}

// nothing is a filter that keeps nothing.
type nothing struct{}

func (nothing) Member(string) (jsonstream.Filter, jsonstream.Action) {
	return nothing{}, jsonstream.Skip
}
func (nothing) Element() (jsonstream.Filter, jsonstream.Action) { return nothing{}, jsonstream.Skip }
