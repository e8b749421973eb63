package layer

import (
	"bufio"
	"crypto/sha256"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
)

// MetadataDir is the folder that holds what our builder says about a layer. It is part of the tree and not of the content.
const MetadataDir = ".lamina"

// The first lines of what is hashed; a change of the format below is a new number.
const (
	contentHeader = "lamina content 1\n"
	treeHeader    = "lamina tree 1\n"
)

// fixedTime is the time of a directory that the zip only implies, and of the root of every tree.
var fixedTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// ModTime is the time that an entry has in a tree: its own, or the fixed one (1980-01-01 00:00:00 UTC) where the zip has
// none.
func ModTime(e archive.Entry) time.Time {
	if e.ModTime.IsZero() {
		return fixedTime
	}
	return e.ModTime
}

// Keys gives the content digest and the tree key of entries, which must be sorted by path and hold every parent directory,
// as those of an Archive do. sums[i] is the SHA-256 of the content of entries[i] (of a link: of its target); those of
// directories are not looked at.
//
// Both are the SHA-256 of a header line and, for each entry in order:
//
//	type ' ' mode ' ' sum [' ' mtime] ' ' path NUL
//
// with type one of "f", "d", "l"; mode four octal digits; sum 64 hex digits, "-" for a directory; mtime the seconds since
// 1970 in decimal, in the tree key only. A path has no NUL, so no two trees give the same bytes. The content digest leaves
// out ".lamina" and all that lies below it.
func Keys(entries []archive.Entry, sums []digest.Digest) (content, tree digest.Digest) {
	c, t := newKeyHash(contentHeader), newKeyHash(treeHeader)
	var line []byte
	for i, e := range entries {
		line = append(line[:0], "fdl"[e.Type], ' ')
		line = appendMode(line, uint64(e.Mode.Perm()))
		line = append(line, ' ')
		if e.Type == archive.Dir {
			line = append(line, '-')
		} else {
			line = append(line, sums[i].Hex()...)
		}
		n := len(line)
		line = append(append(append(line, ' '), e.Path...), 0)
		if !isMetadata(e.Path) {
			c.Write(line)
		}
		line = strconv.AppendInt(append(line[:n], ' '), ModTime(e).Unix(), 10)
		t.Write(append(append(append(line, ' '), e.Path...), 0))
	}
	return c.sum(), t.sum()
}

func isMetadata(path string) bool {
	return path == MetadataDir || strings.HasPrefix(path, MetadataDir+"/")
}

func appendMode(b []byte, mode uint64) []byte {
	digits := strconv.FormatUint(mode, 8)
	return append(append(b, "0000"[min(4, len(digits)):]...), digits...)
}

// keyHash collects lines before it hashes them.
type keyHash struct {
	*bufio.Writer
	hash hash.Hash
}

func newKeyHash(header string) keyHash {
	h := sha256.New()
	k := keyHash{bufio.NewWriter(h), h}
	k.WriteString(header)
	return k
}

func (k keyHash) sum() digest.Digest {
	k.Flush() // a hash does not fail
	return digest.Sum(k.hash)
}
