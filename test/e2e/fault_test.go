package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sys/unix"
)

// lacking is a server on a machine that will lack something.
type lacking struct {
	t     *testing.T
	e     *env
	s     *server
	c     *awslambda.Client
	plain *http.Client
	data  string
	args  []string
	size  int // of what is published
	sent  int
}

const (
	readOnlyText = "read-only"
	brokenText   = "does not work"
)

func startLacking(t *testing.T, data string, args ...string) *lacking {
	t.Helper()
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	l := &lacking{t: t, e: environment(t), data: data, args: append(args, "--data", data), size: 200 << 10}
	l.start()
	code := zipOf("app.py", []byte("def handler(event, context):\n    return 'served'\n"))
	_, err := l.c.CreateFunction(t.Context(), &awslambda.CreateFunctionInput{FunctionName: aws.String("f"), Runtime: types.Runtime(l.e.python.runtime),
		Handler: aws.String("app.handler"), Role: aws.String("arn:aws:iam::000000000000:role/any"), Code: &types.FunctionCode{ZipFile: code}})
	if err != nil {
		t.Fatal(err)
	}
	l.active()
	if err := l.publish(); err != nil {
		t.Fatal(err)
	}
	l.invoke()
	return l
}

func (l *lacking) start() {
	l.t.Helper()
	s, err := startServer(l.e.lamina, filepath.Join(l.t.TempDir(), "server.log"), os.Environ(), l.args...)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(s.kill)
	transport := &http.Transport{}
	l.t.Cleanup(transport.CloseIdleConnections)
	l.s, l.c, l.plain = s, client(s.url), &http.Client{Transport: transport, Timeout: time.Minute}
}

func (l *lacking) active() {
	l.t.Helper()
	if err := awslambda.NewFunctionActiveV2Waiter(l.c, func(o *awslambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
	}).Wait(l.t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute); err != nil {
		l.t.Fatal(err)
	}
}

// failure is an answer that is none.
type failure struct {
	exception string
	Message   string
}

func (f *failure) Error() string { return f.exception + ": " + f.Message }

// publish publishes a layer version that is like no other. It keeps its connection: a server that can open nothing more takes
// no new one.
func (l *lacking) publish() error {
	data := make([]byte, l.size)
	random := rand.New(rand.NewPCG(uint64(l.sent), 3))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	l.sent++
	body, err := json.Marshal(map[string]any{"Content": map[string]any{"ZipFile": zipOf("data", data)}})
	if err != nil {
		return err
	}
	res, err := l.plain.Post(l.s.url+"/2018-10-31/layers/libs/versions", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode == http.StatusCreated {
		return err
	}
	f := &failure{exception: res.Header.Get("X-Amzn-Errortype")}
	return errors.Join(json.Unmarshal(text, f), f)
}

func (l *lacking) invoke() {
	l.t.Helper()
	out, err := l.c.Invoke(l.t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f")})
	if err != nil || string(out.Payload) != `"served"` || out.FunctionError != nil {
		l.t.Errorf("invoke: %+v, %v", out, err)
	}
}

// refused wants that publishing is refused with one of the texts, again and again, and that the log says so a few times only.
func (l *lacking) refused(texts ...string) {
	l.t.Helper()
	before := strings.Count(l.s.output(), "a request failed")
	for range 40 {
		err := l.publish()
		var f *failure
		says := func(text string) bool { return strings.Contains(f.Message, text) }
		if !errors.As(err, &f) || f.exception != "ServiceException" || !slices.ContainsFunc(texts, says) {
			l.t.Fatalf("publish: %v, want a ServiceException that says %q", err, texts)
		}
	}
	if n := strings.Count(l.s.output(), "a request failed") - before; n < 1 || n > 2*len(texts) {
		l.t.Errorf("the log says it %d times:\n%s", n, tail(l.s.output(), 3000))
	}
}

// reads wants that what was answered can be had.
func (l *lacking) reads() {
	l.t.Helper()
	v, err := l.c.GetLayerVersion(l.t.Context(), &awslambda.GetLayerVersionInput{LayerName: aws.String("libs"), VersionNumber: aws.Int64(1)})
	if err != nil {
		l.t.Fatal(err)
	}
	res, err := http.Get(*v.Content.Location)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err != nil || n != v.Content.CodeSize {
		l.t.Errorf("%d bytes of %d, %v", n, v.Content.CodeSize, err)
	}
}

// well wants that everything works, and that a check finds nothing.
func (l *lacking) well() {
	l.t.Helper()
	if err := l.publish(); err != nil {
		l.t.Errorf("publish when the fault is over: %v", err)
	}
	if _, err := l.c.UpdateFunctionConfiguration(l.t.Context(), &awslambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Description: aws.String("changed")}); err != nil {
		l.t.Errorf("update when the fault is over: %v", err)
	}
	l.active()
	l.invoke()
	l.reads()
	if err := l.s.stop(); err != nil {
		l.t.Error(err)
	}
	if out, err := exec.Command(l.e.lamina, "check", "--data", l.data).CombinedOutput(); err != nil {
		l.t.Errorf("lamina check: %v\n%s", err, out)
	}
}

// TestDiskFull fills the file system that the data folder is on.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	mountOrSkip(t, dir, "-t", "tmpfs", "-o", "size=64m", "tmpfs")
	l := startLacking(t, filepath.Join(dir, "data"))
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	l.refused("full")
	l.reads()
	l.invoke()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	l.well()
}

