package cli_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const libsARN = "arn:aws:lambda:us-east-1:000000000000:layer:libs"

func layerVersion(n int, zip []byte) map[string]any {
	return map[string]any{
		"LayerArn": libsARN, "LayerVersionArn": libsARN + ":" + string(rune('0'+n)), "Version": n,
		"Description": "requests", "CreatedDate": "2026-11-25T10:20:30.000+0000", "LicenseInfo": nil,
		"CompatibleRuntimes": []string{"python3.12"}, "CompatibleArchitectures": nil,
		"Content": map[string]any{"CodeSize": len(zip), "CodeSha256": sha(zip)},
	}
}

// withLayer makes the fake know version 3 of libs as the newest.
func (f *fake) withLayer(zip []byte) {
	v := layerVersion(3, zip)
	v["Content"].(map[string]any)["Location"] = f.URL + "/download"
	f.answer("GET /2018-10-31/layers/libs/versions/3", 200, v)
	f.answer("GET /2018-10-31/layers/libs/versions", 200, map[string]any{"LayerVersions": []any{v}})
	f.answer("GET /2018-10-31/layers", 200, map[string]any{"Layers": []any{map[string]any{"LayerName": "libs", "LatestMatchingVersion": v}}})
	f.mux.HandleFunc("GET /download", func(w http.ResponseWriter, _ *http.Request) { w.Write(zip) })
	f.answer("GET /2018-10-31/layers/none/versions", 200, map[string]any{"LayerVersions": []any{}})
}

func TestLayerPublishZip(t *testing.T) {
	bare(t)
	z := sampleZip()
	path := filepath.Join(t.TempDir(), "layer.zip")
	writeFile(t, path, string(z))
	f := newFake(t)
	f.withLayer([]byte("other bytes"))
	f.answer("POST /2018-10-31/layers/libs/versions", 201, layerVersion(4, z))

	run(t, "layer", "publish", "libs", path, "--description", "d", "--license", "MIT", "--runtime", "python3.12", "--runtime", "python3.13",
		"--arch", "arm64").want(t, 0, libsARN+":4\n", "")
	var sent map[string]any
	if err := json.Unmarshal([]byte(f.requests[len(f.requests)-1].Body), &sent); err != nil {
		t.Fatal(err)
	}
	content := sent["Content"].(map[string]any)["ZipFile"].(string)
	delete(sent, "Content")
	want := map[string]any{"Description": "d", "LicenseInfo": "MIT", "CompatibleRuntimes": []any{"python3.12", "python3.13"}, "CompatibleArchitectures": []any{"arm64"}}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Error(diff)
	}
	if content != encoded(z) {
		t.Error("the zip was not sent as it is")
	}
}

// TestLayerPublishUnseen: the commonest mistake with layers is a zip without the folder that a runtime looks in.
func TestLayerPublishUnseen(t *testing.T) {
	const note = "note: it has none of the folders of a layer in which runtimes look"
	for name, tt := range map[string]struct {
		file string
		said bool
	}{
		"modules at the root": {"requests/__init__.py", true},
		"an outer folder":     {"layer/python/requests.py", true},
		"python":              {"python/requests.py", false},
		"node":                {"nodejs/node_modules/a/index.js", false},
		"a program":           {"bin/tool", false},
		"a custom runtime":    {"bootstrap", false},
	} {
		t.Run(name, func(t *testing.T) {
			bare(t)
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, filepath.FromSlash(tt.file)), "x")
			f := newFake(t)
			f.withLayer([]byte("other bytes"))
			f.answer("POST /2018-10-31/layers/libs/versions", 201, layerVersion(4, sampleZip()))
			want := ""
			if tt.said {
				want = note
			}
			run(t, "layer", "publish", "libs", dir).want(t, 0, libsARN+":4\n", want)
		})
	}
}

