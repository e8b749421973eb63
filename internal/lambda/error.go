package lambda

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. Code branches on kinds; only the front door knows which exception and which
// status each becomes.
type Kind int

// The kinds. The zero Kind is Internal: whatever nobody classified is our fault.
const (
	Internal       Kind = iota
	NotFound            // the resource does not exist
	Conflict            // it exists already, or an update of it is running
	Constraint          // a member breaks a rule of the service model
	Invalid             // a value is wrong in meaning, a zip cannot be read
	Malformed           // the body is not the JSON we expect
	Stale               // the RevisionId does not match
	OverQuota           // the account's stored code is over its limit
	PolicyTooLong       // a resource policy is over its limit
	TooLarge            // the request or the zip is over its limit
	WrongMediaType      // the content type is not the operation's
	Throttled           // too many at once
	NotReady            // the function is Pending or Inactive
	BadRuntime          // the function's runtime cannot be started here
	BadZip              // the deployment package cannot be unpacked at invoke
	Denied              // the caller may not
	NotBuilt            // AWS has it, lamina has not yet
	Unsigned            // a signature is needed, and there is none
	Unverifiable        // the signature has not the form of one
	UnknownKey          // nobody issued the keys
	ExpiredKey          // the keys were issued, and their time is over
	BadSignature        // the keys did not make this signature, or not now
	Unprovisioned       // nothing is provisioned for what exists
	NoCodeSigning       // the code signing configuration that a function is to get does not exist
	Untrusted           // the code has not the signature that the function's configuration enforces
)

var kindNames = [...]string{"internal", "not found", "conflict", "constraint", "invalid", "malformed", "stale", "over quota",
	"policy too long", "too large", "wrong media type", "throttled", "not ready", "bad runtime", "bad zip", "denied", "not built",
	"unsigned", "unverifiable", "unknown key", "expired key", "bad signature", "unprovisioned", "no code signing", "untrusted"}

func (k Kind) String() string { return kindNames[k] }

// Error is a failure with its kind. Message is for the caller, word for word as AWS prints it where AWS has a text; Err is
// for us and is never sent.
type Error struct {
	Kind    Kind
	Message string
	Reason  string // of Throttled: AWS's reason code
	Untyped bool   // AWS answers this one without "Type":"User"
	Err     error  // the cause, printed after the message in logs

	cause error // a cause that the message prints already
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return e.Message + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error {
	if e.Err != nil {
		return e.Err
	}
	return e.cause
}

// Errorf makes an error of a kind. A %w operand is printed in the message and stays reachable with errors.Is and errors.As.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), cause: errors.Unwrap(err)}
}

// WithoutType marks an error that AWS answers without "Type":"User".
func (e *Error) WithoutType() *Error {
	e.Untyped = true
	return e
}

// KindOf gives the kind of the first Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// IsKind reports whether err is of a kind.
func IsKind(err error, k Kind) bool { return err != nil && KindOf(err) == k }
