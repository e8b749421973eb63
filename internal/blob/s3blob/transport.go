package s3blob

import (
	"context"
	"net"
	"net/http"
	"time"
)

// How long a store may keep us waiting. There is no bound for a whole transfer, which may be long.
const (
	dialTimeout  = 10 * time.Second
	quietTimeout = 30 * time.Second // without a byte
)

func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	dialer := &net.Dialer{Timeout: dialTimeout, KeepAlive: 15 * time.Second}
	t.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &impatient{c}, nil
	}
	t.TLSHandshakeTimeout = dialTimeout
	t.ResponseHeaderTimeout = quietTimeout
	t.IdleConnTimeout = quietTimeout / 2
	t.MaxIdleConnsPerHost = 16
	t.DisableCompression = true // bytes are to come as they are
	return t
}

// impatient is a connection that fails when nothing moves for too long.
type impatient struct{ net.Conn }

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(quietTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *impatient) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(quietTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
