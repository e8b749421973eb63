package daemon

import (
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sequence makes Go leave threads alone while all that the server does is to invoke one function, one time after the other. An
// invocation passes through a few goroutines, of which one only runs when the other waits. At each of these steps Go wakes a thread
// in case that there is more to do, if it has another processor (a P of its scheduler) that is idle, and the thread that watches
// over the others, if all of its processors were idle. The runtime waits for the processors of the machine that these threads run
// on, and waking them takes longer than the work: all of it is a quarter of a warm invocation, and half of the server's processor
// time.
//
// So Go gets two processors, and one of them is neither idle nor used: a goroutine sleeps on it, without Go's knowing. That
// goroutine wakes up to see whether the sequence goes on, and steps aside when Go stops everything, to collect garbage.
//
// A sequence ends at once with a second request or one for something else, and soon after a pause, or when the server computes.
type sequence struct {
	every time.Duration // of looks

	running atomic.Int64  // requests
	streak  atomic.Int64  // invocations since something else happened
	alone   atomic.Bool   // it is a sequence
	path    atomic.Value  // of the last invocation; a string
	began   atomic.Uint64 // counts requests, for the watch

	mu    sync.Mutex // guards the switch, and what follows
	ended bool
	wake  int // an eventfd that ends the watch
	work  sync.WaitGroup
}

const (
	// longStreak is how many invocations make a sequence.
	longStreak = 32
	// watchEvery is how often is looked whether the sequence goes on. Go interrupts what runs for 10 ms.
	watchEvery = 9 * time.Millisecond
	// mostBusy is the part of the time, in percent, that a sequence leaves the server at most: the rest is the runtime's.
	mostBusy = 80
	// longPause is how many looks without an invocation end a sequence.
	longPause = 11
	// collecting is how long Go has both processors after it has stopped everything.
	collecting = 20 * time.Millisecond
)

// newSequence gives nil, which does nothing, where the user has said how many processors Go has.
func newSequence() *sequence {
	if os.Getenv("GOMAXPROCS") != "" {
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
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return // there are better uses for the last descriptors
	}
	runtime.GOMAXPROCS(2)
	s.alone.Store(true)
	s.wake = wake
	s.work.Go(func() { s.watch(wake) })
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
	unix.Write(s.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	runtime.SetDefaultGOMAXPROCS()
}

// watch occupies a processor until the sequence ends, and ends it when no invocation comes any more, or the server computes.
func (s *sequence) watch(wake int) {
	defer unix.Close(wake)
	pause, began, used, last := 0, s.began.Load(), processorTime(), time.Now()
	for s.alone.Load() {
		interrupted := occupy(wake, s.every)
		if interrupted {
			time.Sleep(collecting)
		}
		now := time.Now()
		wasBegan, wasUsed, passed := began, used, now.Sub(last)
		began, used, last = s.began.Load(), processorTime(), now
		if pause++; began != wasBegan || interrupted {
			pause = 0
		}
		if pause == longPause || !interrupted && (used-wasUsed)*100 > passed*mostBusy {
			s.leave()
		}
	}
}

// occupy sleeps on the processor of its goroutine, so that nothing else has it. It says whether Go has interrupted it, which it does to
// stop everything.
func occupy(wake int, most time.Duration) (interrupted bool) {
	files := [1]unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}}
	timeout := unix.NsecToTimespec(most.Nanoseconds())
	// A raw call is one that Go does not know to sleep.
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&files)), 1, uintptr(unsafe.Pointer(&timeout)), 0, 0, 0)
	runtime.Gosched()
	return errno == unix.EINTR
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
