package execenv

import (
	"strings"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/telemetry"
)

// tail keeps the last bytes of an invocation's log: the X-Amz-Log-Result.
type tail struct{ buf []byte }

// Consume appends the event's line.
func (t *tail) Consume(e telemetry.Event) {
	line := telemetry.Text(e)
	if len(line) > lambda.MaxLogTail {
		line = line[len(line)-lambda.MaxLogTail:]
	}
	if over := len(t.buf) + len(line) - 4*lambda.MaxLogTail; over > 0 {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-lambda.MaxLogTail:]...)
	}
	t.buf = append(t.buf, line...)
}

// bytes gives the tail. A character that was cut at its head is replaced.
func (t *tail) bytes() []byte {
	b := t.buf
	if len(b) > lambda.MaxLogTail {
		b = b[len(b)-lambda.MaxLogTail:]
	}
	if utf8.Valid(b) {
		return b
	}
	valid := []byte(strings.ToValidUTF8(string(b), "\uFFFD"))
	return valid[max(0, len(valid)-lambda.MaxLogTail):]
}
