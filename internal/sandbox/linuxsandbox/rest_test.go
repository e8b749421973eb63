package linuxsandbox_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
	"github.com/laminadev/lamina/internal/sandbox/sandboxtest"
)

// restAtOnce makes processes that the suite starts have sandboxes that rest whenever they are asked nothing.
const restAtOnce = "LAMINA_TEST_REST_AT_ONCE"

func restingSuite() sandboxtest.Suite {
	s := suite(linuxsandbox.Options{})
	s.Rests = true
	open := s.Open
	s.Open = func(dir string) (sandbox.Driver, error) {
		d, err := open(dir)
		if err == nil {
			linuxsandbox.RestAtOnce(d.(*linuxsandbox.Driver))
		}
		return d, err
	}
	return s
}

// restingDriver gives a driver whose sandboxes rest at once. CI builds the small helper first and runs as root, so there no test
// that asks for it is skipped.
func restingDriver(t *testing.T) *linuxsandbox.Driver {
	t.Helper()
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if !linuxsandbox.RestAtOnce(d) {
		t.Skip("NOT RUN: PID 1 cannot rest in a program that was built without the small helper (make helper)")
	}
	return d
}

// TestSandboxResting runs the suite over sandboxes whose PID 1 has gone to rest before each thing that it is asked.
func TestSandboxResting(t *testing.T) {
	restingDriver(t)
	if os.Getuid() != 0 && os.Getenv(sandboxtest.SubordinateVariable) == "" {
		t.Skip("NOT RUN: PID 1 rests where it has a user of its own, as root or with subordinate IDs")
	}
	t.Setenv(restAtOnce, "1")
	sandboxtest.Run(t, restingSuite())
}

// TestSandboxRestingSubordinate runs them as an ordinary user who has subordinate IDs. With one ID only, PID 1 does not rest.
func TestSandboxRestingSubordinate(t *testing.T) {
	sandboxtest.RunWithSubordinateIDs(t, "TestSandboxResting")
}

// TestRest sees PID 1 rest, how little that takes, and what is started before and after it.
func TestRest(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: PID 1 rests where it has a user of its own, as root; TestSandboxRestingSubordinate has that too")
	}
	d := restingDriver(t)
	ctx := t.Context()
	s, err := d.Create(ctx, sandbox.Spec{ID: "rest", Account: "000000000000", Root: runtimes.DefaultRoot(), Processes: 64, TmpSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		p, err := s.Spawn(ctx, sandbox.Command{Path: "/bin/sh", Args: []string{"sh", "-c", "read line <&3; exit $line"}, ExtraFiles: []*os.File{in}})
		in.Close()
		if err != nil {
			t.Fatal(err)
		}
		pid := awaitRest(t)
		if got := anonymousKB(t, pid); got > 64 {
			t.Errorf("PID 1 has %d kB of its own while it rests, more than 64", got)
		}
		if _, err := out.WriteString("7\n"); err != nil {
			t.Fatal(err)
		}
		exit, err := p.Wait(ctx)
		if err != nil || exit.Code != 7 || time.Since(exit.Time).Abs() > time.Minute {
			t.Errorf("a process that ended while PID 1 rested: %+v, %v; want code 7, now", exit, err)
		}
		if awaitRest(t) != pid {
			t.Error("PID 1 is another process")
		}
	}
}

// awaitRest waits until a child of this process is a PID 1 that rests.
func awaitRest(t *testing.T) string {
	t.Helper()
	for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(time.Millisecond) {
		lists, _ := filepath.Glob("/proc/self/task/*/children")
		for _, list := range lists {
			children, _ := os.ReadFile(list)
			for _, pid := range strings.Fields(string(children)) {
				line, _ := os.ReadFile("/proc/" + pid + "/cmdline")
				if strings.HasPrefix(string(line), "lamina-init\x00rest\x00") {
					return pid
				}
			}
		}
	}
	t.Fatal("no PID 1 has come to rest")
	return ""
}

// anonymousKB is the memory that a process has beside its program's file.
func anonymousKB(t *testing.T, pid string) int {
	t.Helper()
	data, err := os.ReadFile("/proc/" + pid + "/smaps_rollup")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "\nAnonymous:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
