package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// world is what a script has running.
type world struct {
	t       testscript.T
	server  *server
	helpers []*exec.Cmd
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// close ends what runs. A server that does not end well fails the script.
func (w *world) close() {
	for _, h := range w.helpers {
		h.Process.Kill()
		h.Wait()
	}
	if w.server == nil {
		return
	}
	err := w.server.stop()
	if failed, ok := w.t.(interface{ Failed() bool }); ok && failed.Failed() {
		w.t.Log("the server's log:\n" + tail(w.server.output(), 6000))
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func tail(s string, n int) string {
	if len(s) > n {
		return "…" + s[len(s)-n:]
	}
	return s
}

// commands are what scripts have beside testscript's own.
//
//	serve [FLAG…]                 start a server on $WORK/data; its address becomes AWS_ENDPOINT_URL
//	[!] stop                      SIGTERM; it must end with 0, or else its last words are in stderr
//	kill9                         SIGKILL
//	serverlog                     print what the server logged
//	shortener                     start the service of the URL shortener; its address becomes SHORTENER
//	zip FILE FOLDER               make FILE of what is in FOLDER
//	settled FUNCTION              wait until the function is Active and no update is running
//	json FILE PATH [WANT]         print the member at PATH ("Layers.0.Arn", "Layers.length" counts), or compare it
//	http METHOD URL [-H 'K: V'] [-d BODY | -f FILE]   print "STATUS n", the headers, an empty line and the body
//	until REGEXP COMMAND…         run COMMAND until its output (both streams) matches, for at most a minute
//	count N FOLDER NAME           want N files of that name below FOLDER
//	big FILE BYTES                make a file of zeros
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"serve": cmdServe, "stop": cmdStop, "kill9": cmdKill9, "serverlog": cmdServerLog, "shortener": cmdShortener,
		"zip": cmdZip, "settled": cmdSettled, "json": cmdJSON, "http": cmdHTTP, "until": cmdUntil, "count": cmdCount,
		"big": cmdBig,
	}
}

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if w.server != nil {
		ts.Fatalf("a server is running")
	}
	args = append(append([]string{"--data", ts.MkAbs("data")}, strings.Fields(ts.Getenv("SERVE_FLAGS"))...), args...)
	s, err := startServer(filepath.Join(ts.Getenv("WORK"), ".bin", "lamina"), ts.MkAbs("server.log"), environ(ts), args...)
	if neg {
		if err == nil {
			w.server = s
			ts.Fatalf("the server started")
		}
		fmt.Fprint(ts.Stderr(), err)
		return
	}
	ts.Check(err)
	w.server = s
	ts.Setenv("AWS_ENDPOINT_URL", s.url)
}

// environ is the script's environment, for programs that are not started by exec.
func environ(ts *testscript.TestScript) []string {
	var all []string
	for _, k := range []string{"HOME", "PATH", "PYENV_ROOT", "LAMINA_TEST_RUN", "PIP_CACHE_DIR", "TMPDIR"} {
		all = append(all, k+"="+ts.Getenv(k))
	}
	return append(all, strings.Fields(ts.Getenv("SERVE_ENV"))...)
}

func running(ts *testscript.TestScript) *server {
	w := worldOf(ts)
	if w.server == nil {
		ts.Fatalf("no server is running")
	}
	return w.server
}

func cmdStop(ts *testscript.TestScript, neg bool, _ []string) {
	s := running(ts)
	worldOf(ts).server = nil
	err := s.stop()
	if neg && err == nil {
		ts.Fatalf("the server ended with 0")
	}
	if neg {
		fmt.Fprint(ts.Stderr(), err)
		return
	}
	ts.Check(err)
}

func cmdKill9(ts *testscript.TestScript, _ bool, _ []string) {
	s := running(ts)
	worldOf(ts).server = nil
	s.kill()
}

func cmdServerLog(ts *testscript.TestScript, _ bool, _ []string) {
	fmt.Fprint(ts.Stdout(), ts.ReadFile("server.log"))
}

func cmdShortener(ts *testscript.TestScript, _ bool, _ []string) {
	c := exec.Command(filepath.Join(ts.Getenv("ARTIFACTS"), "shortener-service"))
	c.Env = environ(ts)
	out, err := c.StdoutPipe()
	ts.Check(err)
	ts.Check(c.Start())
	w := worldOf(ts)
	w.helpers = append(w.helpers, c)
	var addr string
	_, err = fmt.Fscanln(out, &addr)
	ts.Check(err)
	ts.Setenv("SHORTENER", addr)
}

func cmdZip(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "zip FILE FOLDER")
	ts.Check(zipFolder(ts.MkAbs(args[0]), ts.MkAbs(args[1])))
}

