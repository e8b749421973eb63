package lambdatest

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Form is a zip of a form that some writers give and that is to be taken in, and what it holds.
type Form struct {
	Name string
	Zip  []byte
	Want map[string]string // contents by path
}

// Forms gives zips as programs of all kinds write them. None is larger than a few kilobytes.
func Forms() []Form {
	const text = "lambda lambda lambda"
	one := map[string]string{"d/a.txt": text}
	plain := raw{name: "d/a.txt", content: text}
	wide, wideEnd, dos, utf8, cp437 := plain, plain, plain, plain, plain
	wide.wide = true
	wideEnd.wideEnd = true
	dos.madeBy, dos.attributes = 0, 0x20
	utf8.name, utf8.flags = "naïve/日本", 0x800
	cp437.name, cp437.madeBy = "na\x8bve/\xe3", 0
	described := ZipOf(Entry{Name: "d/a.txt", Content: text, Mode: 0o644})
	inner := Bomb(1 << 20)
	return []Form{
		{"sizes in the local header", plain.zip(""), one},
		{"sizes behind the content", described, one},
		{"zip64 sizes and offset", wide.zip(""), one},
		{"zip64 end record", wideEnd.zip(""), one},
		{"zip64 throughout", raw{name: "d/a.txt", content: text, wide: true, wideEnd: true}.zip(""), one},
		{"a prefix that offsets do not count", append([]byte("#!/bin/sh\nexit\n"), plain.zip("")...), one},
		{"a prefix that offsets count", plain.zip("#!/bin/sh\nexit\n"), one},
		{"a prefix before zip64", append([]byte("MZ and more"), wide.zip("")...), one},
		{"a comment", withComment(plain.zip(""), "made by hand"), one},
		{"a comment that looks like an end", withComment(plain.zip(""), "PK\x05\x06 is not the end"), one},
		{"made on DOS", dos.zip(""), one},
		{"a name in UTF-8 that says so", utf8.zip(""), map[string]string{"naïve/日本": text}},
		{"a name in code page 437", cp437.zip(""), map[string]string{"naïve/π": text}},
		{"a zip in a zip stays one", ZipOf(Entry{Name: "bomb.zip", Content: string(inner), Mode: 0o644, Store: true}),
			map[string]string{"bomb.zip": string(inner)}},
		{"an extra field that nobody knows", raw{name: "d/a.txt", content: text, extra: "\xfe\xca\x04\x00abcd"}.zip(""), one},
		{"an extra field that is cut", raw{name: "d/a.txt", content: text, extra: "\xfe\xca\xff"}.zip(""), one},
	}
}

// raw is a zip with one stored entry, written field by field.
type raw struct {
	name, content string
	extra         string
	flags         uint16
	madeBy        byte // 0: DOS
	attributes    uint32
	wide          bool // sizes and offset in a zip64 field
	wideEnd       bool // counts in a zip64 end record
}

func (r raw) zip(prefix string) []byte {
	b := bytes.NewBufferString(prefix)
	put := func(values ...any) {
		for _, v := range values {
			must(binary.Write(b, binary.LittleEndian, v))
		}
	}
	sum, size, extra := crc32.ChecksumIEEE([]byte(r.content)), uint32(len(r.content)), r.extra
	header := uint32(len(prefix))
	field := size
	if r.wide {
		var f bytes.Buffer
		for _, v := range []any{uint16(1), uint16(24), uint64(size), uint64(size), uint64(header)} {
			must(binary.Write(&f, binary.LittleEndian, v))
		}
		extra += f.String()
		field, header = 0xffffffff, 0xffffffff
	}
	put(uint32(0x04034b50), uint16(20), r.flags, uint16(0), uint16(0x2000), uint16(0x5843), sum, size, size, uint16(len(r.name)), uint16(0))
	b.WriteString(r.name + r.content)
	start := uint32(b.Len())
	put(uint32(0x02014b50), uint16(r.madeBy)<<8|20, uint16(20), r.flags, uint16(0), uint16(0x2000), uint16(0x5843), sum, field, field,
		uint16(len(r.name)), uint16(len(extra)), uint16(0), uint16(0), uint16(0), r.attributes, header)
	b.WriteString(r.name + extra)
	length := uint32(b.Len()) - start
	count := uint16(1)
	if r.wideEnd {
		at := uint64(b.Len())
		put(uint32(0x06064b50), uint64(44), uint16(45), uint16(45), uint32(0), uint32(0), uint64(1), uint64(1), uint64(length), uint64(start))
		put(uint32(0x07064b50), uint32(0), at, uint32(1))
		count, start = 0xffff, 0xffffffff
	}
	put(uint32(0x06054b50), uint16(0), uint16(0), count, count, length, start, uint16(0))
	return b.Bytes()
}

// withComment gives a zip that has none a comment.
func withComment(zip []byte, comment string) []byte {
	zip = bytes.Clone(zip)
	binary.LittleEndian.PutUint16(zip[len(zip)-2:], uint16(len(comment)))
	return append(zip, comment...)
}

// Many is a zip with n empty files in folders of 1000.
func Many(n int) []byte { return empties(n, "") }

func manyName(i int) string {
	const digits = "0123456789"
	var b [7]byte
	for at := len(b) - 1; at >= 0; at-- {
		b[at] = digits[i%10]
		i /= 10
	}
	return string(b[:4]) + "/" + string(b[4:])
}

// HugeDirectory is a zip whose directory is far larger than what it holds: n entries with a comment of 64 kB each.
func HugeDirectory(n int) []byte { return empties(n, strings.Repeat("c", 65535)) }

// empties is a zip of empty files whose headers have a comment. It is put together by hand, since it may be large.
func empties(n int, comment string) []byte {
	one := raw{name: manyName(0)}.zip("")
	nameLen := len(manyName(0))
	local, header, end := one[:30+nameLen], one[30+nameLen:30+46+2*nameLen], one[30+46+2*nameLen:]
	binary.LittleEndian.PutUint16(header[32:], uint16(len(comment)))
	body := make([]byte, 0, n*(len(local)+len(header)+len(comment))+len(end))
	for i := range n {
		copy(local[30:], manyName(i))
		body = append(body, local...)
	}
	start := len(body)
	for i := range n {
		copy(header[46:], manyName(i))
		binary.LittleEndian.PutUint32(header[42:], uint32(i*len(local)))
		body = append(append(body, header...), comment...)
	}
	binary.LittleEndian.PutUint16(end[8:], uint16(n)) // modulo 65536, as many writers do it
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(body)-start))
	binary.LittleEndian.PutUint32(end[16:], uint32(start))
	return append(body, end...)
}