func TestLayerPublishFolder(t *testing.T) {
	bare(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "python", "hello.py"), "print('hello')\n")
	writeFile(t, filepath.Join(dir, "bin", "tool"), "#!/bin/sh\n")
	if err := os.Chmod(filepath.Join(dir, "bin", "tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := newFake(t)
	f.withLayer(nil)
	f.answer("POST /2018-10-31/layers/libs/versions", 201, layerVersion(4, nil))
	for range 2 {
		r := run(t, "layer", "publish", "libs", dir, "--format", "json")
		r.want(t, 0, `"LayerVersionArn": "`+libsARN+`:4"`, "note: version 3 has the same bytes")
	}
	first, second := f.published(t, 0), f.published(t, 1)
	if !bytes.Equal(first, second) {
		t.Error("two zips of one folder differ")
	}
	r, err := zip.NewReader(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]string{}
	for _, e := range r.File {
		if !strings.HasSuffix(e.Name, "/") {
			modes[e.Name] = e.Mode().String()
		}
	}
	if modes["bin/tool"] != "-rwxr-xr-x" || modes["python/hello.py"] == "" {
		t.Errorf("got %v", modes)
	}
}

// published gives the zip of the n-th publication.
func (f *fake) published(t *testing.T, n int) []byte {
	t.Helper()
	for _, r := range f.requests {
		if !strings.HasPrefix(r.Line, "POST /2018-10-31/layers/") {
			continue
		}
		if n--; n >= 0 {
			continue
		}
		var body struct{ Content struct{ ZipFile []byte } }
		if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
			t.Fatal(err)
		}
		return body.Content.ZipFile
	}
	t.Fatal("not published")
	return nil
}

func TestLayerPublishRefused(t *testing.T) {
	bare(t)
	path := filepath.Join(t.TempDir(), "layer.zip")
	writeFile(t, path, "no zip")
	f := newFake(t)
	f.withLayer(nil)
	f.fail("POST /2018-10-31/layers/libs/versions", 400, "InvalidParameterValueException", "Could not unzip uploaded file.")
	run(t, "layer", "publish", "libs", path).want(t, 1, "", "lamina: cannot publish layer libs: Could not unzip uploaded file. (InvalidParameterValueException")
}

func TestLayerList(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.withLayer(sampleZip())
	want := "NAME  VERSION  CREATED           RUNTIMES    ARCHITECTURES  DESCRIPTION\n" +
		"libs  3        2026-11-25 10:20  python3.12  -              requests\n"
	if r := run(t, "layer", "list"); r.Out != want {
		t.Errorf("got\n%s", r.Out)
	}
	run(t, "layer", "list", "libs", "--runtime", "python3.12", "--arch", "x86_64").want(t, 0, "libs  3", "")
	last := f.requests[len(f.requests)-1].Line
	if last != "GET /2018-10-31/layers/libs/versions?CompatibleArchitecture=x86_64&CompatibleRuntime=python3.12" {
		t.Error(last)
	}
	run(t, "layer", "list", "none").want(t, 3, "", "there is no version of layer none")
	run(t, "layer", "list", "--format", "json").want(t, 0, `"Version": 3`, "")
}

func TestLayerListEmptyIsAList(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.answer("GET /2018-10-31/layers", 200, map[string]any{"Layers": []any{}})
	if r := run(t, "layer", "list", "--format", "json"); r.Out != "[]\n" {
		t.Errorf("got %q", r.Out)
	}
}

func TestLayerListPages(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.mux.HandleFunc("GET /2018-10-31/layers/libs/versions", func(w http.ResponseWriter, r *http.Request) {
		page := map[string]any{"LayerVersions": []any{layerVersion(2, nil)}, "NextMarker": "more"}
		if r.URL.Query().Get("Marker") == "more" {
			page = map[string]any{"LayerVersions": []any{layerVersion(1, nil)}}
		}
		json.NewEncoder(w).Encode(page)
	})
	r := run(t, "layer", "list", "libs")
	if strings.Count(r.Out, "libs ") != 2 {
		t.Errorf("got\n%s", r.Out)
	}
}

func TestLayerShow(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.withLayer(sampleZip())
	for _, name := range []string{"libs", "libs:3"} {
		golden(t, "layer_show.txt", run(t, "layer", "show", name).Out)
	}
	golden(t, "layer_show_contents.txt", run(t, "layer", "show", "libs", "--contents").Out)
	run(t, "layer", "show", "libs", "--contents", "--format", "json").want(t, 0, `"Path": "/opt/python/hello.py"`, "")
	run(t, "layer", "show", "none").want(t, 3, "", "cannot show layer none: there is no version of it")
	f.fail("GET /2018-10-31/layers/libs/versions/9", 404, "ResourceNotFoundException", "The resource you requested does not exist.")
	run(t, "layer", "show", "libs:9").want(t, 3, "", "The resource you requested does not exist.")
}

func TestLayerShowChecksTheDownload(t *testing.T) {
	bare(t)
	f := newFake(t)
	v := layerVersion(3, sampleZip())
	v["Content"].(map[string]any)["Location"] = f.URL + "/download"
	f.answer("GET /2018-10-31/layers/libs/versions/3", 200, v)
	f.mux.HandleFunc("GET /download", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("something else")) })
	run(t, "layer", "show", "libs:3", "--contents").want(t, 1, "", "the download is damaged")
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "lamina-*.zip"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
