package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// A zip ends with an end record (perhaps with a zip64 one before it), which says where the central directory is; each
// header of that directory says where a local header is; behind that one are the bytes of the file.
const (
	localMagic     = 0x04034b50
	centralMagic   = 0x02014b50
	endMagic       = 0x06054b50
	end64Magic     = 0x06064b50
	locator64Magic = 0x07064b50

	localLen     = 30
	centralLen   = 46
	endLen       = 22
	end64Len     = 56
	locator64Len = 20
)

// maxSize keeps sums of sizes and offsets far from overflow.
const maxSize = 1 << 50

var le = binary.LittleEndian

// directory is where the central directory lies.
type directory struct {
	start, size int64
	base        int64 // bytes before the zip: what a self-extracting archive has in front
	count       uint64
	wide        bool // count comes from a zip64 record: all of its bits count
}

// record is a central header, decoded, and where its content lies.
type record struct {
	entry     Entry
	crc       uint32
	method    uint16
	size      int64 // of the content
	packed    int64 // of the bytes in the zip
	header    int64 // offset of the local header
	data      int64 // offset of the bytes
	encrypted bool
}

func findDirectory(r io.ReaderAt, size int64) (directory, error) {
	end, at, err := findEnd(r, size)
	if err != nil {
		return directory{}, err
	}
	dir := directory{count: uint64(le.Uint16(end[10:])), size: int64(le.Uint32(end[12:]))}
	offset := int64(le.Uint32(end[16:]))
	disk := le.Uint16(end[4:]) | le.Uint16(end[6:])
	if dir.count == math.MaxUint16 || dir.size == math.MaxUint32 || offset == math.MaxUint32 {
		wide, err := findEnd64(r, at)
		if err != nil {
			return directory{}, err
		}
		if wide != nil {
			dir = directory{count: le.Uint64(wide.record[32:]), wide: true, size: int64(le.Uint64(wide.record[40:]))}
			offset, at, disk = int64(le.Uint64(wide.record[48:])), wide.at, 0
		}
	}
	if disk != 0 {
		return directory{}, refuse(Corrupt, "", "one part of several")
	}
	if dir.size < 0 || dir.size > at || offset < 0 || offset > at-dir.size {
		return directory{}, refuse(Corrupt, "", "the directory lies outside of the zip")
	}
	dir.start = at - dir.size
	dir.base = dir.start - offset
	if dir.base > 0 && dir.size > 0 && !hasMagic(r, dir.start) && hasMagic(r, offset) {
		dir.start, dir.base = offset, 0
	}
	return dir, nil
}

func hasMagic(r io.ReaderAt, at int64) bool {
	var b [4]byte
	_, err := r.ReadAt(b[:], at)
	return err == nil && le.Uint32(b[:]) == centralMagic
}

// findEnd finds the last end record whose comment fits into the rest of the zip.
func findEnd(r io.ReaderAt, size int64) ([]byte, int64, error) {
	for _, span := range []int64{1024, endLen + math.MaxUint16} {
		b := make([]byte, min(span, size))
		if err := readAt(r, b, size-int64(len(b))); err != nil {
			return nil, 0, err
		}
		for i := len(b) - endLen; i >= 0; i-- {
			if le.Uint32(b[i:]) == endMagic && i+endLen+int(le.Uint16(b[i+20:])) <= len(b) {
				return b[i : i+endLen], size - int64(len(b)-i), nil
			}
		}
	}
	return nil, 0, refuse(NotZip, "", "no end record")
}

type end64 struct {
	record []byte
	at     int64
}

// findEnd64 reads the zip64 end record that the locator before the end record points to; none is no error.
func findEnd64(r io.ReaderAt, end int64) (*end64, error) {
	if end < locator64Len+end64Len {
		return nil, nil
	}
	var loc [locator64Len]byte
	if err := readAt(r, loc[:], end-locator64Len); err != nil {
		return nil, err
	}
	if le.Uint32(loc[:]) != locator64Magic {
		return nil, nil
	}
	at := le.Uint64(loc[8:])
	if at > uint64(end-locator64Len-end64Len) {
		return nil, refuse(Corrupt, "", "the zip64 end record lies outside of the zip")
	}
	b := make([]byte, end64Len)
	if err := readAt(r, b, int64(at)); err != nil {
		return nil, err
	}
	if le.Uint32(b) != end64Magic {
		return nil, refuse(Corrupt, "", "no zip64 end record")
	}
	if le.Uint32(b[16:]) != 0 || le.Uint32(b[20:]) != 0 {
		return nil, refuse(Corrupt, "", "one part of several")
	}
	return &end64{b, int64(at)}, nil
}

