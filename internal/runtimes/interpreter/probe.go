package interpreter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// probeTime bounds one question to an interpreter: a shim may hang or wait for input.
const probeTime = 10 * time.Second

// Describe runs an interpreter, or a shim that starts one, with a script that prints JSON, and reads that into v. Of this
// process's variables it gets PATH, HOME, and those that are named.
func Describe(ctx context.Context, path string, args, variables []string, v any) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var out, diag bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C.UTF-8"}
	for _, name := range append([]string{"PATH", "HOME"}, variables...) {
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	cmd.Stdout, cmd.Stderr = &out, &diag
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot run %s: %w: %s", path, err, FirstLine(diag.String()))
	}
	if err := json.Unmarshal(out.Bytes(), v); err != nil {
		return fmt.Errorf("%s does not answer as an interpreter: %w", path, err)
	}
	return nil
}

// FirstLine is the first line of what a program said.
func FirstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
