package runtimes

import (
	"context"

	"github.com/laminadev/lamina/internal/lambda"
)

// Install is what Add does when it has found out what to install: fill puts it into a folder.
func (s *Set) Install(ctx context.Context, r lambda.Runtime, fill func(dir string) error) error {
	return s.install(ctx, s.sdkPath(r), fill, sdkRecord{Version: "boto3 1.0.0", Requirements: "none"})
}
