package execenv

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// tail keeps the last bytes of an invocation's log: the X-Amz-Log-Result.
type tail struct {
	buf   []byte
	whole bool // a record is kept whole or not at all
}

// Consume appends the event's line.
func (t *tail) Consume(e telemetry.Event) {
	line := telemetry.Line(e)
	if len(line) > lambda.MaxLogTail && !t.whole {
		line = line[len(line)-lambda.MaxLogTail:]
	}
	if over := len(t.buf) + len(line) - 4*lambda.MaxLogTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[max(0, len(t.buf)-lambda.MaxLogTail):]...)
	}
	t.buf = append(t.buf, line...)
}

// bytes gives the tail. A character that was cut at its head is replaced.
func (t *tail) bytes() []byte {
	b := t.buf
	if len(b) > lambda.MaxLogTail {
		b = b[len(b)-lambda.MaxLogTail:]
		if end := bytes.IndexByte(b, '\n'); t.whole && end >= 0 && t.buf[len(t.buf)-len(b)-1] != '\n' {
			b = b[end+1:]
		}
	}
	if utf8.Valid(b) {
		return b
	}
	valid := []byte(strings.ToValidUTF8(string(b), "\uFFFD"))
	return valid[max(0, len(valid)-lambda.MaxLogTail):]
}
