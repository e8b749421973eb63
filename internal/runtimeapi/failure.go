package runtimeapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/laminadev/lamina/internal/lambda"
)

// failure is an error answer of the Runtime API: one of AWS's three families of errors, and it stays in this package.
type failure struct {
	status  int
	errType string
	message string
}

var (
	failureRequestID    = &failure{http.StatusBadRequest, "InvalidRequestID", "Invalid request ID"}
	failureResponseMode = &failure{http.StatusBadRequest, "InvalidFunctionResponseMode", "Invalid function response mode"}
	failureTruncated    = &failure{http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated"}
	failureTooLarge     = &failure{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", lambda.MaxResponseSize)}
	failureInternal = &failure{http.StatusInternalServerError, "InternalServerError", "Internal Server Error"}
)

func transitionFailure(from, to State) *failure {
	return &failure{http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: State transition is not allowed", from, to)}
}

func (f *failure) body() []byte {
	b, err := json.Marshal(struct {
		ErrorMessage string `json:"errorMessage"`
		ErrorType    string `json:"errorType"`
	}{f.message, f.errType})
	if err != nil {
		panic(err) // two strings always have a JSON form
	}
	return b
}
