package logstream

import (
	"time"

	"github.com/laminadev/lamina/internal/telemetry"
)

// maxStreams bounds how many streams the writer remembers; one that was forgotten continues in its last segment.
const maxStreams = 4096

// run writes the queue until Close.
func (s *Store) run() {
	defer close(s.done)
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for {
		var flushed chan struct{}
		select {
		case <-s.kick:
		case flushed = <-s.flushes:
		case <-s.stop:
			s.write()
			return
		}
		if flushed == nil {
			timer.Reset(linger)
			select {
			case <-timer.C:
			case flushed = <-s.flushes:
			case <-s.stop:
			}
		}
		s.write()
		if flushed != nil {
			close(flushed)
		}
	}
}

// write takes the whole queue and appends it to the streams' files.
func (s *Store) write() {
	s.mu.Lock()
	events, lost := s.queue, s.lost
	s.queue, s.room, s.queued = s.room, nil, 0
	if len(lost) > 0 {
		s.lost = map[*telemetry.Source]*lossCount{}
	}
	s.mu.Unlock()
	if len(events) == 0 && len(lost) == 0 {
		return
	}
	touched := s.encode(events, lost)
	s.room = roomOf(events)
	var changed []string
	for _, st := range touched {
		if err := st.flush(); err != nil {
			s.log.Error("cannot write a log stream", "stream", st.name.stream, "error", err)
			continue
		}
		changed = append(changed, st.path())
	}
	s.followers.tell(changed)
	s.forget()
}

// maxRoom is how many events the room holds that is kept for the next ones.
const maxRoom = 1024

// roomOf gives the room of events that were written, without what they hold on to.
func roomOf(events []telemetry.Event) []telemetry.Event {
	if cap(events) > maxRoom {
		return nil
	}
	clear(events)
	return events[:0]
}

// encode turns events into the bytes of their streams and gives the streams that have some.
func (s *Store) encode(events []telemetry.Event, lost map[*telemetry.Source]*lossCount) []*stream {
	now := s.now()
	var touched []*stream
	touch := func(src *telemetry.Source) *stream {
		st := s.stream(src, now)
		if len(st.buf) == 0 {
			touched = append(touched, st)
		}
		return st
	}
	for _, e := range events {
		text := telemetry.Line(e)
		if text == "" {
			continue
		}
		st := touch(e.Source)
		if e.Type == telemetry.TypeFunction && !st.allow(len(text), now) {
			st.lost = st.lost.add(len(text))
			continue
		}
		st.settleLoss(now)
		st.append(e.Time, text)
	}
	for src, l := range lost {
		st := touch(src)
		st.lost = merge(st.lost, l)
	}
	for _, st := range touched {
		st.settleLoss(now)
	}
	return touched
}

func (s *Store) stream(src *telemetry.Source, now time.Time) *stream {
	st := s.streams[src]
	if st == nil {
		st = newStream(s.dir, src, now)
		s.streams[src] = st
	}
	st.used = now
	return st
}

// forget drops the streams that were not written for the longest time when there are too many: their environments are gone.
func (s *Store) forget() {
	for len(s.streams) > maxStreams {
		var oldest *telemetry.Source
		for src, st := range s.streams {
			if oldest == nil || st.used.Before(s.streams[oldest].used) {
				oldest = src
			}
		}
		delete(s.streams, oldest)
	}
}

func merge(a, b *lossCount) *lossCount {
	if a == nil {
		return b
	}
	a.records += b.records
	a.bytes += b.bytes
	return a
}
