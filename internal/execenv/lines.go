package execenv

import "bytes"

// maxEvent is the most bytes of one log event; a longer line becomes several.
const maxEvent = 256 << 10

// lines cuts a stream into lines, each with its line end. It holds at most maxEvent bytes.
type lines struct {
	emit func(string)
	rest []byte // of a line that has not ended
}

func (l *lines) Write(p []byte) {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			end = len(p)
		}
		end = min(end, maxEvent-len(l.rest))
		if ended := p[end-1] == '\n'; !ended && len(l.rest)+end < maxEvent {
			l.rest = append(l.rest, p[:end]...)
		} else if len(l.rest) == 0 {
			l.emit(string(p[:end]))
		} else {
			l.rest = append(l.rest, p[:end]...)
			l.Flush()
		}
		p = p[end:]
	}
}

func (l *lines) Flush() {
	if len(l.rest) == 0 {
		return
	}
	l.emit(string(l.rest))
	l.rest = l.rest[:0]
	if cap(l.rest) > 16<<10 {
		l.rest = nil // one long line must not cost memory for ever
	}
}
