package execenv

// NewCutter makes what cuts a pipe into events.
func NewCutter(framed bool, emit func(string)) interface {
	Write(p []byte)
	Flush()
} {
	l := &lines{emit: emit}
	if framed {
		return &frames{text: l}
	}
	return l
}
