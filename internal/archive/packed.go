package archive

import (
	"fmt"
	"io"
)

// Packed is how the content of an entry lies in the zip. Two entries with equal Packed and equal packed bytes have the same
// content; CRC is the checksum that the zip announces, which is true only once the content was read to its end.
type Packed struct {
	Method     uint16
	CRC        uint32
	Size       int64 // of the content
	PackedSize int64 // of the packed bytes
}

// OpenPacked gives the bytes of an entry as they lie in the zip, unchecked.
func (a *Archive) OpenPacked(e Entry) (Packed, *io.SectionReader, error) {
	if e.file < 1 || e.file > len(a.records) || e.Type == Dir {
		return Packed{}, nil, fmt.Errorf("cannot open %s %q of an archive", e.Type, e.Path)
	}
	rec := &a.records[e.file-1]
	return Packed{rec.method, rec.crc, rec.size, rec.packed}, io.NewSectionReader(a.r, rec.data, rec.packed), nil
}
