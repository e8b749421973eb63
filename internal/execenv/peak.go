package execenv

import "time"

// peakStays is for how long a peak of memory that was read counts for invocations that follow, when they are shorter than
// that themselves: to read it takes longer than all else that a REPORT needs, and in so short a time no function takes much.
const peakStays = 2 * time.Millisecond

// peak is the most memory that an environment has taken, when it was read last. The environment's owner alone uses it.
type peak struct {
	bytes int64
	read  time.Time
}

// peak is the most memory that the invocation's environment has taken so far.
func (r *run) peak() int64 {
	p := &r.e.peak
	now := time.Now()
	if r.fault != nil || r.inv.LogTail || r.elapsed >= peakStays || now.Sub(p.read) >= peakStays {
		*p = peak{r.e.box.Usage().Peak, now}
	}
	return p.bytes
}
