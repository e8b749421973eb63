package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/cli"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// folder writes files below a new folder; a name with an exclamation mark at its end is executable.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name, executable := strings.CutSuffix(name, "!")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if executable {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// bootstrap answers every event with what the shell line prints.
func bootstrap(line string) string {
	return `#!/bin/bash
while :; do
  exec 3<>/dev/tcp/169.254.100.1/9001
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
  answer=$(cat <&3); exec 3<&-
  id=$(printf '%s' "$answer" | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip')
  body=$(` + line + `)
  exec 3<>/dev/tcp/169.254.100.1/9001
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' "$id" "${#body}" "$body" | cat >&3
  cat <&3 >/dev/null; exec 3<&-
done
`
}

func TestRun(t *testing.T) {
	bare(t)
	layers := func(body string) map[string]string {
		return map[string]string{"bootstrap!": bootstrap(body), "layers/a/word": "a", "layers/b/word": "b", "layers/b/other": "x"}
	}
	t.Run("what is assumed is said", func(t *testing.T) {
		r := run(t, "run", folder(t, layers("cat /opt/word")), "--timeout", "20")
		r.want(t, 0, "b", "lamina: assumed runtime provided.al2023 (there is an executable bootstrap); layer layers/a; layer layers/b\n")
		if r.Out != "b" || !strings.Contains(r.Err, "\nREPORT RequestId: ") {
			t.Errorf("got %q and the log %s", r.Out, r.Err)
		}
	})
	t.Run("layers in another order", func(t *testing.T) {
		dir := folder(t, layers("cat /opt/word"))
		r := run(t, "run", dir, "--timeout", "20", "-q", "--layer", dir+"/layers/b", "--layer", dir+"/layers/a")
		if r.Code != 0 || r.Out != "a" || r.Err != "" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("event, variables, repeat", func(t *testing.T) {
		dir := folder(t, map[string]string{"bootstrap!": bootstrap(`echo "$answer" | tail -1; echo "$A$B$C" `), "event.json": `{"n":1}`, "vars": "# some\nexport A=\"1\"\nB=file\n"})
		t.Setenv("C", "3")
		r := run(t, "run", dir, "--timeout", "20", "--event", dir+"/event.json", "--env-file", dir+"/vars", "--env", "B=2", "--env", "C", "--repeat", "2", "-q")
		if r.Code != 0 || r.Out != "{\"n\":1}\n123\n{\"n\":1}\n123\n" {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("variables that AWS refuses", func(t *testing.T) {
		dir := folder(t, map[string]string{"bootstrap!": bootstrap(`echo "$A$AWS_REGION$_HANDLER$AWS_ACCESS_KEY$_X"`)})
		r := run(t, "run", dir, "--timeout", "20", "--handler", "h", "--env", "A=1-", "--env", "AWS_REGION=x", "--env", "_HANDLER=x", "--env", "AWS_ACCESS_KEY=x", "--env", "_X=x")
		r.want(t, 0, "1-us-east-1h", "lamina: Lambda sets these variables itself, and refuses a function's own: AWS_ACCESS_KEY, AWS_REGION, _HANDLER\n"+
			"lamina: Lambda refuses variables of these names (two or more letters, digits and _; a letter first): A, _X\n")
	})
	t.Run("event from standard input", func(t *testing.T) {
		dir := folder(t, map[string]string{"bootstrap!": bootstrap(`echo "$answer" | tail -1`)})
		runWith(t, `"in"`, "run", dir, "--timeout", "20", "-q", "-e", "-").want(t, 0, `"in"`, "")
	})
	t.Run("json", func(t *testing.T) {
		r := run(t, "run", folder(t, map[string]string{"bootstrap!": bootstrap("echo '{}'; echo said >&2")}), "--timeout", "20", "--format", "json", "-q", "--memory", "256")
		var a struct {
			Runtime, Status, Log string
			Payload              json.RawMessage
			InitMs, WallMs       float64
			MemoryMB             int
		}
		if err := json.Unmarshal([]byte(r.Out), &a); err != nil {
			t.Fatalf("%v: %+v", err, r)
		}
		if a.Runtime != "provided.al2023" || a.Status != "success" || a.MemoryMB != 256 || a.InitMs == 0 || a.WallMs == 0 || !strings.Contains(a.Log, "\nsaid\n") {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("a function that fails", func(t *testing.T) {
		run(t, "run", folder(t, map[string]string{"bootstrap!": "#!/bin/sh\nexit 3\n"}), "--format", "json").want(t, 4, "exit status 3", "the function failed (Unhandled)")
	})
	t.Run("a read-only code folder", func(t *testing.T) {
		dir := folder(t, map[string]string{"bootstrap!": bootstrap("touch /var/task/x /opt/x 2>&1; stat -c %u /var/task")})
		r := run(t, "run", dir, "--timeout", "20", "-q")
		r.want(t, 0, "Read-only file system", "")
		if os.Geteuid() == 0 && !strings.HasSuffix(r.Out, "\n0") {
			t.Errorf("/var/task is not root's: %s", r.Out)
		}
	})
}

// TestRunOwners shows a folder that is not root's as from a zip.
func TestRunOwners(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root shows owners")
	}
	bare(t)
	dir := folder(t, map[string]string{"bootstrap!": bootstrap("stat -c '%u %a' /var/task/bootstrap /opt/word"), "layer/word": "x"})
	for _, name := range []string{".", "bootstrap", "layer", "layer/word"} {
		if err := os.Chown(filepath.Join(dir, name), 4711, 4711); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time from the cache
		if r := run(t, "run", dir, "--timeout", "20", "-q"); r.Out != "0 755\n0 644" {
			t.Errorf("got %+v", r)
		}
	}
}

func TestRunZip(t *testing.T) {
	bare(t)
	dir := folder(t, map[string]string{"bootstrap!": bootstrap("cat /opt/python/hello.py")})
	zip := filepath.Join(dir, "layer.zip")
	for _, want := range []string{"print('hello')", "print('hello')", "print('other')"} {
		if err := os.WriteFile(zip, lambdaZip(want+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if r := run(t, "run", dir, "--timeout", "20", "-q"); r.Code != 0 || r.Out != want {
			t.Errorf("got %+v, want %q", r, want)
		}
	}
	found, err := filepath.Glob(filepath.Join(os.Getenv("HOME"), ".cache", "lamina", "trees", "*", "*"))
	if err != nil || len(found) > 2 {
		t.Errorf("trees of older states are kept: %v, %v", found, err)
	}
}

func TestRunShell(t *testing.T) {
	bare(t)
	dir := folder(t, map[string]string{"app.py": "handler = None\n", "layer/python/m.py": "", "layer/bin/tool!": "#!/bin/sh\necho tool ran\n"})
	r := runWith(t, "ls /opt\npwd\n/opt/bin/tool\necho $AWS_LAMBDA_FUNCTION_NAME >&2\nexit 7\n", "run", dir, "--runtime", "provided.al2023", "--shell", "-q")
	if diff := cmp.Diff(r.Out, "bin\npython\n/var/task\ntool ran\n"); diff != "" || r.Code != 7 || !strings.Contains(r.Err, filepath.Base(dir)) {
		t.Errorf("got %+v (got- want+)\n%s", r, diff)
	}
}

// TestRunInterrupted stops a function that never answers.
func TestRunInterrupted(t *testing.T) {
	bare(t)
	dir := folder(t, map[string]string{"bootstrap!": "#!/bin/sh\necho began\nwhile :; do sleep 60; done\n"})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	seen := make(lineSignal, 1)
	code := make(chan int)
	go func() {
		code <- cli.Main(ctx, cli.Streams{In: strings.NewReader(""), Out: &strings.Builder{}, Err: seen}, []string{"run", dir, "--timeout", "60"})
	}()
	<-seen
	cancel()
	if got := <-code; got != 130 {
		t.Errorf("exit code %d", got)
	}
}

// lineSignal says when a line with "began" was written.
type lineSignal chan struct{}

func (c lineSignal) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "began") {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

// TestRunWatch changes a file after each answer.
func TestRunWatch(t *testing.T) {
	bare(t)
	dir := folder(t, map[string]string{"bootstrap!": bootstrap("cat words/word"), "words/word": "one", "words/made": "two"})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := make(chan string)
	code := make(chan int)
	var errs strings.Builder
	go func() {
		code <- cli.Main(ctx, cli.Streams{In: strings.NewReader(""), Out: chanWriter(out), Err: &errs}, []string{"run", dir, "--timeout", "20", "--watch"})
	}()
	if got := <-out; got != "one" {
		t.Fatalf("got %q", got)
	}
	// As many editors do: a new file takes the place of the old one.
	word := filepath.Join(dir, "words", "word")
	if err := os.Rename(filepath.Join(dir, "words", "made"), word); err != nil {
		t.Fatal(err)
	}
	if got := <-out; got != "two" {
		t.Errorf("got %q", got)
	}
	cancel()
	if got := <-code; got != 130 {
		t.Errorf("exit code %d", got)
	}
	if !strings.Contains(errs.String(), "lamina: "+word+" changed\n") {
		t.Errorf("got %s", errs.String())
	}
}

type chanWriter chan string

func (c chanWriter) Write(p []byte) (int, error) { c <- string(p); return len(p), nil }

func TestRunUsage(t *testing.T) {
	bare(t)
	two := folder(t, map[string]string{"template.yaml": "Resources:\n  A: {Type: AWS::Serverless::Function}\n  B: {Type: AWS::Serverless::Function}\n"})
	broken := folder(t, map[string]string{"event.json": "{oops"})
	for name, tt := range map[string]struct {
		args []string
		errs string
	}{
		"no folder":       {[]string{"/nowhere"}, "cannot read the function"},
		"nothing in it":   {[]string{t.TempDir()}, "cannot tell the runtime"},
		"a layer":         {[]string{folder(t, map[string]string{"python/m.py": ""})}, "looks like a layer, not like a function\n  lamina run FUNCTION --layer "},
		"two functions":   {[]string{two}, "choose one with --function: A, B"},
		"unknown":         {[]string{two, "--function", "C"}, "has no function \"C\"\n  it has: A, B"},
		"no such layer":   {[]string{two, "--function", "A", "--layer", "/nowhere"}, "cannot read the layer"},
		"no such event":   {[]string{two, "--event", "nope"}, "neither JSON nor a file"},
		"broken event":    {[]string{two, "--function", "A", "--event", filepath.Join(broken, "event.json")}, "the event is not JSON: invalid character 'o'"},
		"env":             {[]string{folder(t, map[string]string{"app.py": "def handler(): 0"}), "--env", "=x"}, "--env is KEY=VALUE"},
		"repeat":          {[]string{two, "--repeat", "0"}, "--repeat is at least 1"},
		"timeout":         {[]string{two, "--timeout", "901"}, "--timeout is 1 to 900"},
		"memory":          {[]string{two, "--memory", "64"}, "--memory is 128 to 10240"},
		"shell and watch": {[]string{two, "--shell", "--watch"}, "exclude each other"},
	} {
		t.Run(name, func(t *testing.T) { run(t, append([]string{"run"}, tt.args...)...).want(t, 2, "", tt.errs) })
	}
}

func lambdaZip(text string) []byte { return lambdatest.PythonLayer("hello", text) }
