package helper

import (
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// spareThreads is how many threads the Go runtime may come to need beside those that run when the sandbox is set up: for
// calls that block at the same time, and for the garbage collector.
const spareThreads = 4

// makeThreads has the Go runtime make its threads now; it keeps them when they are idle. Later there might be no room:
// a fork bomb takes all the processes of the sandbox, and a Go program that cannot make a thread ends. Where the helper's
// threads are not among these there will be room, and a start is faster without.
func makeThreads() error {
	if os.Getuid() == 0 && !slices.Contains(os.Args, initproto.SharesLimit) {
		return nil
	}
	var blocked, ended sync.WaitGroup
	release := make(chan struct{})
	for range spareThreads {
		blocked.Add(1)
		ended.Go(func() {
			// A goroutine that is locked to its thread takes the thread along when it waits.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			blocked.Done()
			<-release
		})
	}
	blocked.Wait()
	close(release)
	ended.Wait()
	return nil
}
