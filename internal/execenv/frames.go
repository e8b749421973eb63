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

// frames cuts a stream of frames and text into events. What is not a frame is taken as lines of text.
//
// Both come through one pipe, so that a function's log shows what it prints and what it logs in their order. A line that
// has not ended when a frame comes goes on behind it. A write is whole in a pipe while the pipe has room; only a frame
// that must wait for room can be torn by another thread's text.
type frames struct {
	text *lines
	buf  []byte // a header that has not come whole, or a text that has not
	left int    // bytes of the current frame's text that are still to come; 0 outside of a frame
}

func (f *frames) Write(p []byte) {
	if f.left == 0 && len(f.buf) > 0 {
		p, f.buf = append(f.buf, p...), nil
	}
	for len(p) > 0 {
		if f.left > 0 {
			p = f.body(p)
			continue
		}
		start := frameStart(p)
		f.text.Write(p[:start])
		p = f.header(p[start:])
	}
}

// header begins a frame, or keeps the bytes of a header that has not come whole.
func (f *frames) header(p []byte) []byte {
	if len(p) < frameHeader {
		f.buf = bytes.Clone(p)
		return nil
	}
	f.left = int(binary.BigEndian.Uint32(p[4:8]))
	return p[frameHeader:]
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
	if f.left == 0 {
		f.text.Write(f.buf)
		f.buf = nil
	}
	f.text.Flush()
	if len(f.buf) > 0 {
		f.text.emit(string(f.buf))
	}
	f.buf, f.left = nil, 0
}

// frameStart gives the length of the text before the first frame.
func frameStart(p []byte) int {
	for start := 0; ; start++ {
		n := bytes.IndexByte(p[start:], frameMagic>>24)
		if n < 0 {
			return len(p)
		}
		start += n
		if mayBeFrame(p[start:]) {
			return start
		}
	}
}

// mayBeFrame reports whether p begins as a frame does, as far as it goes.
func mayBeFrame(p []byte) bool {
	if len(p) < 4 {
		return bytes.HasPrefix([]byte{0xa5, 0x5a, 0x00}, p[:min(len(p), 3)])
	}
	kind := binary.BigEndian.Uint32(p)
	return kind&^0xff == frameMagic && (kind&3 == 2 || kind&3 == 3)
}
