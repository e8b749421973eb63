package linuxsandbox

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRootThatMayNotMount is root as most containers have it: the sandboxes are those of an ordinary user.
func TestRootThatMayNotMount(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root has the capability to give away")
	}
	if !newIdentities().mapped {
		t.Skip("this root may not mount already, or has few IDs")
	}
	mapped := make(chan bool)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&header, &data[0]); err != nil {
			t.Error(err)
		}
		data[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
		if err := unix.Capset(&header, &data[0]); err != nil {
			t.Error(err)
		}
		mapped <- newIdentities().mapped
	}()
	if <-mapped {
		t.Error("root without CAP_SYS_ADMIN would make mounts")
	}
}
