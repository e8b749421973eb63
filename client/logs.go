package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// LogRecord is one line that a function or its platform wrote: a line of the answer of
// GET /lamina/v1/functions/{name}/logs, which is JSON, one record a line.
type LogRecord struct {
	Time    time.Time `json:"time"`
	Stream  string    `json:"stream"`  // the log stream, one for each execution environment
	Message string    `json:"message"` // with its line end, where it had one
}

// LogsOptions choose records.
type LogsOptions struct {
	Since  time.Time // zero means from the first
	Limit  int       // the newest so many of those; 0 means all
	Follow bool      // do not end: wait for more
}

func (o LogsOptions) query() url.Values {
	q := url.Values{}
	if !o.Since.IsZero() {
		q.Set("since", o.Since.Format(time.RFC3339Nano))
	}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.Follow {
		q.Set("follow", "true")
	}
	return q
}

// Logs calls f for each record of a function, which may be named as AWS names it. It ends with the records, with an error of
// f, or with ctx.
func (c *Client) Logs(ctx context.Context, function string, o LogsOptions, f func(LogRecord) error) error {
	res, err := c.get(ctx, "/lamina/v1/functions/"+url.PathEscape(function)+"/logs", o.query())
	if err != nil {
		return err
	}
	defer res.Body.Close()
	for d := json.NewDecoder(res.Body); ; {
		var r LogRecord
		err := d.Decode(&r)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("the log ended early: %w", err)
		}
		if err := f(r); err != nil {
			return err
		}
	}
}
