package execenv

import (
	"bytes"
	"encoding/binary"
)

// A frame is how the managed runtimes' clients write a log event to the descriptor that _LAMBDA_TELEMETRY_LOG_FD names: a
// type (magic, level and format), the length of the text, its time in microseconds, and the text, which is one event
// however many lines it has. Numbers are big-endian.
const (
	frameHeader = 16
	frameMagic  = 0xa55a0000
)

// frames cuts a stream of frames into events. What is not a frame is taken as lines of text.
type frames struct {
	text *lines
	buf  []byte // a header that has not come whole, or a text that has not
	left int    // bytes of the current frame's text that are still to come; 0 outside of a frame
}

func (f *frames) Write(p []byte) {
	for len(p) > 0 {
		switch {
		case f.left > 0:
			p = f.body(p)
		case len(f.buf) == 0 && !mayBeFrame(p):
			p = f.raw(p)
		default:
			p = f.header(p)
		}
	}
}

// raw takes bytes up to the end of their line.
func (f *frames) raw(p []byte) []byte {
	end := bytes.IndexByte(p, '\n') + 1
	if end == 0 {
		end = len(p)
	}
	f.text.Write(p[:end])
	return p[end:]
}

// header gathers a header and begins its frame.
func (f *frames) header(p []byte) []byte {
	n := min(frameHeader-len(f.buf), len(p))
	f.buf = append(f.buf, p[:n]...)
	p = p[n:]
	switch {
	case !mayBeFrame(f.buf):
		f.text.Write(f.buf)
		f.buf = f.buf[:0]
	case len(f.buf) == frameHeader:
		f.text.Flush()
		f.left = int(binary.BigEndian.Uint32(f.buf[4:8]))
		f.buf = f.buf[:0]
	}
	return p
}

// body gathers the text of a frame; a text beyond the limit of one event becomes several.
func (f *frames) body(p []byte) []byte {
	n := min(f.left, maxEvent-len(f.buf), len(p))
	f.buf = append(f.buf, p[:n]...)
	f.left -= n
	if f.left == 0 || len(f.buf) == maxEvent {
		f.text.emit(string(f.buf))
		f.buf = nil
	}
	return p[n:]
}

func (f *frames) Flush() {
	f.text.Flush()
	if len(f.buf) > 0 {
		f.text.emit(string(f.buf))
	}
	f.buf, f.left = nil, 0
}

// mayBeFrame reports whether p begins as a frame does, as far as it goes.
func mayBeFrame(p []byte) bool {
	if len(p) < 4 {
		return bytes.HasPrefix([]byte{0xa5, 0x5a, 0x00}, p[:min(len(p), 3)])
	}
	kind := binary.BigEndian.Uint32(p)
	return kind&^0xff == frameMagic && (kind&3 == 2 || kind&3 == 3)
}
