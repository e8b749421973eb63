package logstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/logstream"
	"github.com/laminadev/lamina/internal/telemetry"
)

func TestMain(m *testing.M) {
	failpointtest.BeVictim(func(args []string) error { return writeLine(args[0], 2, "two\n") })
	goleak.VerifyTestMain(m)
}

var (
	scope = lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}
	epoch = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
)

func open(t *testing.T, dir string) *logstream.Store {
	t.Helper()
	s, err := logstream.Open(logstream.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func source(group, stream string) *telemetry.Source {
	return &telemetry.Source{Revision: &lambda.Revision{Key: lambda.FunctionKey{Scope: scope, Name: "f"}}, Version: "$LATEST", LogGroup: group, LogStream: stream}
}

func printed(src *telemetry.Source, second int, text string) telemetry.Event {
	return telemetry.Event{Time: at(second), Type: telemetry.TypeFunction, Source: src, Record: text}
}

func at(second int) time.Time { return epoch.Add(time.Duration(second) * time.Second) }

func read(t *testing.T, s *logstream.Store, group string, q logstream.Query) []logstream.Record {
	t.Helper()
	var got []logstream.Record
	err := s.Read(context.Background(), scope, group, q, func(r logstream.Record) error {
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func rec(second int, stream, message string) logstream.Record {
	return logstream.Record{Time: at(second), Stream: stream, Message: message}
}

func TestReadMergesStreamsByTime(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	a, b, other := source("/aws/lambda/f", "2026/11/24/[$LATEST]aa"), source("/aws/lambda/f", "2026/11/24/[$LATEST]bb"), source("/other", "x")
	for _, e := range []telemetry.Event{
		{Time: at(1), Type: telemetry.TypeStart, Source: a, Record: &telemetry.Start{RequestID: "r", Version: "$LATEST"}},
		printed(a, 3, "three\n"), printed(b, 2, "two\n"), printed(other, 2, "elsewhere\n"), printed(a, 5, "five, \"quoted\"\r and \xff broken"),
		{Time: at(5), Type: telemetry.TypeRuntimeDone, Source: a, Record: &telemetry.RuntimeDone{RequestID: "r"}},
		printed(b, 4, "four\n"),
		{Time: at(6), Type: telemetry.TypeEnd, Source: a, Record: &telemetry.End{RequestID: "r"}},
	} {
		s.Consume(e)
	}
	s.Close() // writes
	s = open(t, dir)
	const sa, sb = "2026/11/24/[$LATEST]aa", "2026/11/24/[$LATEST]bb"
	all := []logstream.Record{rec(1, sa, "START RequestId: r Version: $LATEST\n"), rec(2, sb, "two\n"), rec(3, sa, "three\n"), rec(4, sb, "four\n"),
		rec(5, sa, "five, \"quoted\"\r and \uFFFD broken\n"), rec(6, sa, "END RequestId: r\n")}
	for _, tc := range []struct {
		name  string
		group string
		query logstream.Query
		want  []logstream.Record
	}{
		{"all", "/aws/lambda/f", logstream.Query{}, all},
		{"since", "/aws/lambda/f", logstream.Query{Since: at(4)}, all[3:]},
		{"since the future", "/aws/lambda/f", logstream.Query{Since: time.Now().Add(time.Hour)}, nil},
		{"limit", "/aws/lambda/f", logstream.Query{Limit: 2}, all[4:]},
		{"limit beyond", "/aws/lambda/f", logstream.Query{Limit: 20}, all},
		{"stream", "/aws/lambda/f", logstream.Query{Stream: sb}, []logstream.Record{all[1], all[3]}},
		{"stream that is a prefix of another", "/aws/lambda/f", logstream.Query{Stream: "2026/11/24/[$LATEST]a"}, nil},
		{"other group", "/other", logstream.Query{}, []logstream.Record{rec(2, "x", "elsewhere\n")}},
		{"unknown group", "/nobody", logstream.Query{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(read(t, s, tc.group, tc.query), tc.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

func TestScopesAreApart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for _, account := range []string{"111111111111", "222222222222"} {
		src := source("g", "s")
		src.Revision.Key.Account = account
		s.Consume(printed(src, 1, account+"\n"))
	}
	s.Close()
	s = open(t, dir)
	var got []string
	err := s.Read(context.Background(), lambda.Scope{Partition: "aws", Account: "222222222222", Region: "us-east-1"}, "g", logstream.Query{},
		func(r logstream.Record) error { got = append(got, r.Message); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, []string{"222222222222\n"}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

// Names are strangers' and must not lead anywhere.
func TestNamesStayInTheFolder(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "logs")
	s := open(t, dir)
	long := strings.Repeat("/group.name", 46) // 506 bytes, as long as AWS allows
	names := []string{"../../escaped", "..", ".", "/", "a/b", "a=2fb", "nul\x00", long, long + "2", ""}
	for i, name := range names {
		s.Consume(printed(source(name, name), i, fmt.Sprintf("%d\n", i)))
	}
	s.Close()
	s = open(t, dir)
	for i, name := range names {
		got := read(t, s, name, logstream.Query{Stream: name})
		if len(got) != 1 || got[0].Message != fmt.Sprintf("%d\n", i) || (name != "" && got[0].Stream != strings.ToValidUTF8(name, "\uFFFD")) {
			t.Errorf("%.30q: got %.200v", name, got)
		}
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v beside the folder", entries, err)
	}
}

func TestTornRecordIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	src := source("g", "s")
	s.Consume(printed(src, 1, "one\n"))
	s.Consume(printed(src, 2, "two\n"))
	s.Close()
	files := segments(t, dir)
	if len(files) != 1 {
		t.Fatalf("got %v", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], b[:len(b)-7], 0o600); err != nil { // as kill -9 may leave it
		t.Fatal(err)
	}
	s = open(t, dir)
	if diff := cmp.Diff(read(t, s, "g", logstream.Query{}), []logstream.Record{rec(1, "s", "one\n")}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	// The stream goes on behind it.
	s.Consume(printed(source("g", "s"), 3, "three\n"))
	s.Close()
	s = open(t, dir)
	want := []logstream.Record{rec(1, "s", "one\n"), rec(3, "s", "three\n")}
	if diff := cmp.Diff(read(t, s, "g", logstream.Query{}), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func segments(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFollow(t *testing.T) {
	s := open(t, t.TempDir())
	src := source("g", "a")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	got := make(chan logstream.Record)
	done := make(chan error)
	go func() {
		done <- s.Read(ctx, scope, "g", logstream.Query{Follow: true}, func(r logstream.Record) error {
			got <- r
			return nil
		})
	}()
	next := func(want logstream.Record) {
		t.Helper()
		select {
		case r := <-got:
			if diff := cmp.Diff(r, want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came")
		}
	}
	// The first look may or may not have been before; nothing is lost, and nothing comes twice.
	for i := range 5 {
		s.Consume(printed(src, i, fmt.Sprintf("%d\n", i)))
		s.Consume(printed(source("other", "a"), i, "not this\n"))
		next(rec(i, "a", fmt.Sprintf("%d\n", i)))
	}
	s.Consume(printed(source("g", "b"), 9, "a new stream\n"))
	next(rec(9, "b", "a new stream\n"))
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFollowEndsWithTheStore(t *testing.T) {
	s := open(t, t.TempDir())
	done := make(chan error)
	go func() {
		done <- s.Read(context.Background(), scope, "g", logstream.Query{Follow: true}, func(logstream.Record) error { return nil })
	}()
	s.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestErrorOfTheReaderEndsReading(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.Consume(printed(source("g", "a"), 1, "one\n"))
	s.Consume(printed(source("g", "b"), 2, "two\n"))
	s.Close()
	s = open(t, dir)
	enough := errors.New("enough")
	calls := 0
	err := s.Read(context.Background(), scope, "g", logstream.Query{}, func(logstream.Record) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}

// What comes faster than it may is dropped, and the stream says so; the platform's own lines are kept.
func TestTooMuchIsDroppedAndCounted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	src := source("g", "s")
	const n, size = 200, 256 << 10 // 50 MB
	text := strings.Repeat("x", size-1) + "\n"
	for i := range n {
		s.Consume(printed(src, i, text))
	}
	s.Consume(telemetry.Event{Time: at(n), Type: telemetry.TypeEnd, Source: src, Record: &telemetry.End{RequestID: "r"}})
	s.Close()
	s = open(t, dir)
	kept, dropped := 0, 0
	for _, r := range read(t, s, "g", logstream.Query{}) {
		var records, bytes int
		switch {
		case r.Message == text:
			kept++
		case strings.HasPrefix(r.Message, "END"):
		default:
			if _, err := fmt.Sscanf(r.Message, "lamina: %d log events (%d bytes) were dropped", &records, &bytes); err != nil || bytes != records*size {
				t.Errorf("got %.100q: %v", r.Message, err)
			}
			dropped += records
		}
	}
	if kept == 0 || dropped == 0 || kept+dropped != n {
		t.Errorf("kept %d and dropped %d of %d", kept, dropped, n)
	}
	if kept > 200 {
		t.Errorf("kept %d events of %d bytes", kept, size)
	}
}

func TestSegments(t *testing.T) {
	dir := t.TempDir()
	s, err := logstream.Open(logstream.Options{Dir: dir, Now: fastClock()})
	if err != nil {
		t.Fatal(err)
	}
	src := source("g", "s")
	const n, size = 120, 256 << 10 // however many are written at a time, a segment is full before the last ones
	for i := range n {
		s.Consume(printed(src, i, fmt.Sprintf("%0*d\n", size, i)))
		if i%20 == 19 {
			s.Flush()
		}
	}
	s.Close()
	if files := segments(t, dir); len(files) < 2 {
		t.Errorf("got %v, want several segments", files)
	}
	s = open(t, dir)
	for i, r := range read(t, s, "g", logstream.Query{}) {
		if !r.Time.Equal(at(i)) {
			t.Fatalf("record %d has time %v", i, r.Time)
		}
	}
}

// fastClock is a clock on which so much time passes that no stream writes too fast.
func fastClock() func() time.Time {
	now := epoch
	return func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
}

func BenchmarkConsume(b *testing.B) {
	s, err := logstream.Open(logstream.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	e := telemetry.Event{Time: epoch, Type: telemetry.TypeEnd, Source: source("g", "s"), Record: &telemetry.End{RequestID: "r"}}
	for b.Loop() {
		s.Consume(e)
	}
}
