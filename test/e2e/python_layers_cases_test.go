package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// site is where layers have packages of one Python.
const site = "python/lib/@PYTHON@/site-packages/"

// layersCases are the functions that every Python has to pass. What one process alone decides (errors, logs, payloads) is tested beside the
// runtime's own code.
func layersCases(runtime string) []layersCase {
	all := slices.Concat(mergeCases, searchCases, wrapperCases)
	return append(append(all, pathCase(runtime)), libraryCases()...)
}

// mergeCases are about /opt itself.
var mergeCases = []layersCase{
	{name: "the later layer wins, and its mode, name by name",
		layers: []tree{
			{"a": plain("1"), "d/x": plain("1"), "d/y": plain("1"), "becomes-file/f": plain("1"), "becomes-folder": plain("1"), "mode": exe("1"), "Case": plain("upper"),
				"link": link("d/x"), "out-and-in/a": plain("1"), "folder-link": link("d")},
			{"a": plain("2"), "d/y": plain("2"), "becomes-file": plain("2"), "becomes-folder/in": plain("2"), "mode": plain("2"), "case": plain("lower"),
				"d/.wh.x": plain("w"), ".wh.a": plain("w"), "d/.wh..wh..opq": plain(""), "out-and-in": plain("2")},
			{"a": plain("3"), "out-and-in/c": plain("3"), "set-uid": {setUserID, "3"}, "ü": plain("3"), "absolute": link("/var/task/app.py"), "nowhere": link("/nowhere"),
				"folder-link/z": plain("3"), "link/under": plain("3")},
		},
		asks: []ask{{event: `under("/opt")`, want: `{"a": "644 3", "d": "folder 755", "d/x": "644 1", "d/y": "644 2", "becomes-file": "644 2", "becomes-folder": "folder 755",
			"becomes-folder/in": "644 2", "mode": "644 2", "Case": "644 upper", "case": "644 lower", "link": "folder 755", "link/under": "644 3", "d/.wh.x": "644 w",
			".wh.a": "644 w", "d/.wh..wh..opq": "644 ", "out-and-in": "folder 755", "out-and-in/c": "644 3", "set-uid": "755 3", "ü": "644 3",
			"absolute": "-> /var/task/app.py", "nowhere": "-> /nowhere", "folder-link": "folder 755", "folder-link/z": "644 3"}`},
			{event: `[tried(lambda: open(p, "w")) for p in ("/opt/a", "/opt/new", "/var/task/new", "/var/runtime/new", "/etc/new")]`,
				want: `["OSError", "OSError", "OSError", "OSError", "OSError"]`},
			{event: `os.stat("/opt/a").st_mtime`, want: "1704164646"}}},
	{name: "no layers", asks: []ask{{event: `under("/opt")`, want: "{}"}, {event: `oct(os.stat("/opt").st_mode)`, want: `"0o40755"`}}},
	{name: "a link after a folder, and links from layer to layer and to the code",
		layers: []tree{{"e/f": plain("1"), "bin/tool": exe("#!/bin/sh\necho real\n"), "lib/real": plain("r")},
			{"d/g": plain("2")}, {"d": link("e"), "bin/other": link("tool"), "absolute": link("/opt/lib/real"), "sub/relative": link("../lib/real"), "python/linked": link("/var/task/package")}},
		task: tree{"package/__init__.py": plain("V = 'task'")},
		asks: []ask{{event: `[os.path.islink("/opt/d"), os.listdir("/opt/d"), run("other"), open("/opt/absolute").read(), open("/opt/sub/relative").read(), of("linked")]`,
			want: `[true, ["f"], "real", "r", "r", {"linked": "task"}]`}}},
}

// setUserID is the mode of a program that would run as its owner: layers do not keep that.
const setUserID = os.ModeSetuid | 0o755