func cmdSettled(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 1, "settled FUNCTION")
	s := running(ts)
	var last []byte
	poll(ts, "the function does not settle", &last, func() bool {
		status, b, err := s.get("/2015-03-31/functions/" + args[0] + "/configuration")
		last = b
		var f struct{ State, LastUpdateStatus string }
		if err != nil || status != 200 || json.Unmarshal(b, &f) != nil {
			return false
		}
		return f.State == "Active" && f.LastUpdateStatus == "Successful"
	})
}

// poll asks again and again until f is true, for at most a minute.
func poll(ts *testscript.TestScript, complaint string, last *[]byte, f func() bool) {
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %s", complaint, *last)
		}
	}
}

func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 && len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH [WANT]")
	}
	text := ts.ReadFile(args[0])
	// An answer printed by `http` has headers before it.
	if strings.HasPrefix(text, "STATUS ") {
		_, text, _ = strings.Cut(text, "\n\n")
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		ts.Fatalf("%s is not JSON: %v\n%s", args[0], err, text)
	}
	got := member(v, args[1])
	switch {
	case len(args) == 2:
		fmt.Fprintln(ts.Stdout(), got)
	case (got == args[2]) == neg:
		ts.Fatalf("%s is %s (want it: %v, %s)", args[1], got, !neg, args[2])
	}
}

// member walks a path through JSON and shows what is there: text bare, the rest as JSON, "(none)" when nothing is.
func member(v any, path string) string {
	keys := strings.Split(path, ".")
	if path == "" {
		keys = nil // the whole
	}
	for _, key := range keys {
		switch x := v.(type) {
		case map[string]any:
			item, ok := x[key]
			if !ok {
				return "(none)"
			}
			v = item
		case []any:
			if key == "length" {
				return strconv.Itoa(len(x))
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return "(none)"
			}
			v = x[i]
		default:
			return "(none)"
		}
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, _ := json.Marshal(v)
	return string(b)
}

func cmdHTTP(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL [-H 'K: V'] [-d BODY | -f FILE]")
	}
	url := args[1]
	if strings.HasPrefix(url, "/") {
		url = running(ts).url + url
	}
	req, err := http.NewRequest(args[0], url, nil)
	ts.Check(err)
	for rest := args[2:]; len(rest) >= 2; rest = rest[2:] {
		switch rest[0] {
		case "-H":
			k, v, _ := strings.Cut(rest[1], ":")
			req.Header.Set(k, strings.TrimSpace(v))
			if strings.EqualFold(k, "Host") {
				req.Host = strings.TrimSpace(v)
			}
		case "-d":
			body(req, []byte(rest[1]))
		case "-f":
			body(req, []byte(ts.ReadFile(rest[1])))
		default:
			ts.Fatalf("unknown option %s", rest[0])
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	ts.Check(err)
	defer res.Body.Close()
	fmt.Fprintf(ts.Stdout(), "STATUS %d\n", res.StatusCode)
	ts.Check(res.Header.Write(crToLF{ts.Stdout()}))
	fmt.Fprintln(ts.Stdout())
	_, err = io.Copy(ts.Stdout(), res.Body)
	ts.Check(err)
}

func body(req *http.Request, b []byte) {
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
}

// crToLF writes lines with the ends that scripts match.
type crToLF struct{ io.Writer }

func (w crToLF) Write(p []byte) (int, error) {
	_, err := w.Writer.Write(bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n")))
	return len(p), err
}

func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until REGEXP COMMAND…")
	}
	re, err := regexp.Compile(args[0])
	ts.Check(err)
	var last []byte
	poll(ts, "no output matched "+args[0], &last, func() bool {
		c := exec.Command(args[1], args[2:]...)
		c.Dir = ts.MkAbs(".")
		c.Env = append(environ(ts), "AWS_ENDPOINT_URL="+ts.Getenv("AWS_ENDPOINT_URL"), "AWS_ACCESS_KEY_ID=test",
			"AWS_SECRET_ACCESS_KEY=test", "AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1")
		if p, err := lookPath(ts.Getenv("PATH"), args[1]); err == nil {
			c.Path, c.Err = p, nil
		}
		last, _ = c.CombinedOutput()
		return re.Match(last)
	})
	fmt.Fprint(ts.Stdout(), string(last))
}

func lookPath(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if p := filepath.Join(dir, name); exists(p) {
			return p, nil
		}
	}
	return "", exec.ErrNotFound
}

func cmdCount(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 3, "count N FOLDER NAME")
	var found []string
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == args[2] {
			found = append(found, p)
		}
		return nil
	}))
	if strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("%d files are named %s, want %s: %q", len(found), args[2], args[0], found)
	}
}

func cmdBig(ts *testscript.TestScript, _ bool, args []string) {
	want(ts, args, 2, "big FILE BYTES")
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o644))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

func want(ts *testscript.TestScript, args []string, n int, usage string) {
	if len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}
