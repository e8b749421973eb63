package archive

import (
	"io/fs"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	flagEncrypted = 0x1 | 0x40 | 0x2000 // traditional, strong, and an encrypted directory
	flagPatched   = 0x20
	flagUTF8      = 0x800

	methodStore   = 0
	methodDeflate = 8

	extraZip64     = 0x0001
	extraTimestamp = 0x5455

	madeByUnix  = 3
	madeByMacOS = 19

	dosDirectory = 0x10

	modeType    = 0o170000
	modeRegular = 0o100000
	modeDir     = 0o040000
	modeSymlink = 0o120000

	maxName = 255  // bytes of one component, the file systems' limit
	maxPath = 4000 // bytes of a path: PATH_MAX less what /opt and the like need
	maxLink = 4095 // bytes of a link's target
)

// decode reads one central header.
func decode(b, rawName, extra []byte, base int64) (record, error) {
	flags, method := le.Uint16(b[8:]), le.Uint16(b[10:])
	name, err := decodeName(rawName, flags)
	if err != nil {
		return record{}, err
	}
	path, err := cleanPath(name)
	if err != nil {
		return record{}, err
	}
	if flags&flagPatched != 0 || method != methodStore && method != methodDeflate {
		return record{}, refuse(Corrupt, path, "unknown compression method %d", method)
	}
	rec := record{crc: le.Uint32(b[16:]), method: method, encrypted: flags&flagEncrypted != 0}
	if err := rec.decodeSizes(b, extra, base); err != nil {
		err.Path = path
		return record{}, err
	}
	rec.entry = Entry{Path: path, ModTime: decodeTime(le.Uint16(b[14:]), le.Uint16(b[12:]), extra)}
	if err := rec.decodeMode(b[5], le.Uint32(b[38:]), strings.HasSuffix(name, "/")); err != nil {
		return record{}, err
	}
	return rec, nil
}

func decodeName(b []byte, flags uint16) (string, error) {
	switch {
	case hasNUL(b):
		return "", refuse(Unsafe, string(b), "NUL in a name")
	case utf8.Valid(b):
		return string(b), nil
	case flags&flagUTF8 != 0:
		return "", refuse(Corrupt, string(b), "the name is not the UTF-8 that it says it is")
	}
	return fromCP437(b), nil
}

// cleanPath drops the parts of a name that mean nothing ("./", "//", a slash at the end). The path of the root itself is
// "".
func cleanPath(name string) (string, error) {
	if name == "" {
		return "", refuse(Corrupt, "", "an entry without a name")
	}
	if name[0] == '/' {
		return "", refuse(Unsafe, name, "absolute name")
	}
	if len(name) > maxPath {
		return "", refuse(Unsafe, name[:64], "name of %d bytes", len(name))
	}
	plain := true
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return "", refuse(Unsafe, name, "leads out of the archive")
		case len(part) > maxName:
			return "", refuse(Unsafe, name[:64], "name of %d bytes", len(part))
		case part == "" || part == ".":
			plain = false
		}
	}
	if plain {
		return name, nil
	}
	parts := strings.FieldsFunc(name, func(c rune) bool { return c == '/' })
	kept := parts[:0]
	for _, part := range parts {
		if part != "." {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "/"), nil
}

// decodeSizes reads the sizes and the offset, from the zip64 extra field where the header has no room for them.
func (rec *record) decodeSizes(b, extra []byte, base int64) *Error {
	sizes := [3]uint64{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	wide := extraField(extra, extraZip64)
	for i := range sizes {
		if sizes[i] != math.MaxUint32 {
			continue
		}
		if len(wide) < 8 {
			if wide == nil {
				continue // it really is that size
			}
			return refuse(Corrupt, "", "a zip64 field that is too short")
		}
		sizes[i], wide = le.Uint64(wide), wide[8:]
	}
	for _, n := range sizes {
		if n > maxSize {
			return refuse(Corrupt, "", "impossible size %d", n)
		}
	}
	rec.size, rec.packed, rec.header = int64(sizes[0]), int64(sizes[1]), int64(sizes[2])+base
	if rec.method == methodStore && rec.size != rec.packed {
		return refuse(Corrupt, "", "stored as it is, with two different sizes")
	}
	return nil
}

// decodeMode decides type and mode. Only entries made on Unix (or macOS) that carry any mode are asked for it.
func (rec *record) decodeMode(madeBy byte, attributes uint32, slash bool) error {
	e := &rec.entry
	e.Size = rec.size
	mode := attributes >> 16
	if madeBy != madeByUnix && madeBy != madeByMacOS {
		mode = 0
	}
	switch {
	case mode == 0 && (slash || attributes&dosDirectory != 0):
		e.Type, e.Mode = Dir, 0o755
	case mode == 0:
		e.Type, e.Mode = File, 0o644
	default:
		e.Mode = fs.FileMode(mode) & fs.ModePerm
		switch mode & modeType {
		case 0, modeRegular:
			if e.Type = File; slash {
				e.Type = Dir
			}
		case modeDir:
			e.Type = Dir
		case modeSymlink:
			e.Type, e.Mode = Symlink, fs.ModePerm
		default:
			return refuse(Unsafe, e.Path, "neither file, directory nor link (mode %#o)", mode)
		}
	}
	switch {
	case e.Type == Dir && e.Size > 0:
		return refuse(Corrupt, e.Path, "a directory with content")
	case e.Type != Dir && (slash || e.Path == ""):
		return refuse(Unsafe, e.Path, "a %s with a directory's name", e.Type)
	case e.Type == Symlink && (e.Size == 0 || e.Size > maxLink):
		return refuse(Corrupt, e.Path, "a link with a target of %d bytes", e.Size)
	}
	return nil
}

// decodeTime gives the modification time. The extended timestamp is a moment; a DOS time has no zone and is read as UTC,
// so that the same zip gives the same tree everywhere.
func decodeTime(date, clock uint16, extra []byte) time.Time {
	if ts := extraField(extra, extraTimestamp); len(ts) >= 5 && ts[0]&1 != 0 {
		return time.Unix(int64(int32(le.Uint32(ts[1:]))), 0).UTC()
	}
	month, day := max(1, date>>5&0xf), max(1, date&0x1f)
	return time.Date(1980+int(date>>9), time.Month(month), int(day),
		int(clock>>11), int(clock>>5&0x3f), int(clock&0x1f)*2, 0, time.UTC)
}