var pthLayer = tree{
	"python/m.py": plain("V = 'python'"), site + "m.py": plain("V = 'site'"), "python/q.py": plain("V = 'python'"), "python/lib/python3.7/site-packages/o.py": plain("V = 1"),
	"python/z.pth":         plain("/opt/extra\nimport os; os.environ['PTH'] = os.environ.get('PTH', '') + ' python'\n"),
	site + "y.pth":         plain("/opt/extra2\nimport os; os.environ['PTH'] = os.environ.get('PTH', '') + ' site'\nrelative\nabsent\n"),
	site + "relative/r.py": plain("V = 'relative'"), "extra/x.py": plain("V = 'extra'"), "extra2/x2.py": plain("V = 'extra2'"),
}

// searchCases are about what is imported from where.
var searchCases = []layersCase{
	{name: "site-packages before python, folders of .pth files behind all", layers: []tree{pthLayer}, asks: []ask{
		{event: `of("m q o x x2 r t")`, want: `{"m": "site", "q": "python", "o": "ModuleNotFoundError", "x": "extra", "x2": "extra2", "r": "relative", "t": "ModuleNotFoundError"}`},
		{event: `[p for p in sys.path if p.startswith("/opt")]`, want: `["/opt/python/lib/@PYTHON@/site-packages", "/opt/python", "/opt/extra2", "/opt/python/lib/@PYTHON@/site-packages/relative", "/opt/extra"]`},
		{event: `[os.environ["PTH"], os.environ["PYTHONPATH"]]`, want: `[" site python", "/var/runtime"]`},
		{event: `[sys.argv, sys.executable, sys.prefix, __file__, os.getcwd()]`, want: `[["/var/runtime/bootstrap.py"], "/var/lang/bin/@PYTHON@", "/var/lang", "/var/task/app.py", "/var/task"]`}}},
	{name: "the code before layers", layers: []tree{pthLayer}, task: tree{"m.py": plain("V = 'task'"), "t.py": plain("V = 'task'"),
		"k.pth": plain("import os; os.environ['PTH'] = os.environ.get('PTH', '') + ' task'\n")}, asks: []ask{
		{event: `of("m q t")`, want: `{"m": "task", "q": "python", "t": "task"}`}, {event: `os.environ["PTH"]`, want: `" task site python"`}}},
	{name: "the function's own PYTHONPATH", layers: []tree{pthLayer}, env: map[string]string{"PYTHONPATH": "/opt/extra"}, asks: []ask{
		{event: `of("m q x x2")`, want: `{"m": "ModuleNotFoundError", "q": "ModuleNotFoundError", "x": "extra", "x2": "ModuleNotFoundError"}`},
		{event: `[sys.path[:3], os.environ.get("PTH"), os.environ["PYTHONPATH"]]`, want: `[["/var/task", "/var/runtime", "/opt/extra"], null, "/opt/extra"]`}}},
	{name: "its own PYTHONPATH that names a layer's folder", layers: []tree{pthLayer}, env: map[string]string{"PYTHONPATH": "/opt/python"}, asks: []ask{
		{event: `of("m q x")`, want: `{"m": "python", "q": "python", "x": "ModuleNotFoundError"}`}}},
	{name: "names of the standard library, of the runtime and of the SDK",
		layers: []tree{{"python/json/__init__.py": plain("V = 'layer'"), "python/logging.py": plain("V = 'layer'"), "python/colorsys.py": plain("V = 'layer'"), "python/asyncio/__init__.py": plain("V = 'layer'"),
			"python/awslambdaric/__init__.py": plain("V = 'layer'"), "python/boto3/__init__.py": plain("V = 'layer'"), "python/bootstrap.py": plain("V = 'layer'"),
			"python/sitecustomize.py": plain("import os; os.environ['CUSTOM'] = '1'"), "python/usercustomize.py": plain("import os; os.environ['CUSTOM'] = '1'"), "python/mod.py": plain("V = 'file'"), "python/mod/__init__.py": plain("V = 'package'")}},
		task: tree{"queue.py": plain("V = 'task'"), "types.py": plain("V = 'task'")},
		asks: []ask{{event: `of("json logging queue types awslambdaric colorsys asyncio boto3 bootstrap mod")`,
			want: `{"json": "AttributeError", "logging": "AttributeError", "queue": "AttributeError", "types": "AttributeError", "awslambdaric": "AttributeError",
				"colorsys": "layer", "asyncio": "layer", "boto3": "layer", "bootstrap": "layer", "mod": "package"}`}, {event: `os.environ.get("CUSTOM")`, want: "null"}}},
	{name: "packages over two layers and the code",
		layers: []tree{{"python/pk/__init__.py": plain("V = 'first'"), "python/pk/a.py": plain("V = 'a'"), "python/ns/x.py": plain("V = 'x'")},
			{"python/pk/__init__.py": plain("V = 'second'"), "python/pk/b.py": plain("V = 'b'"), site + "ns/y.py": plain("V = 'y'"),
				site + "dist-1.0.dist-info/METADATA": plain("Metadata-Version: 2.1\nName: dist\nVersion: 1.0\n"), site + "data/__init__.py": plain(""), site + "data/file": plain("data")}},
		task: tree{"ns/z.py": plain("V = 'z'")},
		asks: []ask{{event: `of("pk pk.a pk.b ns.x ns.y ns.z")`, want: `{"pk": "second", "pk.a": "a", "pk.b": "b", "ns.x": "x", "ns.y": "y", "ns.z": "z"}`},
			{event: `[importlib.import_module("importlib.metadata").version("dist"), importlib.import_module("pkgutil").get_data("data", "file").decode()]`, want: `["1.0", "data"]`}}},
	{name: "a handler in a layer", layers: []tree{{"python/of/layer.py": plain("def h(event, context): return [event, __file__]")}}, handler: "of/layer.h",
		asks: []ask{{event: "hello", want: `["hello", "/opt/python/of/layer.py"]`}}},
	{name: "the context is of awslambdaric's class", asks: []ask{{want: `["awslambdaric.lambda_context", true]`,
		event: `[type(context).__module__, isinstance(context, importlib.import_module("awslambdaric.lambda_context").LambdaContext)]`}}},
}

