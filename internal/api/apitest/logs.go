package apitest

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/logstream"
)

// Logs stands for the store of logs: it remembers what it was asked for and gives what it was told. A follower gets that, and
// waits.
type Logs struct {
	Scope   lambda.Scope    // of the last call
	Group   string          // likewise
	Query   logstream.Query // likewise
	Records []logstream.Record
	Err     error // after the records
}

// Read calls f for each of the Records.
func (l *Logs) Read(ctx context.Context, scope lambda.Scope, group string, q logstream.Query, f func(logstream.Record) error) error {
	l.Scope, l.Group, l.Query = scope, group, q
	for _, r := range l.Records {
		if err := f(r); err != nil {
			return err
		}
	}
	if q.Follow {
		<-ctx.Done()
		return ctx.Err()
	}
	return l.Err
}
