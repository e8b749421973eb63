package linuxsandbox

import (
	"context"

	"github.com/laminadev/lamina/internal/sandbox"
)

// Probe implements sandbox.Driver.
func (d *Driver) Probe(ctx context.Context) []sandbox.Finding { return nil }
