// Package objfile says what a program or a shared library was built for and what it needs, by its first bytes and, for ELF, its
// dynamic section. Files are of strangers: whatever they hold, reading them fails or succeeds, and never does more.
package objfile

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Formats of files.
const (
	ELF   = "ELF"    // Linux
	MachO = "Mach-O" // macOS
	PE    = "PE"     // Windows
	Text  = "text"
	Other = "other"
)

// File is what one file says of itself.
type File struct {
	Format  string
	Machine string   // "x86_64", "aarch64", else the format's own name; of ELF alone
	Bits    int      // 32 or 64; of ELF alone
	Needs   []string // names of libraries, as it lists them
	Glibc   string   // newest version of the GNU C library that it asks for, "2.34"
	Musl    bool     // it was linked with musl, as on Alpine
}

// Read describes a file. An error means that it could not be read; a file of another kind is a File.
func Read(r io.ReaderAt) (f File, err error) {
	defer func() {
		if p := recover(); p != nil { // the parser is not ours, and the bytes are not either
			err = fmt.Errorf("cannot parse the file: %v", p)
		}
	}()
	head := make([]byte, 64)
	n, err := r.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return File{}, err
	}
	f.Format = format(head[:n])
	if f.Format != ELF {
		return f, nil
	}
	e, err := elf.NewFile(r)
	if err != nil {
		return File{}, err
	}
	defer e.Close()
	f.Machine, f.Bits = machine(e.Machine), 64
	if e.Class == elf.ELFCLASS32 {
		f.Bits = 32
	}
	if f.Needs, err = e.ImportedLibraries(); err != nil {
		f.Needs = nil // it is static, or its sections were cut off
	}
	f.Musl = slices.ContainsFunc(f.Needs, func(lib string) bool { return strings.HasPrefix(lib, "libc.musl-") })
	if symbols, err := e.DynamicVersionNeeds(); err == nil {
		f.Glibc = newestGlibc(symbols)
	}
	return f, nil
}

func format(head []byte) string {
	for magic, name := range map[string]string{
		"\x7fELF": ELF, "MZ": PE,
		"\xcf\xfa\xed\xfe": MachO, "\xce\xfa\xed\xfe": MachO, "\xfe\xed\xfa\xcf": MachO, "\xfe\xed\xfa\xce": MachO, "\xca\xfe\xba\xbe": MachO,
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return name
		}
	}
	if len(head) > 0 && !bytes.ContainsFunc(head, func(r rune) bool { return r < '\t' || r == '\uFFFD' }) {
		return Text
	}
	return Other
}

func machine(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "x86_64"
	case elf.EM_AARCH64:
		return "aarch64"
	case elf.EM_386:
		return "i686"
	case elf.EM_ARM:
		return "armv7l"
	}
	return m.String()
}

func newestGlibc(needs []elf.DynamicVersionNeed) string {
	newest := ""
	for _, lib := range needs {
		for _, dep := range lib.Needs {
			if v, ok := strings.CutPrefix(dep.Dep, "GLIBC_"); ok && Newer(v, newest) {
				newest = v
			}
		}
	}
	return newest
}

// Newer reports whether a version of numbers and dots is newer than another; every version is newer than "".
func Newer(a, b string) bool {
	as, bs := numbers(a), numbers(b)
	return len(as) > 0 && slices.Compare(as, bs) > 0
}

func numbers(v string) []int {
	var all []int
	for part := range strings.SplitSeq(v, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}
