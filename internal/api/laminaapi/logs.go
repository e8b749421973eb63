package laminaapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/laminadev/lamina/client"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/logstream"
)

// functionLogs answers with the log of a function that exists. The answer begins with the first record, or at once when the
// caller follows, and each record is sent when it is there. A log that breaks off in the middle breaks the answer off.
func (a *API) functionLogs(w http.ResponseWriter, r *http.Request, c *wire.Call, name string) error {
	query, err := a.logQuery(r)
	if err != nil {
		return err
	}
	ref, err := lambda.ParseFunctionRef(name, c.Scope)
	if err != nil {
		return err
	}
	f, err := a.Control.GetFunction(r.Context(), c.Scope, ref)
	if err != nil {
		return err
	}
	out := &lines{w: w}
	if query.Follow {
		out.start()
	}
	err = a.Logs.Read(r.Context(), f.Key.Scope, f.Latest.Config.Logging.LogGroup, query, out.write)
	switch {
	case err == nil:
		out.start()
		return nil
	case !out.started:
		return err
	case context.Cause(r.Context()) != nil:
		return nil
	}
	panic(http.ErrAbortHandler)
}

// logQuery reads the query.
func (a *API) logQuery(r *http.Request) (q logstream.Query, err error) {
	p := r.URL.Query()
	if s := p.Get("since"); s != "" {
		if q.Since, err = a.since(s); err != nil {
			return q, err
		}
	}
	if s := p.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 0 {
			return q, lambda.Errorf(lambda.Invalid, "limit must be a number of records: %q", s)
		}
	}
	if s := p.Get("follow"); s != "" {
		if q.Follow, err = strconv.ParseBool(s); err != nil {
			return q, lambda.Errorf(lambda.Invalid, "follow must be true or false: %q", s)
		}
	}
	return q, nil
}

func (a *API) since(s string) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return a.Now().Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, lambda.Errorf(lambda.Invalid, "since must be a time such as 2026-01-12T15:04:05Z or a duration such as 10m: %q", s)
	}
	return t, nil
}

// lines writes records, one a line.
type lines struct {
	w       http.ResponseWriter
	started bool
}

func (l *lines) start() {
	if l.started {
		return
	}
	l.started = true
	l.w.Header().Set("Content-Type", "application/x-ndjson")
	l.w.WriteHeader(http.StatusOK)
	l.flush()
}

func (l *lines) write(r logstream.Record) error {
	l.start()
	if err := json.NewEncoder(l.w).Encode(client.LogRecord{Time: r.Time, Stream: r.Stream, Message: r.Message}); err != nil {
		return err
	}
	l.flush()
	return nil
}

func (l *lines) flush() { _ = http.NewResponseController(l.w).Flush() } // a writer that cannot flush has nothing to hold back
