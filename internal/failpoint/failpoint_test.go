package failpoint_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/failpoint"
)

func TestArm(t *testing.T) {
	dir := t.TempDir()
	disarm := failpoint.Arm(failpoint.Fault{Point: "test.mkdir", After: 1, Err: unix.ENOSPC})
	make := func(name string) error { return failpoint.Mkdir("test.mkdir", filepath.Join(dir, name), 0o700) }
	if err := make("a"); err != nil {
		t.Errorf("the hit before: %v", err)
	}
	for range 2 {
		if err := make("b"); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("got %v, want %v", err, unix.ENOSPC)
		}
	}
	if err := failpoint.Hit("test.other"); err != nil {
		t.Errorf("another point: %v", err)
	}
	disarm()
	disarm()
	if err := make("b"); err != nil {
		t.Errorf("after it was disarmed: %v", err)
	}
}

func TestArmEveryPoint(t *testing.T) {
	defer failpoint.Arm(failpoint.Fault{Err: unix.EIO})()
	for _, name := range []string{"test.a", "test.b"} {
		if err := failpoint.Hit(name); !errors.Is(err, unix.EIO) {
			t.Errorf("%s: got %v, want %v", name, err, unix.EIO)
		}
	}
}

func TestWriteFailsHalfway(t *testing.T) {
	defer failpoint.Arm(failpoint.Fault{Point: "test.write", Err: unix.ENOSPC})()
	var b bytes.Buffer
	if n, err := failpoint.Write("test.write", &b, []byte("lambda")); n != 3 || err != unix.ENOSPC || b.String() != "lam" {
		t.Errorf("wrote %d bytes, %q, %v", n, b.String(), err)
	}
	b.Reset()
	if n, err := failpoint.Writer("test.write", &b).Write([]byte("lambda")); n != 3 || err != unix.ENOSPC || b.String() != "lam" {
		t.Errorf("a writer wrote %d bytes, %q, %v", n, b.String(), err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := failpoint.WriteFd("test.write", int(f.Fd()), []byte("lambda")); err != unix.ENOSPC {
		t.Errorf("got %v, want %v", err, unix.ENOSPC)
	}
	if got, err := os.ReadFile(f.Name()); string(got) != "lam" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}

func TestRecord(t *testing.T) {
	stop := failpoint.Record()
	failpoint.Hit("test.a")
	failpoint.Write("test.b", &bytes.Buffer{}, nil)
	failpoint.Hit("test.a")
	got := stop()
	failpoint.Hit("test.c")
	if diff := cmp.Diff([]string{"test.a", "test.b", "test.a"}, got); diff != "" {
		t.Errorf("hits (-want +got):\n%s", diff)
	}
}

func BenchmarkNotArmed(b *testing.B) {
	for b.Loop() {
		if failpoint.Hit("test.bench") != nil {
			b.Fatal()
		}
	}
}
