package diskblob

import (
	"context"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// Renew makes a blob young. It is not deleted meanwhile, as in Commit.
func (d *Driver) Renew(_ context.Context, sum digest.Digest) error {
	path := d.path(sum)
	err := inShard(filepath.Dir(path), unix.LOCK_SH, func() error { return failpoint.Touch("diskblob.renew", path) })
	if err != nil {
		return fmt.Errorf("cannot renew blob %s: %w", sum, err)
	}
	return nil
}
