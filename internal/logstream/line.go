package logstream

import (
	"encoding/json"
	"strconv"
	"sync"
)

// line is a record on disk.
type line struct {
	Micros  int64  `json:"t"`
	Message string `json:"m"`
}

// appendLine appends the JSON of a record and a line break: what json.Marshal gives, without its garbage for messages of
// plain text.
func appendLine(b []byte, l line) []byte {
	b = append(b, `{"t":`...)
	b = strconv.AppendInt(b, l.Micros, 10)
	b = append(b, `,"m":`...)
	b = appendString(b, l.Message)
	return append(b, "}\n"...)
}

func appendString(b []byte, s string) []byte {
	start := len(b)
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\t':
			b = append(b, '\\', 't')
		case c == '"', c == '\\':
			b = append(b, '\\', c)
		case c < ' ', c >= 0x7f, c == '<', c == '>', c == '&':
			return append(b[:start], marshal(s)...)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func marshal(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a JSON form
	}
	return b
}

// maxKept is the room of a buffer that is kept for the next writing.
const maxKept = 256 << 10

// buffers keeps the room of what was written to files.
var buffers bufferPool

type bufferPool struct{ pool sync.Pool }

func (p *bufferPool) get() []byte {
	if b, ok := p.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 4<<10)
}

func (p *bufferPool) put(b []byte) {
	if cap(b) > 0 && cap(b) <= maxKept {
		p.pool.Put(&b)
	}
}
