package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

// sandbox asks the sandbox driver what it can do.
func (x *examination) sandbox(ctx context.Context) {
	driver, err := x.driver()
	if err != nil {
		x.report(Check{Name: "sandbox", State: Failed, Detail: err.Error()})
		return
	}
	defer driver.Close()
	for _, f := range driver.Probe(ctx) {
		x.report(checkOf(f))
	}
}

func checkOf(f sandbox.Finding) Check {
	c := Check{f.Name, Works, f.Detail, f.Degrade, f.Fix}
	switch {
	case f.OK:
	case f.Degrade != "":
		c.State = Degraded
	default:
		c.State = Failed
	}
	return c
}

func (x *examination) driver() (*linuxsandbox.Driver, error) {
	if err := os.MkdirAll(x.scratch("sandboxes"), 0o755); err != nil {
		return nil, err
	}
	return linuxsandbox.New(linuxsandbox.Options{StateDir: x.scratch("sandboxes"), Helper: x.cfg.Helper, Outside: outside(x.cfg), Log: slog.New(slog.DiscardHandler)})
}

// whole makes a sandbox as an execution environment has one, and runs a program in it: the newest python, or else a shell.
func (x *examination) whole(ctx context.Context) {
	c := Check{Name: "whole sandbox", State: Works}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	ran, err := x.runOne(ctx)
	if err != nil {
		c.State, c.Detail = Failed, err.Error()
	} else {
		c.Detail = fmt.Sprintf("%s ran in one, with two layers at /opt, in %d ms", ran, time.Since(began).Milliseconds())
	}
	x.report(c)
}

// trial is a program that looks at what functions need: two layers merged at /opt, the later one on top, and a /tmp of its own.
type trial struct {
	name    string
	mounts  []sandbox.Mount
	command []string
}

func (x *examination) trial(ctx context.Context) (_ trial, release func(), err error) {
	set := runtimes.New(runtimes.Options{Dir: x.scratch("runtimes")})
	t := trial{name: "/bin/sh", command: []string{"/bin/sh", "-c", `test "$(cat /opt/both)" = later && test -f /opt/first && echo x >/tmp/x`}}
	release = func() {}
	if name, ok := newest(ctx, set); ok {
		r, err := set.Resolve(ctx, name)
		if err != nil {
			return t, release, err
		}
		const script = `import json, socket; assert open("/opt/both").read() == "later"; open("/opt/first"); open("/tmp/x", "w").write("x")`
		t = trial{string(name) + " (" + r.Version + ")", r.Mounts, []string{r.Bootstrap[0], "-c", script}}
		release = r.Release
	}
	layers, err := x.layers()
	t.mounts = append(append(runtimes.DefaultRoot(), t.mounts...), sandbox.Mount{Target: "/opt", Overlay: layers})
	return t, release, err
}

// layers makes two small ones where the data folder is, so that its file system is the one that is tried.
func (x *examination) layers() (lowers []string, err error) {
	for _, l := range []struct{ layer, file, text string }{
		{"later", "both", "later"}, {"earlier", "both", "earlier"}, {"earlier", "first", ""},
	} {
		file := filepath.Join(x.scratch("layers"), l.layer, l.file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(l.text), 0o644); err != nil {
			return nil, err
		}
	}
	return []string{filepath.Join(x.scratch("layers"), "later"), filepath.Join(x.scratch("layers"), "earlier")}, nil
}

func (x *examination) runOne(ctx context.Context) (ran string, err error) {
	t, release, err := x.trial(ctx)
	defer release()
	if err != nil {
		return "", err
	}
	driver, err := x.driver()
	if err != nil {
		return "", err
	}
	defer driver.Close()
	if err := driver.Recover(ctx); err != nil {
		return "", err
	}
	box, err := driver.Create(ctx, sandbox.Spec{
		ID: "doctor", Account: x.cfg.Account, Root: t.mounts, TmpSize: lambda.DefaultStorageSize << 20,
		Memory: lambda.DefaultMemorySize << 20, Processes: lambda.MaxProcesses, LocalAddrs: []string{"169.254.100.1"},
	})
	if err != nil {
		return "", fmt.Errorf("a sandbox cannot be made: %w", err)
	}
	defer box.Close()
	ln, err := box.Listen(ctx, "169.254.100.1:9001")
	if err != nil {
		return "", fmt.Errorf("nothing can listen in the sandbox: %w", err)
	}
	defer ln.Close()
	return t.name, runIn(ctx, box, t.command)
}

// runIn runs a command in a sandbox; what it says is part of the error when it fails.
func runIn(ctx context.Context, box sandbox.Sandbox, command []string) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	p, err := box.Spawn(ctx, sandbox.Command{
		Path: command[0], Args: command, Env: []string{"PATH=/var/lang/bin:/usr/bin:/bin", "LANG=en_US.UTF-8"}, Dir: "/tmp", Stdout: w, Stderr: w,
	})
	w.Close()
	if err != nil {
		return fmt.Errorf("%s cannot be started in the sandbox: %w", command[0], err)
	}
	var said bytes.Buffer
	io.Copy(&said, io.LimitReader(r, 4096)) // ends with the last holder of the pipe's other end
	exit, err := p.Wait(ctx)
	switch {
	case err != nil:
		return err
	case exit.Code != 0 || exit.Signal != 0:
		return errors.New(command[0] + " in the sandbox: " + exit.String() + ": " + lastLine(said.String()))
	}
	return nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
