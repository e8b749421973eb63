package archive_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambdatest"
)

func TestForms(t *testing.T) {
	for _, f := range lambdatest.Forms() {
		t.Run(f.Name, func(t *testing.T) {
			got, err := readAll(open(t, f.Zip, archive.Limits{}))
			if diff := cmp.Diff(f.Want, got); err != nil || diff != "" {
				t.Errorf("content (-want +got, %v):\n%s", err, diff)
			}
		})
	}
}

// allocated gives how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestManyEntries wants memory that grows with the entries, by less than a page for each.
func TestManyEntries(t *testing.T) {
	const n = 200_000
	zip := lambdatest.Many(n)
	lim := archive.Limits{Entries: n}
	var a *archive.Archive
	if got := allocated(func() { a = open(t, zip, lim) }); got > n*4096 {
		t.Errorf("Open of %d entries allocated %d bytes", n, got)
	}
	if got := len(a.Entries()); got != n+n/1000 {
		t.Errorf("%d entries, want %d and their directories", got, n)
	}
	lim.Entries = n - 1
	var refused *archive.Error
	if _, err := archive.Open(bytes.NewReader(zip), int64(len(zip)), lim); !errors.As(err, &refused) || refused.Reason != archive.Unsafe {
		t.Errorf("one more than may be: %v, want unsafe", err)
	}
}

// TestHugeDirectory wants that what the directory holds beside the entries is not kept.
func TestHugeDirectory(t *testing.T) {
	const n = 200
	zip := lambdatest.HugeDirectory(n)
	var a *archive.Archive
	if got := allocated(func() { a = open(t, zip, archive.Limits{}) }); got > 2<<20 {
		t.Errorf("Open of a directory of %d bytes allocated %d", len(zip), got)
	}
	if got := len(a.Entries()); got != n+1 {
		t.Errorf("%d entries, want %d", got, n+1)
	}
}
