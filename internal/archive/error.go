package archive

import "fmt"

// Reason says why an archive was refused.
type Reason int

// The reasons.
const (
	NotZip   Reason = iota + 1 // there is no zip in the bytes
	Empty                      // a zip without entries
	TooLarge                   // its content is over Limits.UnzippedSize
	Unsafe                     // an entry that no honest archive holds
	Corrupt                    // damaged, or made with something that we do not read
)

func (r Reason) String() string {
	return [...]string{"unknown", "not a zip", "empty zip", "too large", "unsafe zip", "corrupt zip"}[r]
}

// Error is an archive that was refused.
type Error struct {
	Reason Reason
	Path   string // of the entry at fault; "" for the archive as a whole
	Text   string // what is wrong
	Err    error  // the cause, if there is one
}

func (e *Error) Error() string {
	s := e.Reason.String()
	if e.Path != "" {
		s += fmt.Sprintf(": %q", e.Path)
	}
	s += ": " + e.Text
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

func refuse(r Reason, path, format string, args ...any) *Error {
	return &Error{Reason: r, Path: path, Text: fmt.Sprintf(format, args...)}
}
