package daemon

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

const invocations = "/2015-03-31/functions/f/invocations"

// sequenced is a sequence, and what calls it. It is looked at every so often.
func sequenced(t *testing.T, every time.Duration) (s *sequence, call func(path string)) {
	t.Helper()
	t.Setenv("GOMAXPROCS", "")
	runtime.SetDefaultGOMAXPROCS()
	s = newSequence()
	s.every = every
	t.Cleanup(s.close)
	h := s.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	call = func(path string) { h.ServeHTTP(nil, httptest.NewRequest(http.MethodPost, path, nil)) }
	for range longStreak + 1 {
		if s.alone.Load() {
			t.Fatal("it begins too early")
		}
		call(invocations)
	}
	if every == never && (!s.alone.Load() || runtime.GOMAXPROCS(0) != 2) {
		t.Fatalf("after %d invocations Go has %d processors", longStreak+1, runtime.GOMAXPROCS(0))
	}
	return s, call
}

// never is for a machine that is too busy to go on within a pause.
const never = time.Hour

func wantAll(t *testing.T, s *sequence, when string) {
	t.Helper()
	if s.alone.Load() {
		t.Errorf("%s it goes on", when)
	}
	s.work.Wait() // nobody occupies a processor
	changed := runtime.GOMAXPROCS(0)
	runtime.SetDefaultGOMAXPROCS()
	if all := runtime.GOMAXPROCS(0); changed != all {
		t.Errorf("%s Go has %d processors of %d", when, changed, all)
	}
}

// eventually waits for what the watch does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not happen: %s", what)
		}
	}
}

func TestSequenceEndsWithAnotherRequest(t *testing.T) {
	for name, path := range map[string]string{
		"another function":    "/2015-03-31/functions/g/invocations",
		"a layer":             "/2018-10-31/layers/l/versions",
		"lamina's own":        "/lamina/v1/status",
		"a list of functions": "/2015-03-31/functions",
	} {
		t.Run(name, func(t *testing.T) {
			s, call := sequenced(t, never)
			call(path)
			wantAll(t, s, "after a request for "+name)
		})
	}
}

func TestSequenceEndsWithASecondRequest(t *testing.T) {
	s, _ := sequenced(t, never)
	inside, out := make(chan bool), make(chan bool)
	slow := s.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		inside <- true
		<-out
	}))
	request := func() { slow.ServeHTTP(nil, httptest.NewRequest(http.MethodPost, invocations, nil)) }
	go request()
	<-inside
	if !s.alone.Load() {
		t.Error("a sequence does not last")
	}
	go request()
	<-inside
	wantAll(t, s, "with two requests")
	out <- true
	out <- true
}

func TestSequenceEndsWithAPause(t *testing.T) {
	s, _ := sequenced(t, watchEvery)
	eventually(t, "all processors after a pause", func() bool { return !s.alone.Load() })
	wantAll(t, s, "after a pause")
}

func TestSequenceEndsWhenTheServerComputes(t *testing.T) {
	s, call := sequenced(t, watchEvery)
	var done atomic.Bool
	defer done.Store(true)
	for range 2 {
		go func() {
			for !done.Load() {
			}
		}()
	}
	eventually(t, "all processors while the server computes", func() bool {
		alone := s.alone.Load()
		if alone {
			call(invocations) // there is no pause
		}
		return !alone
	})
}

func TestSequenceCloses(t *testing.T) {
	s, call := sequenced(t, never)
	s.close()
	wantAll(t, s, "closed")
	for range 2 * longStreak {
		call(invocations)
	}
	wantAll(t, s, "closed for good")
}

// A user who says how many processors Go has keeps them.
func TestSequenceOfAUserWithGOMAXPROCS(t *testing.T) {
	t.Setenv("GOMAXPROCS", "2")
	if newSequence() != nil {
		t.Error("GOMAXPROCS is set, and it would change")
	}
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	var none *sequence
	none.wrap(h).ServeHTTP(nil, nil)
	none.close()
}

// Garbage is collected while a sequence lasts.
func TestSequenceLetsGoStopEverything(t *testing.T) {
	s, call := sequenced(t, never)
	for range 20 {
		runtime.GC()
		call(invocations)
	}
	if !s.alone.Load() {
		t.Error("a collection ended it")
	}
}
