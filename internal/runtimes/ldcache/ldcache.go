// Package ldcache reads and writes the cache of glibc's dynamic loader, /etc/ld.so.cache.
//
// The format, in the byte order of the machine ("new format", glibc 2.2 and later):
//
//	20 bytes  magic "glibc-ld.so.cache1.1"
//	uint32    number of entries
//	uint32    bytes of the string table
//	uint8     byte order: 2 little, 3 big, 0 not said; 3 bytes of padding
//	uint32    offset of extensions, 0 for none; 3 × uint32 unused
//	entries   24 bytes each: int32 flags, uint32 offset of the name, uint32 offset of the path, uint32 unused, uint64 hwcap
//	strings   zero-terminated; offsets count from the start of the magic
//
// Entries are sorted from the greatest name to the least, in an order that compares runs of digits as numbers: the loader
// searches by halves. A file may hold an older format first; the new one follows, aligned to 8 bytes.
package ldcache

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

var magic = []byte("glibc-ld.so.cache1.1")

const (
	headerSize = 48
	entrySize  = 24
)

// Entry is one library: its name as programs ask for it, and where it is.
type Entry struct {
	Name  string
	Path  string
	Flags int32
	HWCap uint64 // which processors it is for; 0: all. An index into extensions, which Write leaves out, when bit 62 is set.
}

// hwcapExtension marks entries that need the extensions section.
const hwcapExtension = 1 << 62

// Flags gives what entries of an architecture carry: "for the C library of version 6", and the architecture's own bits.
func Flags(m elf.Machine) int32 {
	switch m {
	case elf.EM_X86_64:
		return 0x0303
	case elf.EM_AARCH64:
		return 0x0a03
	}
	return 0x0003
}

// Parse reads a cache. It fails when the bytes are not one.
func Parse(b []byte) ([]Entry, error) {
	start := bytes.Index(b, magic)
	if start < 0 || len(b)-start < headerSize {
		return nil, errors.New("not a loader cache")
	}
	b = b[start:]
	n := int(binary.NativeEndian.Uint32(b[20:]))
	if n < 0 || n > (len(b)-headerSize)/entrySize {
		return nil, errors.New("loader cache is cut short")
	}
	entries := make([]Entry, 0, n)
	for i := range n {
		e := b[headerSize+i*entrySize:]
		name, ok := text(b, binary.NativeEndian.Uint32(e[4:]))
		path, ok2 := text(b, binary.NativeEndian.Uint32(e[8:]))
		if !ok || !ok2 {
			return nil, errors.New("loader cache names text outside of itself")
		}
		entries = append(entries, Entry{Name: name, Path: path, Flags: int32(binary.NativeEndian.Uint32(e)), HWCap: binary.NativeEndian.Uint64(e[16:])})
	}
	return entries, nil
}

// text gives the zero-terminated string at an offset.
func text(b []byte, at uint32) (string, bool) {
	if uint64(at) >= uint64(len(b)) {
		return "", false
	}
	s, _, ok := bytes.Cut(b[at:], []byte{0})
	return string(s), ok
}

// Write makes a cache of entries, in any order. Libraries for certain processors only are left out: the loader finds those
// in its folders.
func Write(entries []Entry) []byte {
	entries = slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return e.HWCap&hwcapExtension != 0 })
	slices.SortStableFunc(entries, func(a, b Entry) int {
		if c := compare(b.Name, a.Name); c != 0 {
			return c
		}
		return int(b.Flags - a.Flags)
	})
	var strs []byte
	place := map[string]uint32{}
	base := uint32(headerSize + len(entries)*entrySize)
	put := func(s string) uint32 {
		if at, ok := place[s]; ok {
			return at
		}
		at := base + uint32(len(strs))
		strs = append(append(strs, s...), 0)
		place[s] = at
		return at
	}
	table := make([]byte, 0, len(entries)*entrySize)
	for _, e := range entries {
		table = binary.NativeEndian.AppendUint32(table, uint32(e.Flags))
		table = binary.NativeEndian.AppendUint32(table, put(e.Name))
		table = binary.NativeEndian.AppendUint32(table, put(e.Path))
		table = binary.NativeEndian.AppendUint32(table, 0)
		table = binary.NativeEndian.AppendUint64(table, e.HWCap)
	}
	head := make([]byte, headerSize)
	copy(head, magic)
	binary.NativeEndian.PutUint32(head[20:], uint32(len(entries)))
	binary.NativeEndian.PutUint32(head[24:], uint32(len(strs)))
	return slices.Concat(head, table, strs)
}

// compare orders names as the loader does: byte by byte, but runs of digits as numbers, and digits after everything else.
func compare(a, b string) int {
	for a != "" && b != "" {
		da, db := isDigit(a[0]), isDigit(b[0])
		switch {
		case da && !db:
			return 1
		case !da && db:
			return -1
		case da:
			na, ra := number(a)
			nb, rb := number(b)
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = ra, rb
		case a[0] != b[0]:
			return int(int8(a[0])) - int(int8(b[0]))
		default:
			a, b = a[1:], b[1:]
		}
	}
	return len(a) - len(b)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number splits the digits off a string, without zeros in front.
func number(s string) (digits, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}

// Within reports whether a path is below one of the folders.
func Within(path string, dirs ...string) bool {
	return slices.ContainsFunc(dirs, func(d string) bool { return strings.HasPrefix(path, d+"/") })
}
