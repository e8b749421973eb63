package execenv_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRetireOlder ends what is older than the newest revision that another server knows of, and nothing else.
func TestRetireOlder(t *testing.T) {
	b := newBench(t)
	rev := b.revision("state")
	b.invoke(rev, "a", "1", true)
	if diff := cmp.Diff([]string{rev.FunctionID}, b.pool.Functions()); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	for _, newest := range []int64{rev.Number - 1, rev.Number} {
		b.pool.RetireOlder(rev.FunctionID, newest)
	}
	b.pool.RetireOlder("another function", rev.Number+1)
	check(t, "payload", string(b.invoke(rev, "b", "1", true).Payload), `{"calls":2,"marker":true}`)
	b.pool.RetireOlder(rev.FunctionID, rev.Number+1)
	check(t, "ended", b.ended(), b.driver.last().spec.ID)
}
