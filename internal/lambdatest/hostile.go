package lambdatest

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"strings"
)

// HostileZip is a zip that must be refused.
type HostileZip struct {
	Name   string
	Zip    []byte
	Reason string // as archive.Reason prints it
	Late   bool   // its directory is in order: only reading the content shows it
}

// HostileZips gives zips that no store may take in, none larger than a few kilobytes. They are also the seeds of the fuzz
// targets.
func HostileZips() []HostileZip {
	one := ZipOf(Entry{Name: "a.txt", Content: strings.Repeat("lambda ", 100), Mode: 0o644})
	stored := ZipOf(Entry{Name: "a.txt", Content: "content", Mode: 0o644, Store: true})
	const unsafe, corrupt, notZip, empty = "unsafe zip", "corrupt zip", "not a zip", "empty zip"
	named := func(name string) []byte { return ZipOf(Entry{Name: name, Content: "x", Mode: 0o644}) }
	typed := func(mode fs.FileMode) []byte { return ZipOf(Entry{Name: "dev", Mode: mode}) }
	return []HostileZip{
		{Name: "nothing", Zip: nil, Reason: notZip},
		{Name: "text", Zip: []byte("this is not a zip, whatever its name says"), Reason: notZip},
		{Name: "gzip", Zip: []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00"), Reason: notZip},
		{Name: "no-entries", Zip: ZipOf(), Reason: empty},
		{Name: "only-root", Zip: ZipOf(Entry{Name: "./", Mode: fs.ModeDir | 0o755}), Reason: empty},
		{Name: "truncated", Zip: one[:len(one)-30], Reason: notZip},
		{Name: "head-cut-off", Zip: one[20:], Reason: corrupt},

		{Name: "dotdot", Zip: named("../escape"), Reason: unsafe},
		{Name: "dotdot-inside", Zip: named("a/../../escape"), Reason: unsafe},
		{Name: "dotdot-at-end", Zip: named("a/.."), Reason: unsafe},
		{Name: "absolute", Zip: named("/etc/passwd"), Reason: unsafe},
		{Name: "nul", Zip: named("a\x00b"), Reason: unsafe},
		{Name: "no-name", Zip: named(""), Reason: corrupt},
		{Name: "bad-utf8", Zip: setCentral(named("\xff\xfe"), 8, 2, 0x800), Reason: corrupt},
		{Name: "long-component", Zip: named(strings.Repeat("n", 256)), Reason: unsafe},
		{Name: "long-path", Zip: named(strings.Repeat("d/", 2200) + "f"), Reason: unsafe},
		{Name: "file-named-as-root", Zip: named("."), Reason: unsafe},

		{Name: "char-device", Zip: typed(fs.ModeDevice | fs.ModeCharDevice | 0o600), Reason: unsafe},
		{Name: "block-device", Zip: typed(fs.ModeDevice | 0o600), Reason: unsafe},
		{Name: "fifo", Zip: typed(fs.ModeNamedPipe | 0o600), Reason: unsafe},
		{Name: "socket", Zip: typed(fs.ModeSocket | 0o600), Reason: unsafe},
		{Name: "link-with-slash", Zip: patchName(ZipOf(Entry{Name: "linkX", Content: "t", Mode: fs.ModeSymlink | 0o777}), "linkX", "link/"), Reason: unsafe},
		{Name: "link-without-target", Zip: ZipOf(Entry{Name: "link", Mode: fs.ModeSymlink | 0o777}), Reason: corrupt},
		{Name: "link-too-long", Zip: ZipOf(Entry{Name: "link", Content: strings.Repeat("t", 4096), Mode: fs.ModeSymlink | 0o777}), Reason: corrupt},
		{Name: "directory-with-content", Zip: patchName(named("dirX"), "dirX", "dir/"), Reason: corrupt},

		{Name: "through-link", Zip: ZipOf(
			Entry{Name: "out", Content: "/tmp", Mode: fs.ModeSymlink | 0o777},
			Entry{Name: "out/escape", Content: "x", Mode: 0o644}), Reason: unsafe},
		{Name: "below-file", Zip: ZipOf(
			Entry{Name: "a", Content: "x", Mode: 0o644},
			Entry{Name: "a/b/c", Content: "x", Mode: 0o644}), Reason: unsafe},
		{Name: "file-over-directory", Zip: ZipOf(
			Entry{Name: "a/b", Content: "x", Mode: 0o644},
			Entry{Name: "a", Content: "x", Mode: 0o644}), Reason: unsafe},

		{Name: "encrypted", Zip: setCentral(one, 8, 2, 0x9), Reason: unsafe},
		{Name: "encrypted-locally", Zip: setLocal(one, 6, 2, 0x9), Reason: unsafe},
		{Name: "unknown-method", Zip: setCentral(one, 10, 2, 12), Reason: corrupt},
		{Name: "two-methods", Zip: setLocal(one, 8, 2, 0), Reason: corrupt},
		{Name: "no-local-header", Zip: setLocal(one, 0, 4, 0), Reason: corrupt},
		{Name: "offset-outside", Zip: setCentral(one, 42, 4, 1<<30), Reason: corrupt},
		{Name: "packed-too-large", Zip: setCentral(one, 20, 4, 1<<30), Reason: corrupt},
		{Name: "stored-with-two-sizes", Zip: setCentral(stored, 24, 4, 1<<20), Reason: corrupt},
		{Name: "count-too-small", Zip: setEnd(ZipOf(Entry{Name: "a", Mode: 0o644}, Entry{Name: "b", Mode: 0o644}), 10, 2, 1), Reason: corrupt},
		{Name: "count-too-large", Zip: setEnd(one, 10, 2, 7), Reason: corrupt},
		{Name: "directory-outside", Zip: setEnd(one, 16, 4, 1<<30), Reason: corrupt},
		{Name: "several-disks", Zip: setEnd(one, 4, 2, 1), Reason: corrupt},
		{Name: "overlap", Zip: overlapping(), Reason: unsafe},

		{Name: "wrong-sum", Zip: setCentral(one, 16, 4, 0xdeadbeef), Reason: corrupt, Late: true},
		{Name: "wrong-sum-stored", Zip: bytes.Replace(stored, []byte("content"), []byte("CONTENT"), 1), Reason: corrupt, Late: true},
		{Name: "shorter-than-announced", Zip: setCentral(one, 24, 4, 701), Reason: corrupt, Late: true},
		{Name: "longer-than-announced", Zip: setCentral(one, 24, 4, 10), Reason: corrupt, Late: true},
		{Name: "announced-as-nothing", Zip: setCentral(one, 24, 4, 0), Reason: corrupt, Late: true},
		{Name: "damaged", Zip: damage(one), Reason: corrupt, Late: true},
		{Name: "link-with-nul", Zip: ZipOf(Entry{Name: "link", Content: "a\x00b", Mode: fs.ModeSymlink | 0o777}), Reason: unsafe, Late: true},
	}
}

// Bomb is a zip that unzips to size bytes of zeros in one file: a thousand times its own size.
func Bomb(size int) []byte {
	return ZipOf(Entry{Name: "zeros", Content: string(make([]byte, size)), Mode: 0o644})
}

// LyingBomb is a Bomb that announces another size than it has.
func LyingBomb(size, announced int) []byte { return setCentral(Bomb(size), 24, 4, uint64(announced)) }

// overlapping is a zip whose directory lists the bytes of one entry twice.
func overlapping() []byte {
	z := ZipOf(Entry{Name: "a", Content: "x", Mode: 0o644}, Entry{Name: "b", Content: "x", Mode: 0o644})
	first := bytes.Index(z, []byte("PK\x01\x02"))
	second := first + 4 + bytes.Index(z[first+4:], []byte("PK\x01\x02"))
	copy(z[second+42:], make([]byte, 4)) // the offset of the local header
	return z
}

// setCentral overwrites a field of the first header of the central directory.
func setCentral(z []byte, at, size int, v uint64) []byte { return set(z, "PK\x01\x02", at, size, v) }

// setLocal overwrites a field of the first local header.
func setLocal(z []byte, at, size int, v uint64) []byte { return set(z, "PK\x03\x04", at, size, v) }

// setEnd overwrites a field of the end record.
func setEnd(z []byte, at, size int, v uint64) []byte { return set(z, "PK\x05\x06", at, size, v) }

func set(z []byte, magic string, at, size int, v uint64) []byte {
	z = bytes.Clone(z)
	i := bytes.Index(z, []byte(magic)) + at
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(z[i:i+size], b[:])
	return z
}

func patchName(z []byte, from, to string) []byte {
	return bytes.ReplaceAll(z, []byte(from), []byte(to))
}

// damage turns over bits of the first entry's compressed bytes.
func damage(z []byte) []byte {
	z = bytes.Clone(z)
	at := bytes.Index(z, []byte("a.txt")) + len("a.txt") + 16
	for i := range 6 {
		z[at+i] ^= 0x55
	}
	return z
}