var wrapperLayer = tree{"wrap": exe("#!/bin/sh\nexport WRAPPED=1\necho wrapper of \"$@\"\nexec \"$@\" more\n"), "plain": plain("x"), "leaves": exe("#!/bin/sh\necho leaving\nexit 3\n"),
	"wrap.py": exe("#!/usr/bin/env python3\nimport os, sys\nos.environ['WRAPPED'] = sys.executable\nos.execv(sys.argv[1], sys.argv[1:])\n"), "bootstrap": exe("#!/bin/sh\nexit 9\n")}

// wrapperCases are about what stands before the interpreter.
var wrapperCases = []layersCase{
	{name: "wrapper", layers: []tree{wrapperLayer}, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap"}, asks: []ask{
		{event: `[os.environ["WRAPPED"], sys.argv, os.environ["AWS_EXECUTION_ENV"]]`, want: `["1", ["/var/runtime/bootstrap.py", "more"], "AWS_Lambda_@PYTHON@"]`}}},
	{name: "wrapper in Python", layers: []tree{wrapperLayer}, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrap.py"}, asks: []ask{
		{event: `[os.environ["WRAPPED"], sys.argv]`, want: `["/var/lang/bin/python3", ["/var/runtime/bootstrap.py"]]`}}},
	ended("a wrapper that is absent", "/opt/absent", 127, "/opt/absent: does not exist\n"),
	ended("a folder", "/opt", 127, "/opt: does not exist\n"),
	ended("a wrapper that is not executable", "/opt/plain", 126, "/opt/plain: is not an executable\n"),
	ended("a wrapper that leaves", "/opt/leaves", 3, "leaving\n"),
	{name: "a bootstrap is only for provided runtimes", layers: []tree{wrapperLayer}, task: tree{"bootstrap": exe("#!/bin/sh\nexit 8\n")}, asks: []ask{{event: "7", want: "7"}}},
}

