package runtimetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Process is how a test starts a bootstrap.
type Process struct {
	Path    string            // of the interpreter
	Args    []string          // that start the bootstrap
	Name    string            // of the runtime
	Runtime string            // the folder of the bootstrap
	Task    map[string]string // files of the function
	TaskDir string            // set by Run
	Handler string
	Env     []string
	Framed  bool // it has the log descriptor
}

// Outcome is what a process left behind.
type Outcome struct {
	Posts  []Post
	Output string // stdout and stderr
	Frames string // what came on the log descriptor
	Exit   int    // -1: it waited for more, and was ended by the test
}

// Run starts the bootstrap against an API and waits until it ends or has nothing to do.
func (p *Process) Run(t *testing.T, a *API) Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p.writeTask(t)
	var out, frames bytes.Buffer
	cmd := exec.CommandContext(ctx, p.Path, p.Args...)
	cmd.Dir, cmd.Env = p.TaskDir, p.environment(a)
	cmd.Stdout, cmd.Stderr = &out, &out
	copied := make(chan struct{})
	close(copied)
	if p.Framed {
		copied = takeFrames(t, cmd, &frames)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, w := range cmd.ExtraFiles {
		w.Close()
	}
	exit := wait(t, cmd, a.Idle)
	if ctx.Err() != nil {
		t.Fatalf("the runtime hangs; it printed:\n%s", out.String())
	}
	<-copied
	a.mu.Lock()
	defer a.mu.Unlock()
	return Outcome{Posts: a.posts, Output: out.String(), Frames: frames.String(), Exit: exit}
}

// writeTask makes the function's folder.
func (p *Process) writeTask(t *testing.T) {
	t.Helper()
	p.TaskDir = t.TempDir()
	for name, text := range p.Task {
		file := filepath.Join(p.TaskDir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *Process) environment(a *API) []string {
	return append([]string{
		"PATH=/usr/bin:/bin", "LANG=en_US.UTF-8", "AWS_LAMBDA_RUNTIME_API=" + a.Address,
		"LAMBDA_TASK_ROOT=" + p.TaskDir, "LAMBDA_RUNTIME_DIR=" + p.Runtime, "_HANDLER=" + p.Handler,
		"AWS_LAMBDA_FUNCTION_NAME=fn", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/fn", "AWS_LAMBDA_LOG_STREAM_NAME=stream",
		"AWS_EXECUTION_ENV=AWS_Lambda_" + p.Name,
	}, p.Env...)
}

// takeFrames gives a command the log descriptor, and copies what comes there until the channel is closed.
func takeFrames(t *testing.T, cmd *exec.Cmd, frames *bytes.Buffer) chan struct{} {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	cmd.ExtraFiles = []*os.File{w}
	cmd.Env = append(cmd.Env, "_LAMBDA_TELEMETRY_LOG_FD=3")
	copied := make(chan struct{})
	go func() {
		io.Copy(frames, r)
		r.Close()
		close(copied)
	}()
	return copied
}

// wait gives the exit code of a process, or ends it when it is idle.
func wait(t *testing.T, cmd *exec.Cmd, idle chan struct{}) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	exit := -1
	var err error
	select {
	case err = <-ended:
		exit = cmd.ProcessState.ExitCode()
	case <-idle:
		cmd.Process.Kill()
		err = <-ended
	}
	if status := (*exec.ExitError)(nil); err != nil && !errors.As(err, &status) {
		t.Fatal(err)
	}
	return exit
}
