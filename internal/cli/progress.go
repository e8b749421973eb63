package cli

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// uploads shows on a terminal how much of a large request has been sent. Anywhere else it shows nothing.
func (o *output) uploads(c aws.HTTPClient) aws.HTTPClient {
	if !isTerminal(o.Err) {
		return c
	}
	return &uploader{c, o.Err}
}

type uploader struct {
	inner aws.HTTPClient
	w     io.Writer
}

// Do sends a request, showing progress from 1 MiB on.
func (u *uploader) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength < 1<<20 {
		return u.inner.Do(r)
	}
	m := &meter{ReadCloser: r.Body, w: u.w, total: r.ContentLength}
	r.Body = m
	defer m.end()
	return u.inner.Do(r)
}

// meter is a body that says how far it was read.
type meter struct {
	io.ReadCloser
	w           io.Writer
	done, total int64
	shown       time.Time
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.done += int64(n)
	if now := time.Now(); now.Sub(m.shown) > 100*time.Millisecond || m.done == m.total {
		m.shown = now
		fmt.Fprintf(m.w, "\r\x1b[Kuploading %s of %s (%d%%)", size(m.done), size(m.total), 100*m.done/m.total)
	}
	return n, err
}

func (m *meter) end() { fmt.Fprint(m.w, "\r\x1b[K") }
