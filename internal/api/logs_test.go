package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/client"
	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/logstream"
)

var (
	moment  = time.Date(2026, 1, 12, 15, 4, 5, 678_000_000, time.UTC)
	records = []logstream.Record{{Time: moment, Stream: "s1", Message: "one\n"}, {Time: moment.Add(time.Second), Stream: "s2", Message: "<two> & ü"}}
)

func TestLogs(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.Now = func() time.Time { return moment } })
	s.create("f", object{"LoggingConfig": object{"LogGroup": "mine"}})
	s.logs.Records = records
	c := client.New(client.Options{Endpoint: s.url + "/", HTTP: s.client})
	var got []client.LogRecord
	err := c.Logs(context.Background(), "f", client.LogsOptions{Since: moment, Limit: 7}, func(r client.LogRecord) error {
		got = append(got, r)
		return nil
	})
	must(t, err)
	want := []client.LogRecord{{Time: moment, Stream: "s1", Message: "one\n"}, {Time: moment.Add(time.Second), Stream: "s2", Message: "<two> & ü"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff(logstream.Query{Since: moment, Limit: 7}, s.logs.Query); diff != "" || s.logs.Group != "mine" {
		t.Errorf("asked for %s: -want +got\n%s", s.logs.Group, diff)
	}
	s.ok(200, request{method: "GET", path: "/lamina/v1/functions/" + functionARN + "f/logs?since=10m"})
	if want := moment.Add(-10 * time.Minute); !s.logs.Query.Since.Equal(want) {
		t.Errorf("10m is since %v, want %v", s.logs.Query.Since, want)
	}
	for _, query := range []string{"since=yesterday", "limit=x", "limit=-1", "follow=x"} {
		s.ok(400, request{method: "GET", path: "/lamina/v1/functions/f/logs?" + query})
	}
}

func TestLogsFollow(t *testing.T) {
	s := newServer(t)
	s.create("f")
	s.logs.Records = records
	c := client.New(client.Options{Endpoint: s.url, HTTP: s.client})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	err := c.Logs(ctx, "f", client.LogsOptions{Follow: true}, func(client.LogRecord) error {
		if n++; n == len(records) { // they came although the answer has not ended
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != len(records) {
		t.Errorf("%d records, %v", n, err)
	}
	stop := errors.New("enough")
	err = c.Logs(context.Background(), "f", client.LogsOptions{Follow: true}, func(client.LogRecord) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("the caller's error became %v", err)
	}
}

func TestLogsThatBreakOff(t *testing.T) {
	s := newServer(t)
	s.create("f")
	c := client.New(client.Options{Endpoint: s.url, HTTP: s.client})
	read := func() error {
		return c.Logs(context.Background(), "f", client.LogsOptions{}, func(client.LogRecord) error { return nil })
	}
	must(t, read()) // none at all
	s.logs.Err = errors.New("the disk is gone")
	var failure *client.Error
	if err := read(); !errors.As(err, &failure) || failure.Status != 500 || failure.Code != "ServiceException" || failure.RequestID == "" {
		t.Errorf("before the first record: %v", err)
	}
	s.logs.Records = records
	if err := read(); err == nil || !strings.Contains(err.Error(), "the log ended early") {
		t.Errorf("after the first record: %v", err)
	}
}

func TestLogsOfNoFunction(t *testing.T) {
	s := newServer(t)
	c := client.New(client.Options{Endpoint: s.url, HTTP: s.client})
	err := c.Logs(context.Background(), "nope", client.LogsOptions{}, func(client.LogRecord) error { return nil })
	want := "ResourceNotFoundException: Function not found: " + functionARN + "nope"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := c.Logs(context.Background(), "a b", client.LogsOptions{}, nil); err == nil || !strings.HasPrefix(err.Error(), "ValidationException") {
		t.Errorf("a bad name: %v", err)
	}
}

func TestLogsOfAnAccount(t *testing.T) {
	s := newServer(t)
	s.ok(201, request{method: "POST", path: functions, body: function("f"), header: signed("111111111111", "eu-west-1", "lambda")})
	c := client.New(client.Options{Endpoint: s.url, HTTP: s.client, Region: "eu-west-1", Credentials: credentials("111111111111")})
	must(t, c.Logs(context.Background(), "f", client.LogsOptions{}, func(client.LogRecord) error { return nil }))
	want := lambda.Scope{Partition: "aws", Account: "111111111111", Region: "eu-west-1"}
	if s.logs.Scope != want || s.logs.Group != "/aws/lambda/f" {
		t.Errorf("asked for %v %s", s.logs.Scope, s.logs.Group)
	}
	v, err := c.Version(context.Background())
	if err != nil || v.Version != "1.2.3-test" {
		t.Errorf("version %v, %v", v, err)
	}
}
