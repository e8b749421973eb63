package logstream

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/laminadev/lamina/internal/failpoint"
	"github.com/laminadev/lamina/internal/telemetry"
)

const (
	linger     = 10 * time.Millisecond // from an event to its writing, so that many are written at a time
	maxQueue   = 32 << 20              // bytes of text that wait for the disk
	streamRate = 5 << 20               // bytes of text per second that one stream may write in the long run …
	streamRush = 16 << 20              // … and at once
	recordCost = 256                   // bytes that a queued event takes beside its text
)

// Options are where logs are kept.
type Options struct {
	Dir string
	Now func() time.Time
	Log *slog.Logger // nil: what cannot be written is not told to anybody
}

// Store keeps logs. Its methods may be called at the same time.
type Store struct {
	dir  string
	now  func() time.Time
	log  *slog.Logger
	kick chan struct{}
	stop chan struct{}
	done chan struct{}
	once sync.Once
	// flushes asks the writer to write now; it closes the channel that it receives.
	flushes chan chan struct{}

	mu     sync.Mutex // guards what follows
	queue  []telemetry.Event
	queued int                              // bytes
	lost   map[*telemetry.Source]*lossCount // what found no place since the last writing

	// Of the writing goroutine alone.
	streams map[*telemetry.Source]*stream
	room    []telemetry.Event // of the queue that was written last, for the one that follows

	followers followers
}

// Open makes the folder if it is not there and starts the writer. Close writes what waits and stops it.
func Open(o Options) (*Store, error) {
	if err := failpoint.MkdirAll("logstream.folder", o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of logs: %w", err)
	}
	s := &Store{
		dir:     o.Dir,
		now:     o.Now,
		log:     o.Log,
		kick:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		flushes: make(chan chan struct{}),
		lost:    map[*telemetry.Source]*lossCount{},
		streams: map[*telemetry.Source]*stream{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	go s.run()
	return s, nil
}

// Close writes what waits and stops the writer. Events that come later are lost. It may be called twice.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.stop) })
	<-s.done
	return nil
}

// Consume takes an event for its stream. It never waits for the disk: when too much waits already, the event is counted
// as lost.
func (s *Store) Consume(e telemetry.Event) {
	if e.Source == nil || !leavesLine(e) {
		return
	}
	size := recordCost
	if text, ok := e.Record.(string); ok {
		size += len(text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queued+size > maxQueue {
		s.lost[e.Source] = s.lost[e.Source].add(size - recordCost)
		return
	}
	s.queue = append(s.queue, e)
	s.queued += size
	if len(s.queue) == 1 {
		select {
		case s.kick <- struct{}{}:
		default:
		}
	}
}

// Flush returns when everything that was consumed before is in the files.
func (s *Store) Flush() {
	flushed := make(chan struct{})
	select {
	case s.flushes <- flushed:
		<-flushed
	case <-s.done:
	}
}

// leavesLine reports whether an event may have a line in the log, so that the others take no place in the queue.
func leavesLine(e telemetry.Event) bool {
	return e.Type != telemetry.TypeRuntimeDone && e.Type != telemetry.TypeInitRuntimeDone || telemetry.InJSON(e.Source)
}

// lossCount is how much of a stream was dropped.
type lossCount struct{ records, bytes int }

func (l *lossCount) add(bytes int) *lossCount {
	if l == nil {
		l = &lossCount{}
	}
	l.records++
	l.bytes += bytes
	return l
}

// message is what the stream says of its loss.
func (l *lossCount) message() string {
	return fmt.Sprintf("lamina: %d log events (%d bytes) were dropped: they came faster than a log stream may write\n", l.records, l.bytes)
}
