package runtimes_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/layerstore"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/runtimes/python"
)

func newStore(t *testing.T) *layerstore.Store {
	t.Helper()
	dir := t.TempDir()
	driver, err := diskblob.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	blobs := blob.New(driver)
	store, err := layerstore.Open(layerstore.Options{Dir: filepath.Join(dir, "layers"), Blobs: blobs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// TestPins: every python that AWS has is pinned, each package with a hash.
func TestPins(t *testing.T) {
	h := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	for minor := python.OldestMinor; minor <= python.NewestMinor; minor++ {
		pins, err := h.Pins(python.Interpreter{Minor: minor})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for line := range strings.Lines(string(pins.Text)) {
			if strings.HasPrefix(line, "#") {
				continue
			}
			name, rest, _ := strings.Cut(strings.TrimSpace(line), "==")
			names = append(names, name)
			if _, hash, ok := strings.Cut(rest, " --hash=sha256:"); !ok || len(hash) != 64 {
				t.Errorf("python3.%d: %q has no hash", minor, line)
			}
		}
		if diff := cmp.Diff(names, []string{"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}); diff != "" {
			t.Errorf("python3.%d (-got +want):\n%s", minor, diff)
		}
		if !strings.HasPrefix(pins.Version, "boto3 1.") || len(pins.Digest) != 64 {
			t.Errorf("got %+v", pins)
		}
	}
}

// TestAdd installs the SDK of the oldest and of the newest python of this machine with the host's pip, and imports it in a
// sandbox.
func TestAdd(t *testing.T) {
	t.Parallel()
	dir, store := t.TempDir(), newStore(t)
	set := runtimes.New(runtimes.Options{Dir: dir, Store: store})
	// Another process adds; this one shows it at the next Resolve.
	adder := runtimes.New(runtimes.Options{Dir: dir, Store: store})
	found := hostPythons(t, set)
	for _, name := range slices.Compact([]lambda.Runtime{found[0], found[len(found)-1]}) {
		var progress bytes.Buffer
		info, err := adder.Add(t.Context(), name, &progress)
		if err != nil {
			t.Fatalf("%v\n%s", err, progress.String())
		}
		if !strings.HasPrefix(info.SDK, "boto3 1.") || !strings.HasSuffix(progress.String(), fmt.Sprintf("%s has %s now; environments that are running keep what they have\n", name, info.SDK)) {
			t.Errorf("got %+v, and was told %q", info, progress.String())
		}
		progress.Reset()
		if _, err := set.Add(t.Context(), name, &progress); err != nil || progress.String() != fmt.Sprintf("%s has %s already\n", name, info.SDK) {
			t.Errorf("again: %v, and was told %q", err, progress.String())
		}
		r, err := set.Resolve(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		b := open(t, r)
		out := b.run(awsEnv, "/var/lang/bin/"+string(name), "-c", "import sys; sys.path.insert(0, '/var/runtime'); from lamina_runtime import paths\n"+
			"sys.path[:] = paths.search(sys.path, '/var/task', sys.version_info[1], False); import boto3\n"+
			"print('boto3', boto3.__version__, boto3.__file__); print(boto3.session.Session().client('sts', region_name='us-east-1').meta.service_model.service_name)\n"+
			"import os; print(os.path.isfile(boto3.__spec__.cached))")
		place := "/var/lang/lib/" + string(name) + "/site-packages"
		if name == "python3.8" || name == "python3.9" || name == "python3.10" {
			place = "/var/runtime"
		}
		if want := info.SDK + " " + place + "/boto3/__init__.py\nsts\nTrue\n"; out != want {
			t.Errorf("got %q, want %q", out, want)
		}
		b.Close()
		r.Release()
	}
	checkListed(t, set, found)
}

func checkListed(t *testing.T, set *runtimes.Set, found []lambda.Runtime) {
	t.Helper()
	infos, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range infos {
		if i.Runtime.Family() != "python" {
			continue
		}
		with := i.Runtime == found[0] || i.Runtime == found[len(found)-1]
		if (i.SDK != "") != with {
			t.Errorf("%s: SDK %q", i.Runtime, i.SDK)
		}
	}
}

// TestInstallTwice: the same pins give the same bytes.
func TestInstallTwice(t *testing.T) {
	t.Parallel()
	h := python.NewHost(t.TempDir(), slog.New(slog.DiscardHandler))
	all, err := h.All(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatalf("no python on this machine: %v", err)
	}
	in := all[len(all)-1]
	pins, err := h.Pins(in)
	if err != nil {
		t.Fatal(err)
	}
	// Two small packages do: what differs between installations does not depend on the size.
	var small []string
	for line := range strings.Lines(string(pins.Text)) {
		if strings.HasPrefix(line, "six==") || strings.HasPrefix(line, "jmespath==") {
			small = append(small, line)
		}
	}
	pins.Text = []byte(strings.Join(small, ""))
	var contents [2]lambda.Content
	for i := range contents {
		dir := filepath.Join(t.TempDir(), "sdk")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var progress bytes.Buffer
		if err := h.Install(t.Context(), in, pins, dir, &progress); err != nil {
			t.Fatalf("%v\n%s", err, progress.String())
		}
		if contents[i], err = newStore(t).PutFolder(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(contents[0], contents[1]); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PYENV_ROOT", "")
	t.Setenv("PATH", t.TempDir())
	set := runtimes.New(runtimes.Options{Dir: t.TempDir(), Store: newStore(t)})
	for name, want := range map[lambda.Runtime]string{
		"python3.7": "The runtime python3.7 is not supported", "nodejs16.x": "The runtime nodejs16.x is not supported", "provided.al2023": "is a part of lamina: there is nothing to add",
		"provided": "The runtime provided cannot be added", "java21": "The runtime java21 cannot be added; python3.8 to python3.14 and nodejs18.x,",
		"python3.14": "The runtime python3.14 is not on this machine",
	} {
		var progress bytes.Buffer
		if _, err := os.Stat("/usr/bin/" + string(name)); err == nil {
			t.Logf("NOT RUN: /usr/bin has %s", name)
			continue
		}
		if _, err := os.Stat("/usr/local/bin/" + string(name)); err == nil {
			t.Logf("NOT RUN: /usr/local/bin has %s", name)
			continue
		}
		_, err := set.Add(t.Context(), name, &progress)
		if !lambda.IsKind(err, lambda.BadRuntime) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
