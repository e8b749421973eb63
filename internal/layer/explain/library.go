package explain

import (
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objfile"
)

// What the loader, and node, say of a library that they cannot load.
var (
	inParts   = regexp.MustCompile(`(?:/opt|/var/task)/[^\s:'"()]+\.(?:so(?:\.[\w.]+)?|node)\b`)
	absent    = regexp.MustCompile(`(?:^|[\s:'"])([\w.+-]+\.so(?:\.[\w]+)*): cannot open shared object file`)
	newGlibc  = regexp.MustCompile("version [`']GLIBC_([\\d.]+)' not found")
	undefined = regexp.MustCompile(`undefined symbol: (\w+)`)
	nodeABI   = regexp.MustCompile(`NODE_MODULE_VERSION \d+`)
	failed    = regexp.MustCompile("cannot open shared object file|invalid ELF header|wrong ELF class|file too short|ELF file's|undefined symbol: |version [`'][^']+' not found|NODE_MODULE_VERSION")
)

// loaderDirs are where the loader looks, of what code and layers can hold.
var loaderDirs = []string{"/var/task", "/var/task/lib", "/opt/lib"}

// Unloadable reports whether a message tells of a library that could not be loaded.
func Unloadable(message string) bool { return failed.MatchString(message) }

// Library says why a shared library, or a module that is one, could not be loaded. ok is false when the message tells of no
// such failure, or of one that nothing explains.
func Library(message string, r lambda.Runtime, arch string, parts []Part) (_ Result, ok bool) {
	if !Unloadable(message) {
		return Result{}, false
	}
	l := library{runtime: r, machine: map[string]string{"x86_64": "x86_64", "arm64": "aarch64"}[arch], message: message, parts: parts}
	for _, p := range inParts.FindAllString(message, -1) {
		if part, entry, ok := l.at(p); ok {
			if reason, fix := l.judge(part, entry); reason != "" {
				hint := Hint{Part: part.Name, Path: p, Reason: reason, Fix: fix, rank: rankABI}
				return Result{Module: path.Base(p), Library: true, Looked: loaderDirs, Hints: []Hint{hint}}, true
			}
		}
	}
	if m := absent.FindStringSubmatch(message); m != nil {
		return Result{Module: m[1], Library: true, Looked: loaderDirs, Hints: []Hint{l.missing(m[1])}}, true
	}
	return Result{}, false
}

type library struct {
	runtime lambda.Runtime
	machine string // of the processor, in the words of ELF
	message string
	parts   []Part
}

// at gives what lies at a path that a function sees: the last layer's wins.
func (l library) at(p string) (Part, archive.Entry, bool) {
	for _, part := range slices.Backward(l.parts) {
		rel, ok := strings.CutPrefix(p, part.Root+"/")
		if !ok {
			continue
		}
		for _, e := range part.Entries {
			if e.Path == rel {
				return part, e, true
			}
		}
	}
	return Part{}, archive.Entry{}, false
}

// judge says why a library that is there cannot be loaded, "" when nothing seems wrong with it.
func (l library) judge(part Part, e archive.Entry) (reason, fix string) {
	if shut(e) {
		return fmt.Sprintf("only its owner may read it (mode %04o), and functions are another user", e.Mode.Perm()), "chmod a+r before you zip it"
	}
	f, ok := read(part, e)
	switch {
	case !ok:
	case f.Format == objfile.MachO:
		return "it was built for macOS", l.rebuild()
	case f.Format == objfile.PE:
		return "it was built for Windows", l.rebuild()
	case f.Format == objfile.Text:
		return "it is text and no library, as a pointer of Git LFS is", "fetch the file itself before you zip it (git lfs pull)"
	case f.Format != objfile.ELF:
		return "it is no library: it was cut off or packed", "zip the file that was built"
	case l.machine != "" && f.Machine != l.machine:
		return fmt.Sprintf("it was built for another processor (%s), and this is %s", f.Machine, l.machine), l.rebuild()
	case f.Bits == 32:
		return "it was built for 32 bits", l.rebuild()
	case f.Musl:
		return "it was built with musl, as on Alpine, and functions have the GNU C library", l.rebuild()
	}
	return l.said()
}

// said is what the message alone tells.
func (l library) said() (reason, fix string) {
	if m := newGlibc.FindStringSubmatch(l.message); m != nil {
		return "it was built for a newer system: it asks for version " + m[1] + " of the GNU C library", l.rebuild()
	}
	if nodeABI.MatchString(l.message) {
		return "it was compiled for another major version of Node.js", l.rebuild()
	}
	if m := undefined.FindStringSubmatch(l.message); m != nil {
		reason = fmt.Sprintf("it looks for %s, which nothing here has: it was built against another version of what it uses", m[1])
		if strings.HasPrefix(m[1], "Py") || strings.HasPrefix(m[1], "_Py") {
			reason = fmt.Sprintf("it looks for %s, which %s does not have: it was compiled for another Python", m[1], l.runtime)
		}
		return reason, l.rebuild()
	}
	return "", ""
}

// missing says where a library lies that the loader did not find.
func (l library) missing(name string) Hint {
	var elsewhere *Hint
	for _, part := range slices.Backward(l.parts) {
		for _, e := range part.Entries {
			if path.Base(e.Path) != name || e.Type == archive.Dir {
				continue
			}
			at := path.Join(part.Root, e.Path)
			if slices.Contains(loaderDirs, path.Dir(at)) {
				if reason, fix := l.judge(part, e); reason != "" {
					return Hint{Part: part.Name, Path: at, Reason: reason, Fix: fix}
				}
			} else if elsewhere == nil {
				elsewhere = &Hint{Part: part.Name, Path: at, Reason: "the loader does not look in " + path.Dir(at), Fix: "zip it as lib/" + name}
			}
		}
	}
	if elsewhere != nil {
		return *elsewhere
	}
	if strings.HasPrefix(name, "libc.musl-") {
		return Hint{Reason: "what needs " + name + " was built with musl, as on Alpine, and functions have the GNU C library", Fix: l.rebuild()}
	}
	return Hint{Reason: "neither the system, the code, nor a layer holds " + name, Fix: "put it, and the libraries that it needs, into lib/ of a layer"}
}

// rebuild is how to get what fits.
func (l library) rebuild() string {
	switch l.runtime.Family() {
	case "python":
		return fmt.Sprintf("pip install --target python --only-binary :all: --python-version %s --platform manylinux2014_%s PACKAGE", l.runtime.Version(), l.machine)
	case "nodejs":
		cpu := map[string]string{"x86_64": "x64", "aarch64": "arm64"}[l.machine]
		return fmt.Sprintf("npm install --os=linux --cpu=%s --libc=glibc PACKAGE, with node %s", cpu, strings.TrimSuffix(l.runtime.Version(), ".x"))
	}
	return "build it on Amazon Linux for " + l.machine
}

// read looks into a file of a part.
func read(part Part, e archive.Entry) (objfile.File, bool) {
	if part.Files == nil || e.Type != archive.File {
		return objfile.File{}, false
	}
	f, err := part.Files.Open(e.Path)
	if err != nil {
		return objfile.File{}, false
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return objfile.File{}, false
	}
	r, ok := f.(io.ReaderAt)
	if !ok {
		return objfile.File{}, false
	}
	o, err := objfile.Read(r)
	if err != nil {
		return objfile.File{Format: objfile.Other}, true
	}
	return o, true
}
