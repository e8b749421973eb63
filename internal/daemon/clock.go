package daemon

import "time"

// wall is what now asks. Tests put a clock of their own in its place, before anything runs.
var wall = time.Now

// now is the one wall clock; everybody else is handed it. Differences of its times are those of the monotonic clock, which no step
// of the wall clock changes.
func now() time.Time { return wall() }
