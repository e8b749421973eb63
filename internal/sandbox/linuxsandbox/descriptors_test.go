package linuxsandbox_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// Whichever descriptors come and go in the server, the child that becomes the helper must find the helper's program: while
// it puts its own descriptors in place it overwrites some that it has from the server.
func TestStartWhileDescriptorsComeAndGo(t *testing.T) {
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for { // as many as make the next ones come close to that of the program
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Fd() >= 11 {
			break
		}
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	defer busy.Wait()
	defer close(stop)
	for range 4 {
		busy.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if f, err := os.Open(os.DevNull); err == nil {
					f.Close()
				}
			}
		})
	}
	for i := range 60 {
		box, err := d.Create(t.Context(), sandbox.Spec{ID: fmt.Sprintf("descriptors-%d", i), Account: "000000000000", TmpSize: 1 << 20})
		if err != nil {
			t.Fatalf("sandbox %d: %v", i, err)
		}
		if err := box.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