func ended(name, wrapper string, status int, said string) layersCase {
	return layersCase{name: name, layers: []tree{wrapperLayer}, env: map[string]string{"AWS_LAMBDA_EXEC_WRAPPER": wrapper}, asks: []ask{{event: "1", log: said,
		want: `{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: ID Error: Runtime exited with error: exit status ` + strconv.Itoa(status) + `"}`}}}
}

// pathCase wants the whole of sys.path.
func pathCase(runtime string) layersCase {
	lang := "/var/lang/lib/" + runtime
	path := []string{"/var/task", "/opt/python/lib/" + runtime + "/site-packages", "/opt/python"}
	if minor, _ := strconv.Atoi(strings.TrimPrefix(runtime, "python3.")); minor >= 11 {
		path = append(path, lang+"/site-packages")
	}
	path = append(path, "/var/runtime", "/var/lang/lib/"+strings.ReplaceAll(runtime, ".", "")+".zip", lang, lang+"/lib-dynload", lang+"/site-packages")
	want, err := json.Marshal(path)
	if err != nil {
		panic(err)
	}
	return layersCase{name: "sys.path", asks: []ask{{event: "sys.path", want: string(want)}}}
}

// libraryCases are about programs and shared libraries of layers. Any library will do: one of the C library's that is nearly empty.
func libraryCases() []layersCase {
	var lib entry
	for _, pattern := range []string{"/lib/*-linux-gnu/libdl.so.2", "/lib64/libdl.so.2", "/usr/lib/libdl.so.2"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			if b, err := os.ReadFile(found[0]); err == nil {
				lib = plain(string(b))
			}
		}
	}
	layer := tree{"bin/tool": exe("#!/bin/sh\necho tool\n"), "bin/ls": exe("#!/bin/sh\necho layer\n"), "bin/plain": plain("#!/bin/sh\n"), "lib/libprobe.so": lib,
		"lib/libversioned.so.1": lib, "lib/libversioned.so": link("libversioned.so.1")}
	const programs = `[run("tool"), run("ls", "/var/task/app.py"), run("plain"), shutil.which("tool"), os.environ["PATH"]]`
	const libraries = `[loaded("libprobe.so"), loaded("libabsent.so"), os.environ["LD_LIBRARY_PATH"]]`
	const path, ldPath = `"/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"`, `"/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"`
	return []layersCase{
		{name: "programs and libraries of a layer", layers: []tree{layer}, asks: []ask{
			{event: programs, want: `["tool", "/var/task/app.py", "PermissionError", "/opt/bin/tool", ` + path + `]`},
			{event: libraries, want: `[["/opt/lib/libprobe.so"], "OSError", ` + ldPath + `]`}, {event: `tried(lambda: ctypes.CDLL("libversioned.so")._name)`, want: `"libversioned.so"`}}},
		{name: "the code's libraries before a layer's", layers: []tree{layer}, task: tree{"lib/libprobe.so": lib}, asks: []ask{{event: libraries, want: `[["/var/task/lib/libprobe.so"], "OSError", ` + ldPath + `]`}}},
		{name: "the code's root before its lib", layers: []tree{layer}, task: tree{"lib/libprobe.so": lib, "libprobe.so": lib}, asks: []ask{{event: libraries, want: `[["/var/task/libprobe.so"], "OSError", ` + ldPath + `]`}}},
		{name: "its own PATH and LD_LIBRARY_PATH", layers: []tree{layer}, env: map[string]string{"PATH": "/opt/bin:/usr/bin:/bin", "LD_LIBRARY_PATH": "/absent"}, asks: []ask{
			{event: programs, want: `["tool", "layer", "PermissionError", "/opt/bin/tool", "/opt/bin:/usr/bin:/bin"]`}, {event: libraries, want: `["OSError", "OSError", "/absent"]`}}},
	}
}
