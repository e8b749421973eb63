package runtimetest

import (
	"encoding/binary"
	"testing"
	"time"
)

// Frame is one event of the log descriptor.
type Frame struct {
	Type uint32
	Text string
}

// Frames takes apart what came on the log descriptor.
func Frames(t *testing.T, s string) []Frame {
	t.Helper()
	var all []Frame
	for b := []byte(s); len(b) > 0; {
		if len(b) < 16 {
			t.Fatalf("a frame is cut short: %q", b)
		}
		size := int(binary.BigEndian.Uint32(b[4:]))
		if age := time.Since(time.UnixMicro(int64(binary.BigEndian.Uint64(b[8:])))); age < 0 || age > time.Hour {
			t.Errorf("a frame's time is %v ago", age)
		}
		all = append(all, Frame{binary.BigEndian.Uint32(b), string(b[16 : 16+size])})
		b = b[16+size:]
	}
	return all
}
