package e2e_test

import (
	"os"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/database/pgtest"
)

// shared are the scripts that run once more on PostgreSQL and S3: the main journeys, and what reads zips back.
var shared = []string{"three-layers", "layer-publish", "version-alias", "serve-restart", "download-location", "postgres"}

// TestShared runs scripts against a server that keeps its records in PostgreSQL and its zips in S3, each in places of its own.
func TestShared(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	store := s3test.Run(t)
	keys := strings.Join(s3test.Environ(t.TempDir()), " ")
	for _, script := range shared {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			database := pgtest.URL(t)
			e.run(t, e.aws1, files([]string{script}), map[string]string{
				"DATABASE":    database,
				"SERVE_FLAGS": "--database " + database + " --blob " + store.Blob(script),
				"SERVE_ENV":   keys,
			})
		})
	}
}
