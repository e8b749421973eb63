// Package archive reads zips that strangers sent and writes zips that always come out the same.
//
// Open reads the whole central directory and every local header before it gives anything back, so an Archive that exists
// is one whose entries can be listed, and whose paths can be written below a folder, without a further thought: each path
// is clean, relative and free of "..", each entry is a file, a directory or a symbolic link, no two entries share a path
// or bytes of the zip, and nothing lies below a path that is not a directory. What is refused, and why, is an *Error.
//
// The rest is kept as it was sent: any target of a link, backslashes (they are characters of a name), names that differ in
// case only, modes that nobody can read. Of several entries with one name the last counts. Set-user-ID, set-group-ID and
// sticky bits are dropped. Where an entry has no Unix mode (a zip made on Windows), a directory is 0755 and a file 0644.
//
// Content is checked while it is read: a reader of Archive.Open gives exactly the bytes that the directory announced,
// with the checksum that it announced, or an error in place of io.EOF. Memory does not grow with the content.
package archive

import (
	"io"
	"io/fs"
	"time"
)

// Limits bound what Open accepts; 0 means no limit.
type Limits struct {
	UnzippedSize int64 // bytes of all entries together
	Entries      int   // entries of the zip, and again directories that they imply
}

// Type is what an entry is.
type Type uint8

// The types of entries. There are no others: devices, pipes and sockets are refused.
const (
	File Type = iota
	Dir
	Symlink
)

func (t Type) String() string { return [...]string{"file", "directory", "symbolic link"}[t] }

// Entry is one file, directory or symbolic link.
type Entry struct {
	Path    string      // clean, slash-separated, relative, without a slash at the end
	Type    Type        //
	Mode    fs.FileMode // permission bits only; 0777 for a link
	ModTime time.Time   // UTC, whole seconds; zero for a directory that the zip only implies
	Size    int64       // bytes of content; of a link, those of its target; 0 for a directory

	file int // 1 + index of the record that it came from; 0 for an implied directory
}

// Archive is a zip that has passed every check that can be made without inflating it. Its methods may be called
// concurrently, as long as the reader under it allows that.
type Archive struct {
	r        io.ReaderAt
	records  []record
	entries  []Entry
	unzipped int64
}

// Open reads the directory of a zip of size bytes and refuses what is hostile, damaged or over a limit with an *Error.
// Another error comes from r.
func Open(r io.ReaderAt, size int64, lim Limits) (*Archive, error) {
	dir, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	records, err := readDirectory(r, dir, lim.Entries)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, refuse(Empty, "", "no entries")
	}
	if err := locate(r, records, dir.start); err != nil {
		return nil, err
	}
	a := &Archive{r: r, records: records}
	if err := a.resolve(lim); err != nil {
		return nil, err
	}
	return a, nil
}

// Entries gives what the zip holds, sorted by path (as bytes), with every parent directory before its content. The slice
// is the archive's own and must not be changed.
func (a *Archive) Entries() []Entry { return a.entries }

// UnzippedSize is the bytes of all entries together.
func (a *Archive) UnzippedSize() int64 { return a.unzipped }
