package runtimeapi

import (
	"bufio"
	"bytes"
	"net/http"
)

// maxRepeated bounds the header that a connection remembers.
const maxRepeated = 1 << 10

// repeated is the GET next that a connection has sent before: clients send the same bytes each time, and what they mean need
// not be found out again.
type repeated struct {
	head []byte
	req  *http.Request
}

// take gives the remembered request when the very same bytes have arrived, and takes them out of the buffer; else nil.
func (r *repeated) take(br *bufio.Reader) *http.Request {
	if r.req == nil || br.Buffered() < len(r.head) {
		return nil
	}
	arrived, _ := br.Peek(len(r.head))
	if !bytes.Equal(arrived, r.head) {
		return nil
	}
	_, _ = br.Discard(len(r.head)) // they are there
	return r.req
}

// note remembers a request that was read out of its head, when it is one that repeats.
func (r *repeated) note(head []byte, req *http.Request) {
	if len(head) == 0 || len(head) > maxRepeated || req.Method != http.MethodGet || req.Body != http.NoBody || req.URL.Path != nextPath {
		return
	}
	r.head, r.req = bytes.Clone(head), req
}

// headOf is the header of the first request among the bytes that have arrived, nil when it has not arrived whole.
func headOf(arrived []byte) []byte {
	before, _, whole := bytes.Cut(arrived, []byte("\r\n\r\n"))
	if !whole {
		return nil
	}
	return arrived[:len(before)+4]
}
