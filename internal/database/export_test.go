package database

import (
	"testing"
	"time"
)

// SetIdleTimeout makes PostgreSQL impatient with transactions of connections that are made from now on.
func SetIdleTimeout(t *testing.T, d time.Duration) {
	old := idleTimeout
	idleTimeout = d
	t.Cleanup(func() { idleTimeout = old })
}
