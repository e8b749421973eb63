package logstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/telemetry"
)

// maxSegment is the size at which a stream begins its next segment.
const maxSegment = 16 << 20

// header is the first line of a segment.
type header struct {
	Group  string `json:"group"`
	Stream string `json:"stream"`
}

// streamName says where a stream is.
type streamName struct {
	dir    string // of its group
	group  string
	stream string
}

// stream is the writing end of one stream.
type stream struct {
	name    streamName
	segment int
	size    int64  // of the segment; -1 until it was looked at
	torn    bool   // the last write failed, so the file may end within a line
	buf     []byte // what flush appends
	lost    *lossCount
	used    time.Time

	credit int64 // bytes that may be written at once
	earned time.Time
}

func newStream(dir string, src *telemetry.Source, now time.Time) *stream {
	return &stream{
		name:   streamName{groupDir(dir, src.Revision.Key.Scope, src.LogGroup), src.LogGroup, src.LogStream},
		size:   -1,
		credit: streamRush,
		earned: now,
	}
}

func (st *stream) path() string {
	return filepath.Join(st.name.dir, fmt.Sprintf("%s.%04d%s", escape(st.name.stream), st.segment, segmentSuffix))
}

// allow reports whether the stream may write n more bytes now.
func (st *stream) allow(n int, now time.Time) bool {
	if d := now.Sub(st.earned); d > 0 {
		st.credit = min(streamRush, st.credit+int64(d.Seconds()*streamRate))
		st.earned = now
	}
	if st.credit < int64(n) {
		return false
	}
	st.credit -= int64(n)
	return true
}

// settleLoss writes down what was lost since the last time.
func (st *stream) settleLoss(now time.Time) {
	if st.lost == nil {
		return
	}
	st.append(now, st.lost.message())
	st.lost = nil
}

func (st *stream) append(t time.Time, message string) {
	if st.buf == nil {
		st.buf = buffers.get()
	}
	st.buf = appendLine(st.buf, line{t.UnixMicro(), message})
}

// flush appends what waits to the segment, opening and closing it: no stream holds a file open between two writes.
func (st *stream) flush() error {
	buf := st.buf
	st.buf = nil
	defer buffers.put(buf)
	f, err := st.open()
	if err != nil {
		return err
	}
	defer f.Close()
	if st.torn {
		buf = append([]byte{'\n'}, buf...)
	}
	n, err := failpoint.Write("logstream.write", f, buf)
	st.size += int64(n)
	st.torn = err != nil
	return err
}

// open opens the segment to append to, the next one when it is full, and writes the header of a new one.
func (st *stream) open() (*os.File, error) {
	if st.size >= maxSegment {
		st.segment++
		st.size = 0
	}
	f, err := failpoint.OpenFile("logstream.open", st.path(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := failpoint.MkdirAll("logstream.group", st.name.dir, 0o700); err != nil {
			return nil, err
		}
		f, err = failpoint.OpenFile("logstream.open-first", st.path(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	}
	if err != nil {
		return nil, err
	}
	if st.size <= 0 {
		if err := st.begin(f); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// begin looks at a segment before its first write: a new one gets its header, an old one may end within a line.
func (st *stream) begin(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	st.size = info.Size()
	if st.size > 0 {
		st.torn = true
		return nil
	}
	head, err := json.Marshal(header{st.name.group, st.name.stream})
	if err != nil {
		return err
	}
	n, err := failpoint.Write("logstream.header", f, append(head, '\n'))
	st.size += int64(n)
	st.torn = err != nil
	return err
}
