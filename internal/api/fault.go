package api

import (
	"sync"
	"time"
)

// faultEvery is how often the log says that this machine still lacks the same thing: every request meets it.
const faultEvery = time.Minute

// faults remembers when the log said last what this machine lacks.
type faults struct {
	mu   sync.Mutex
	said map[string]time.Time
}

// first reports whether a text is to be said at a time. "", which is no fault of the machine, always is.
func (f *faults) first(text string, at time.Time) bool {
	if text == "" {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	last, said := f.said[text]
	if since := at.Sub(last); said && since >= 0 && since < faultEvery { // a clock that was set back says it again
		return false
	}
	if f.said == nil {
		f.said = map[string]time.Time{}
	}
	f.said[text] = at
	return true
}
