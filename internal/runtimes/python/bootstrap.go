package python

import (
	"embed"
	"sync"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

//go:embed runtime
var runtimeFiles embed.FS

var (
	bootstrap       = interpreter.Bootstrap{Files: runtimeFiles}
	bootstrapDigest = sync.OnceValues(bootstrap.Digest)
)
