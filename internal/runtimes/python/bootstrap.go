package python

import (
	"embed"
	"sync"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

// (A folder is embedded without the files whose names begin with an underscore.)
//
//go:embed runtime runtime/*/__init__.py
var runtimeFiles embed.FS

var (
	bootstrap       = interpreter.Bootstrap{Files: runtimeFiles}
	bootstrapDigest = sync.OnceValues(bootstrap.Digest)
)
