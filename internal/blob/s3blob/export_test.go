package s3blob

import (
	"testing"
	"time"
)

// SetPartSize makes parts small.
func SetPartSize(t *testing.T, n int64) {
	old := partSize
	partSize = n
	t.Cleanup(func() { partSize = old })
}

// SetFresh makes generations old sooner.
func SetFresh(t *testing.T, d time.Duration) {
	old := fresh
	fresh = d
	t.Cleanup(func() { fresh = old })
}
