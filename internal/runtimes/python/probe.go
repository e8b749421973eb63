package python

import (
	"context"
	_ "embed"
	"fmt"
	"path/filepath"

	"github.com/laminadev/lamina/internal/runtimes/interpreter"
)

//go:embed probe.py
var probeScript string

// ask lets an interpreter, or a shim that starts one, describe itself, and fails when a sandbox could not run it.
func ask(ctx context.Context, path string) (in Interpreter, err error) {
	// -I and -S: neither variables, nor the working folder, nor the host's packages have a say.
	if err := interpreter.Describe(ctx, path, []string{"-I", "-S", "-c", probeScript}, []string{"PYENV_ROOT"}, &in); err != nil {
		return in, err
	}
	return in, usable(in)
}

func usable(in Interpreter) error {
	if in.Minor < OldestMinor || in.Minor > NewestMinor {
		return fmt.Errorf("%s is not a supported version", in.Version)
	}
	if err := interpreter.Usable(in.Path, in.Libraries, in.Prefix); err != nil {
		return err
	}
	return interpreter.Readable(filepath.Join(in.Stdlib, "os.py"))
}
