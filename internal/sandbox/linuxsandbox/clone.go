package linuxsandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/initproto"
)

// startClone starts the program so that it clones itself into its namespaces, and gives the clone, which is a child of this
// process.
func (p *program) startClone(id identity, args []string, ours *os.File, attr *os.ProcAttr) (*os.Process, error) {
	first, err := p.run(append([]string{helper.ArgClone + id.idMap()}, args...), attr)
	if err != nil {
		return nil, err
	}
	state, err := first.Wait()
	if err != nil {
		return nil, err
	}
	c, err := readCloned(ours)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the helper has not cloned itself (%s): %w", state, err)
	case c.PID == 0:
		return nil, unix.Errno(c.Errno)
	}
	clone, err := os.FindProcess(int(c.PID))
	if err == nil && c.Errno != 0 {
		clone.Wait() // it ends without IDs
		return nil, fmt.Errorf("cannot map its IDs: %w", unix.Errno(c.Errno))
	}
	return clone, err
}

// readCloned reads what the helper says first, and has said when the one that was started has ended.
func readCloned(ours *os.File) (initproto.Cloned, error) {
	var packet [64]byte
	n, _, err := unix.Recvfrom(int(ours.Fd()), packet[:], unix.MSG_DONTWAIT)
	if err != nil {
		return initproto.Cloned{}, err
	}
	m, err := initproto.ParseMessage(packet[:n])
	if err == nil && m.Verb != initproto.VerbCloned {
		err = initproto.ErrMessage
	}
	if err != nil {
		return initproto.Cloned{}, err
	}
	return initproto.ParseCloned(m.Body)
}
