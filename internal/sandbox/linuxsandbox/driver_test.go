package linuxsandbox_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
)

func TestMain(m *testing.M) {
	if os.Args[0] == helper.Name {
		helper.Main()
	}
	os.Exit(m.Run())
}

func root() []sandbox.Mount {
	return []sandbox.Mount{
		{Target: "/usr", Bind: "/usr"},
		{Target: "/bin", Link: "usr/bin"},
		{Target: "/lib", Link: "usr/lib"},
		{Target: "/lib64", Link: "usr/lib64"},
		{Target: "/opt", Overlay: nil},
	}
}

func TestSmoke(t *testing.T) {
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx := context.Background()
	for range 5 {
		a := time.Now()
		s, err := d.Create(ctx, sandbox.Spec{ID: "a", Account: "0", Root: root(), TmpSize: 1 << 20, Memory: 128 << 20, Processes: 100, LocalAddrs: []string{"169.254.100.1"}})
		if err != nil {
			t.Fatal(err)
		}
		r, w, _ := os.Pipe()
		b := time.Now()
		p, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/sh", Args: []string{"sh", "-c", "id; cat /proc/self/status | grep -e Cap -e NoNew -e Sec; ls -la / /usr /dev; cat /proc/mounts; ulimit -a; ls -la /proc/self/fd; ps ax"}, Dir: "/", Stdout: w, Stderr: w})
		if err != nil {
			t.Fatal(err)
		}
		c := time.Now()
		w.Close()
		out, _ := io.ReadAll(r)
		e, err := p.Wait(ctx)
		t.Logf("%s %v %v %+v", out, e, err, s.Usage())
		e2 := time.Now()
		s.Close()
		t.Logf("create %v spawn %v close %v", b.Sub(a), c.Sub(b), time.Since(e2))
	}
}