// readDirectory decodes the central headers, at most limit of them.
func readDirectory(r io.ReaderAt, dir directory, limit int) ([]record, error) {
	src := bufio.NewReaderSize(io.NewSectionReader(r, dir.start, dir.size), 64<<10)
	var records []record
	var fixed [centralLen]byte
	var rest []byte
	for left := dir.size; left > 0; {
		if limit > 0 && len(records) == limit {
			return nil, refuse(Unsafe, "", "more than %d entries", limit)
		}
		if _, err := io.ReadFull(src, fixed[:]); err != nil {
			return nil, truncated(err)
		}
		if le.Uint32(fixed[:]) != centralMagic {
			return nil, refuse(Corrupt, "", "no header at entry %d of the directory", len(records)+1)
		}
		name, extra, comment := int(le.Uint16(fixed[28:])), int(le.Uint16(fixed[30:])), int(le.Uint16(fixed[32:]))
		rest = slices.Grow(rest[:0], name+extra+comment)[:name+extra+comment]
		if _, err := io.ReadFull(src, rest); err != nil {
			return nil, truncated(err)
		}
		left -= int64(len(fixed) + len(rest))
		rec, err := decode(fixed[:], rest[:name], rest[name:name+extra], dir.base)
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	if n := uint64(len(records)); n != dir.count && (dir.wide || n&math.MaxUint16 != dir.count) {
		return nil, refuse(Corrupt, "", "the directory announces %d entries and has %d", dir.count, n)
	}
	return records, nil
}

// locate reads the local headers, finds where the content begins, and refuses bytes that belong to two entries: a zip of a
// few kilobytes can announce terabytes that way.
func locate(r io.ReaderAt, records []record, end int64) error {
	order := make([]*record, len(records))
	for i := range records {
		order[i] = &records[i]
	}
	slices.SortFunc(order, func(a, b *record) int {
		switch {
		case a.header < b.header:
			return -1
		case a.header > b.header:
			return 1
		}
		return 0
	})
	free := int64(0)
	for _, rec := range order {
		if rec.header < free {
			return refuse(Unsafe, rec.entry.Path, "overlaps another entry")
		}
		if rec.header > end-localLen {
			return refuse(Corrupt, rec.entry.Path, "its header lies outside of the zip")
		}
		var b [localLen]byte
		if err := readAt(r, b[:], rec.header); err != nil {
			return err
		}
		if le.Uint32(b[:]) != localMagic {
			return refuse(Corrupt, rec.entry.Path, "no local header")
		}
		if rec.encrypted || le.Uint16(b[6:])&flagEncrypted != 0 {
			return refuse(Unsafe, rec.entry.Path, "is encrypted")
		}
		if m := le.Uint16(b[8:]); m != rec.method {
			return refuse(Corrupt, rec.entry.Path, "compression method %d in one header, %d in the other", rec.method, m)
		}
		rec.data = rec.header + localLen + int64(le.Uint16(b[26:])) + int64(le.Uint16(b[28:]))
		if rec.data > end || rec.packed > end-rec.data {
			return refuse(Corrupt, rec.entry.Path, "its content lies outside of the zip")
		}
		free = rec.data + rec.packed
	}
	return nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	return truncated(err)
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse(Corrupt, "", "ends early")
	}
	return fmt.Errorf("cannot read the zip: %w", err)
}

// extraField finds a block of an extra field.
func extraField(extra []byte, id uint16) []byte {
	for len(extra) >= 4 {
		n := int(le.Uint16(extra[2:]))
		if n > len(extra)-4 {
			return nil
		}
		if le.Uint16(extra) == id {
			return extra[4 : 4+n]
		}
		extra = extra[4+n:]
	}
	return nil
}

var nul = []byte{0}

func hasNUL(b []byte) bool { return bytes.Contains(b, nul) }