// mountOrSkip mounts for the time of a test.
func mountOrSkip(t *testing.T, dir string, args ...string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount a small disk")
	}
	if out, err := exec.Command("mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("this machine mounts no small disk: %v: %s", err, out)
	}
	t.Cleanup(func() { unmount(t, dir) })
}

// unmount waits for the end of what uses a mount: the sandboxes of a killed server.
func unmount(t *testing.T, dir string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := unix.Unmount(dir, 0)
		if err == nil {
			return
		}
		if err != unix.EBUSY || time.Now().After(end) {
			unix.Unmount(dir, unix.MNT_DETACH)
			t.Fatalf("cannot unmount %s: %v", dir, err)
		}
	}
}

// released waits until nothing uses an image any more: sandboxes saw the mount too.
func released(t *testing.T, image string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		out, err := exec.Command("losetup", "-j", image).Output()
		if err == nil && len(out) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s is still in use: %s, %v", image, out, err)
		}
	}
}

// fill writes until there is no room.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskTurnsReadOnly aborts the journal of the file system that the data folder is on, which then lets nobody write: what ext4
// does when the disk fails. After a repair everything that was answered is there.
func TestDiskTurnsReadOnly(t *testing.T) {
	base := t.TempDir()
	image, dir := filepath.Join(base, "image"), filepath.Join(base, "disk")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 96<<20), os.Mkdir(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v: %s", err, out)
	}
	mountOrSkip(t, dir, "-o", "loop,errors=remount-ro", image)
	l := startLacking(t, filepath.Join(dir, "data"))
	run(t, "mount", "-o", "remount,abort", dir)
	l.refused(readOnlyText, brokenText)
	l.reads()
	l.invoke()
	l.s.kill()
	unmount(t, dir)
	released(t, image)
	if out, err := exec.Command("e2fsck", "-f", "-y", image).CombinedOutput(); err != nil && !isExit(err, 1) {
		t.Fatalf("e2fsck: %v: %s", err, out)
	}
	run(t, "mount", "-o", "loop", image, dir)
	l.start()
	l.reads()
	l.well()
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

func isExit(err error, code int) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == code
}

// TestTooManyOpenFiles lets the server open nothing more. (To thaw a function takes a file, so none is frozen.)
func TestTooManyOpenFiles(t *testing.T) {
	l := startLacking(t, filepath.Join(t.TempDir(), "data"), "--freeze", "off")
	l.size = 100                                                // a longer request may not be sent whole before its answer comes, which ends the connection, and the next is one too many
	end := limit(t, l.s.cmd.Process.Pid, unix.RLIMIT_NOFILE, 3) // it has more open
	l.refused("files open")
	for _, path := range []string{"/2015-03-31/functions/f", "/2018-10-31/layers/libs/versions/1"} {
		res, err := l.plain.Get(l.s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("reading %s meanwhile: %s, %v", path, res.Status, err)
		}
		res.Body.Close()
	}
	res, err := l.plain.Post(l.s.url+"/2015-03-31/functions/f/invocations", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if out, err := io.ReadAll(res.Body); string(out) != `"served"` {
		t.Errorf("invoke: %s, %q, %v", res.Status, out, err)
	}
	end()
	l.well()
}

// TestFilesMayNotGrow limits how large a file may become: what a full disk is to the one file.
func TestFilesMayNotGrow(t *testing.T) {
	l := startLacking(t, filepath.Join(t.TempDir(), "data"))
	end := limit(t, l.s.cmd.Process.Pid, unix.RLIMIT_FSIZE, 64<<10)
	l.refused("ulimit -f")
	l.reads()
	end()
	l.well()
}

// limit sets a limit of a process until end is called.
func limit(t *testing.T, pid, resource int, to uint64) (end func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: to, Max: before.Max}, nil); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Prlimit(pid, resource, &before, nil); err != nil {
			t.Error(err)
		}
	}
}
