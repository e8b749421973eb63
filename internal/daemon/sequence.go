package daemon

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// sequence keeps Go to one processor while all that the server does is to invoke one function, one time after the other. Each
// invocation passes through a few goroutines, of which one only runs when the other waits. With more processors Go wakes a thread
// at each of these steps, in case that there is more to do, and the runtime waits for the processor that this thread looks for
// work on: that is a tenth of a warm invocation, and a quarter of the server's processor time.
//
// It ends at once with a second request, a request for something else, or a pause, and soon when the server computes.
type sequence struct {
	every   time.Duration // of looks
	running atomic.Int64  // requests
	streak  atomic.Int64  // invocations since something else happened
	alone   atomic.Bool   // Go has one processor
	path    atomic.Value  // of the last invocation; a string
	began   atomic.Uint64 // counts invocations, for the watch

	mu    sync.Mutex // guards the switch, and what follows
	ended bool
	stop  chan struct{} // ends the watch
	work  sync.WaitGroup
}

const (
	// longStreak is how many invocations make a sequence.
	longStreak = 32
	// watchEvery is how often is looked whether the sequence goes on, and whether the server computes.
	watchEvery = 10 * time.Millisecond
	// mostBusy is the part of the time, in percent, that a sequence leaves the server at most: the rest is the runtime's.
	mostBusy = 80
	// longPause is how many looks without an invocation end a sequence.
	longPause = 10
)

// newSequence gives nil, which does nothing, where the user has said how many processors Go has, or there is one.
func newSequence() *sequence {
	if os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 {
		return nil
	}
	return &sequence{every: watchEvery}
}

// wrap sees the requests.
func (s *sequence) wrap(h http.Handler) http.Handler {
	if s == nil {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.begin(r)
		defer s.running.Add(-1)
		h.ServeHTTP(w, r)
	})
}

func (s *sequence) begin(r *http.Request) {
	others := s.running.Add(1) - 1
	s.began.Add(1)
	if last, _ := s.path.Load().(string); others == 0 && last == r.URL.Path && strings.HasSuffix(last, "/invocations") {
		if s.streak.Add(1) >= longStreak && !s.alone.Load() {
			s.enter()
		}
		return
	}
	s.streak.Store(0)
	if others == 0 {
		s.path.Store(r.URL.Path)
	}
	if s.alone.Load() {
		s.leave()
	}
}

func (s *sequence) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || s.alone.Load() || s.running.Load() > 1 {
		return
	}
	runtime.GOMAXPROCS(1)
	s.alone.Store(true)
	s.stop = make(chan struct{})
	s.work.Go(func() { s.watch(s.stop) })
}

func (s *sequence) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaveLocked()
}

func (s *sequence) leaveLocked() {
	if !s.alone.Load() {
		return
	}
	s.alone.Store(false)
	s.streak.Store(0)
	runtime.SetDefaultGOMAXPROCS()
	close(s.stop)
}

// watch ends the sequence when no invocation comes any more, or the server computes.
func (s *sequence) watch(stop <-chan struct{}) {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	pause, began, used := 0, s.began.Load(), processorTime()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case now := <-tick.C:
			wasBegan, wasUsed, passed := began, used, now.Sub(last)
			began, used, last = s.began.Load(), processorTime(), now
			if pause++; began != wasBegan {
				pause = 0
			}
			if pause == longPause || (used-wasUsed)*100 > passed*mostBusy {
				s.leave()
				return
			}
		}
	}
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u) // never fails for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// close gives Go its processors back.
func (s *sequence) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.ended = true
	s.leaveLocked()
	s.mu.Unlock()
	s.work.Wait()
}
