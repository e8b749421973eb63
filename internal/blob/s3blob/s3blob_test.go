package s3blob_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/blobtest"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
)

func TestMain(m *testing.M) {
	failpointtest.BeVictim(carryOutAsTold)
	goleak.VerifyTestMain(m)
}

func options(t *testing.T, s *s3test.Store) s3blob.Options {
	return s3blob.Options{Bucket: s.Bucket, Prefix: "team/lamina", Endpoint: s.URL, Scratch: t.TempDir()}
}

func TestSuite(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) func() (blob.Driver, error) {
		o := options(t, s3test.Start(t))
		return func() (blob.Driver, error) { return s3blob.Open(t.Context(), o) }
	})
}
