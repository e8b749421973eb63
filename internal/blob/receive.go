package blob

import (
	"hash"
	"io"
)

const (
	receiveBuffer  = 256 << 10 // bytes that are moved at a time
	receiveBuffers = 2
)

// receive moves r to its end into w and hashes it: one buffer in a goroutine of its own, while the next one is read and
// written. What fits into one buffer is not worth the goroutine.
func receive(w io.Writer, h hash.Hash, r io.Reader) (size int64, err error) {
	buf := make([]byte, receiveBuffer)
	n, end, err := move(w, r, buf)
	if err != nil || end {
		h.Write(buf[:n])
		return int64(n), err
	}
	full, free := make(chan []byte, receiveBuffers), make(chan []byte, receiveBuffers)
	hashed := make(chan struct{})
	go func() {
		defer close(hashed)
		for b := range full {
			h.Write(b)
			free <- b[:cap(b)]
		}
	}()
	defer func() { // also when r panics
		close(full)
		<-hashed
	}()
	for range receiveBuffers - 1 {
		free <- make([]byte, receiveBuffer)
	}
	size = int64(n)
	full <- buf
	for !end && err == nil {
		b := <-free
		n, end, err = move(w, r, b)
		size += int64(n)
		full <- b[:n]
	}
	return size, err
}

// move fills a buffer from r, unless r ends before, and writes it to w. An error of either is given back as it is.
func move(w io.Writer, r io.Reader, b []byte) (n int, end bool, err error) {
	for n < len(b) && err == nil {
		var some int
		some, err = r.Read(b[n:])
		n += some
	}
	if end = err == io.EOF; err != nil && !end {
		return n, false, err
	}
	if n == 0 {
		return 0, end, nil
	}
	_, err = w.Write(b[:n])
	return n, end, err
}
