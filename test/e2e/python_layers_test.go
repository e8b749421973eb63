package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"
)

// A tree is what a zip holds, by name. @PYTHON@ stands for the runtime ("python3.12") in names and texts.
type tree map[string]entry

// An entry is a file, or with a type in its mode a folder or a link.
type entry struct {
	mode fs.FileMode
	text string
}

func plain(text string) entry { return entry{0o644, text} }
func exe(text string) entry   { return entry{0o755, text} }
func link(to string) entry    { return entry{fs.ModeSymlink | 0o777, to} }

func (tr tree) zip(t *testing.T, runtime string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(tr)) {
		h := &zip.FileHeader{Name: strings.ReplaceAll(name, "@PYTHON@", runtime), Method: zip.Deflate, Modified: time.Date(2024, 1, 2, 3, 4, 6, 0, time.UTC)}
		h.SetMode(tr[name].mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(strings.ReplaceAll(tr[name].text, "@PYTHON@", runtime))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// layersCase is a function with layers, and what is asked of it: expressions of Python, and the JSON of their values.
type layersCase struct {
	name    string
	layers  []tree
	task    tree // beside app.py, which it may replace
	env     map[string]string
	handler string // "app.handler" when empty
	asks    []ask
}

type ask struct {
	event string
	want  string // JSON; ID stands for the request's
	log   string // in the tail
}

// asked is the function that answers: its event is an expression.
const asked = `
import ctypes, importlib, json, os, shutil, stat, subprocess, sys

def tried(what):
    try:
        return what()
    except Exception as error:
        return type(error).__name__

def of(names):
    return {n: tried(lambda: importlib.import_module(n).V) for n in names.split()}

def show(path):
    st = os.lstat(path)
    if stat.S_ISLNK(st.st_mode):
        return "-> " + os.readlink(path)
    if stat.S_ISDIR(st.st_mode):
        return "folder %o" % stat.S_IMODE(st.st_mode)
    with open(path) as f:
        return "%o %s" % (stat.S_IMODE(st.st_mode), f.read())

def under(top):
    found = [os.path.join(d, n) for d, folders, files in os.walk(top) for n in folders + files]
    return {p[len(top) + 1:]: show(p) for p in found}

def run(*command):
    return tried(lambda: subprocess.run(command, stdout=subprocess.PIPE).stdout.decode().strip())

def loaded(name):
    def load():
        ctypes.CDLL(name)
        with open("/proc/self/maps") as maps:
            return sorted({line.split(None, 5)[5].strip() for line in maps if line.rstrip().endswith("/" + name)})
    return tried(load)

def handler(event, context):
    return eval(event)
`

// TestPythonAndLayers runs functions with layers through a server: with every Python of this machine, in processes that were booted ahead; and
// with the oldest and the newest in processes that were not.
func TestPythonAndLayers(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	all := hostPythons(t, e)
	t.Run("ahead", func(t *testing.T) { e.testLayers(t, all) })
	t.Run("not ahead", func(t *testing.T) {
		e.testLayers(t, slices.Compact([]string{all[0], all[len(all)-1]}), "--spares", "0")
	})
}

func (e *env) testLayers(t *testing.T, runtimes []string, args ...string) {
	dir := t.TempDir()
	s, err := startServer(e.lamina, filepath.Join(dir, "server.log"), os.Environ(), append([]string{"--data", filepath.Join(dir, "data")}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	for _, runtime := range runtimes {
		t.Run(runtime, func(t *testing.T) {
			t.Parallel()
			w := &workshop{t, client(s.url), runtime}
			for i, c := range layersCases(runtime) {
				w.try("f-"+strings.ReplaceAll(runtime, ".", "-")+"-"+strconv.Itoa(i), c)
			}
		})
	}
}

var hostPython = regexp.MustCompile(`(?m)^python3\.(\d+) `)

// hostPythons gives the Pythons that lamina finds, the oldest first, and says which it does not.
func hostPythons(t *testing.T, e *env) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), e.lamina, "runtime", "list", "--data", t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{}
	for _, m := range hostPython.FindAllStringSubmatch(string(out), -1) {
		here[m[1]] = true
	}
	var found []string
	for minor := 8; minor <= 14; minor++ {
		if here[strconv.Itoa(minor)] {
			found = append(found, "python3."+strconv.Itoa(minor))
		} else {
			t.Logf("NOT RUN: python3.%d is not on this machine", minor)
		}
	}
	if len(found) == 0 {
		t.Fatal("there is no python on this machine: install python3")
	}
	return found
}

// workshop makes functions of one runtime.
type workshop struct {
	t       *testing.T
	c       *awslambda.Client
	runtime string
}

func (w *workshop) try(name string, c layersCase) {
	var layers []string
	for i, l := range c.layers {
		out, err := w.c.PublishLayerVersion(w.t.Context(), &awslambda.PublishLayerVersionInput{LayerName: aws.String(name + "-" + strconv.Itoa(i)),
			Content: &types.LayerVersionContentInput{ZipFile: l.zip(w.t, w.runtime)}})
		if err != nil {
			w.t.Fatalf("%s: %v", c.name, err)
		}
		layers = append(layers, *out.LayerVersionArn)
	}
	task := tree{"app.py": plain(asked)}
	maps.Copy(task, c.task)
	if c.handler == "" {
		c.handler = "app.handler"
	}
	_, err := w.c.CreateFunction(w.t.Context(), &awslambda.CreateFunctionInput{FunctionName: &name, Runtime: types.Runtime(w.runtime), Handler: &c.handler,
		Role: aws.String("arn:aws:iam::000000000000:role/any"), Timeout: aws.Int32(60), Layers: layers, Environment: &types.Environment{Variables: c.env},
		Code: &types.FunctionCode{ZipFile: task.zip(w.t, w.runtime)}})
	if err != nil {
		w.t.Fatalf("%s: %v", c.name, err)
	}
	settledOn(w.t, w.c, name)
	for _, a := range c.asks {
		w.ask(name, c.name, a)
	}
}

func (w *workshop) ask(function, name string, a ask) {
	event, err := json.Marshal(a.event)
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := w.c.Invoke(w.t.Context(), &awslambda.InvokeInput{FunctionName: &function, Payload: event, LogType: types.LogTypeTail})
	if err != nil {
		w.t.Errorf("%s: %s: %v", name, a.event, err)
		return
	}
	tail, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		w.t.Fatal(err)
	}
	got := requestID.ReplaceAllString(string(out.Payload), "RequestId: ID ")
	if diff := cmp.Diff(parsed(w.t, got), parsed(w.t, strings.ReplaceAll(a.want, "@PYTHON@", w.runtime))); diff != "" {
		w.t.Errorf("%s: %s (-got +want):\n%s", name, a.event, diff)
	}
	if !strings.Contains(string(tail), a.log) {
		w.t.Errorf("%s: %s: the log is %q, want %q in it", name, a.event, tail, a.log)
	}
}

var requestID = regexp.MustCompile(`RequestId: [0-9a-f-]{36} `)

func parsed(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}
