package daemon

import "time"

// now is the one wall clock; everybody else is handed it.
func now() time.Time { return time.Now() }
