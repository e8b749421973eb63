// Package wire is what the front door hands to the API behind it: who calls, from where, and under which request id. It lies
// under the APIs so that none of them knows the front door.
package wire

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/laminadev/lamina/internal/lambda"
)

// Call is a request as the front door understood it.
type Call struct {
	Scope     lambda.Scope // account and region of the caller
	RequestID string       // of this request; an invocation's own
	Base      string       // scheme and host that the caller used: "http://127.0.0.1:4566"
	CallerARN string       // of the caller, when it has shown who it is; "" in open mode
	CallerID  string       // its unique ID, as STS gives it
	Operation string       // set by the API as soon as it knows; it decides what an error is called
}

// API answers the requests of one AWS service, or lamina's own. An error is for the front door to answer; then nothing has
// been written.
type API interface {
	Serve(w http.ResponseWriter, r *http.Request, c *Call) error
}

// WriteJSON writes a JSON answer. URLs keep their ampersands.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// drainLimit is how much of a refused body is read. A client that is still sending when the answer comes often fails without
// having read it.
const drainLimit = 128 << 20

// Drain reads and forgets what is left of a request's body, within reason.
func Drain(r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, drainLimit) // the answer matters more than why the body ended
}
