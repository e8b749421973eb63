package daemon_test

import (
	"context"
	"errors"
	"testing"

	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/sandbox"
)

// machine makes sandboxes without a network only.
type machine struct {
	sandbox.Driver
	closed  bool
	creates int
	broken  bool // or none at all
}

func (m *machine) CloseOutside() { m.closed = true }

func (m *machine) Create(context.Context, sandbox.Spec) (sandbox.Sandbox, error) {
	m.creates++
	if m.broken || !m.closed {
		return nil, errors.New("no")
	}
	return nil, nil
}

// TestRunWithoutNetwork: a run on a machine that cannot give functions a network goes on without, and tries that once.
func TestRunWithoutNetwork(t *testing.T) {
	for _, tc := range []struct {
		name    string
		broken  bool
		creates int
	}{{"no network", false, 3}, {"nothing works", true, 3}} {
		t.Run(tc.name, func(t *testing.T) {
			m := &machine{broken: tc.broken}
			d := daemon.Hopeful(m)
			for range 2 {
				if _, err := d.Create(t.Context(), sandbox.Spec{}); (err != nil) != tc.broken {
					t.Errorf("got %v", err)
				}
			}
			if m.creates != tc.creates || !m.closed {
				t.Errorf("%d were made, without a network: %v", m.creates, m.closed)
			}
		})
	}
}
