package layerstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/laminadev/lamina/internal/archive"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/failpoint"
)

// packedName is the table's file; the number is that of its format.
const packedName = "packed.1"

const (
	packedRecord  = 64 // bytes
	packedBucket  = 4096
	packedSlots   = packedBucket / packedRecord
	packedSmall   = 16   // buckets of a new table
	packedLarge   = 4096 // buckets that a table grows to: 16 MB, 262,144 records
	packedKeySize = 24
)

// packedKey names the content of an entry by its bytes in the zip: the first 24 bytes of the SHA-256 of those, method, sizes
// and announced checksum. An entry with the key of one that was read to its end holds the same content, and what it announces
// is true. (A checksum alone could be forged.)
type packedKey [packedKeySize]byte

// keyOfPacked reads the packed bytes of an entry.
func keyOfPacked(h hash.Hash, buf []byte, p archive.Packed, r io.Reader) (k packedKey, err error) {
	h.Reset()
	for {
		n, err := r.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return k, err
		}
	}
	var tail [22]byte
	binary.LittleEndian.PutUint16(tail[:], p.Method)
	binary.LittleEndian.PutUint32(tail[2:], p.CRC)
	binary.LittleEndian.PutUint64(tail[6:], uint64(p.Size))
	binary.LittleEndian.PutUint64(tail[14:], uint64(p.PackedSize))
	h.Write(tail[:])
	copy(k[:], h.Sum(nil))
	return k, nil
}

// packedEntry is what the table says of one key.
type packedEntry struct {
	key packedKey
	sum digest.Digest // of the content
}

// packedTable remembers what packed bytes inflate to, so that they are not inflated again. It may forget, and may be lost.
//
// It is a file of 16 to 4096 buckets (a power of two) of 4096 bytes, each with 64 records: 24 bytes of key, 32 bytes of the
// content's SHA-256, and the first 8 bytes of the SHA-256 of those two, without which a record is an empty slot: so a crash
// while a record is written leaves an empty one, and who reads at that moment sees one. The bucket of a key is the little-endian number in its first four bytes,
// modulo the number of buckets. When a bucket is full, the table doubles; at its largest, a new record takes the place of an
// old one.
type packedTable struct {
	path string

	mu sync.RWMutex
	f  *os.File // nil when there is none yet
	n  uint32   // buckets
}

func openPackedTable(path string) *packedTable {
	t := &packedTable{path: path}
	t.reopen()
	return t
}

// reopen looks at the file that has the name now. One that cannot be read counts as none.
func (t *packedTable) reopen() {
	if t.f != nil {
		t.f.Close()
	}
	t.f, t.n = nil, 0
	f, err := os.OpenFile(t.path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	info, err := f.Stat()
	n := uint32(0)
	if err == nil && info.Size() <= packedLarge*packedBucket {
		n = uint32(info.Size() / packedBucket)
	}
	if n == 0 || n&(n-1) != 0 || info.Size()%packedBucket != 0 {
		f.Close()
		return
	}
	t.f, t.n = f, n
}

func (t *packedTable) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.f == nil {
		return nil
	}
	err := t.f.Close()
	t.f = nil
	return err
}

// get looks a key up; buf has room for a bucket.
func (t *packedTable) get(k packedKey, buf []byte) (digest.Digest, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.f == nil {
		return digest.Digest{}, false
	}
	bucket := buf[:packedBucket]
	if _, err := t.f.ReadAt(bucket, int64(bucketOf(k, t.n))*packedBucket); err != nil {
		return digest.Digest{}, false
	}
	for at := 0; at < packedBucket; at += packedRecord {
		if bytes.Equal(bucket[at:at+packedKeySize], k[:]) {
			return decodePacked(bucket[at : at+packedRecord])
		}
	}
	return digest.Digest{}, false
}

// put adds records. Other processes may do so at the same time.
func (t *packedTable) put(entries []packedEntry) error {
	if len(entries) == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	unlock, err := t.lock()
	if err != nil {
		return err
	}
	defer unlock()
	t.reopen() // another may have replaced it
	if done, err := t.insert(entries); done || err != nil {
		return err
	}
	table := make([]byte, max(t.n, packedSmall)*packedBucket)
	if t.f != nil {
		if _, err := t.f.ReadAt(table, 0); err != nil {
			return err
		}
	}
	for _, e := range entries {
		for !insertPacked(table, e) {
			table = growPacked(table)
		}
	}
	return t.replace(table)
}

// insert writes the buckets of a few records in place. It reports whether it has; it has not when the table is to grow, or when it
// is no more to write all of it.
func (t *packedTable) insert(entries []packedEntry) (done bool, err error) {
	if t.f == nil || len(entries) > int(t.n)/8 {
		return false, nil
	}
	changed := map[uint32][]byte{}
	for _, e := range entries {
		n := bucketOf(e.key, t.n)
		bucket := changed[n]
		if bucket == nil {
			bucket = make([]byte, packedBucket)
			if _, err := t.f.ReadAt(bucket, int64(n)*packedBucket); err != nil {
				return false, err
			}
			changed[n] = bucket
		}
		if !insertBucket(bucket, e, t.n) {
			return false, nil
		}
	}
	for n, bucket := range changed {
		if _, err := failpoint.WriteAt("layerstore.packed-bucket", t.f, bucket, int64(n)*packedBucket); err != nil {
			return false, err
		}
	}
	return true, nil
}

// lock keeps other processes from replacing the file.
func (t *packedTable) lock() (func(), error) {
	f, err := failpoint.OpenFile("layerstore.packed-lock", t.path+".lock", os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	return func() { f.Close() }, nil
}

// replace writes the whole table beside the old one and gives it the name. It is not synced: a record that is not whole is
// none.
func (t *packedTable) replace(table []byte) error {
	f, err := failpoint.CreateTemp("layerstore.packed", filepath.Dir(t.path), scratch) // 0600: it tells what an account has
	if err != nil {
		return err
	}
	defer failpoint.Remove("layerstore.packed-done", f.Name())
	_, err = failpoint.Write("layerstore.packed-write", f, table)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := failpoint.Rename("layerstore.packed-name", f.Name(), t.path); err != nil {
		return err
	}
	t.reopen()
	return nil
}

func bucketOf(k packedKey, n uint32) uint32 { return binary.LittleEndian.Uint32(k[:]) & (n - 1) }

// insertPacked reports whether there was room, which there always is in a table that must not grow.
func insertPacked(table []byte, e packedEntry) bool {
	n := uint32(len(table) / packedBucket)
	return insertBucket(table[bucketOf(e.key, n)*packedBucket:][:packedBucket], e, n)
}

// insertBucket does so in one bucket of a table of n.
func insertBucket(bucket []byte, e packedEntry, n uint32) bool {
	free := -1
	for at := packedBucket - packedRecord; at >= 0; at -= packedRecord {
		switch packedKey(bucket[at : at+packedKeySize]) {
		case e.key:
			encodePacked(bucket[at:at+packedRecord], e) // it may have been damaged
			return true
		case packedKey{}:
			free = at
		}
	}
	if free < 0 {
		free = damagedSlot(bucket)
	}
	if free < 0 {
		if n < packedLarge {
			return false
		}
		free = int(e.key[4]%packedSlots) * packedRecord
	}
	encodePacked(bucket[free:free+packedRecord], e)
	return true
}

// damagedSlot finds a slot whose record is none, -1 when there is none.
func damagedSlot(bucket []byte) int {
	for at := 0; at < packedBucket; at += packedRecord {
		if _, ok := decodePacked(bucket[at : at+packedRecord]); !ok {
			return at
		}
	}
	return -1
}

func growPacked(table []byte) []byte {
	larger := make([]byte, 2*len(table))
	for at := 0; at < len(table); at += packedRecord {
		if sum, ok := decodePacked(table[at : at+packedRecord]); ok {
			insertPacked(larger, packedEntry{packedKey(table[at : at+packedKeySize]), sum}) // half of a bucket fits into one
		}
	}
	return larger
}

func encodePacked(b []byte, e packedEntry) {
	copy(b, e.key[:])
	copy(b[packedKeySize:], e.sum[:])
	check := sha256.Sum256(b[:packedKeySize+len(e.sum)])
	copy(b[packedKeySize+len(e.sum):packedRecord], check[:])
}

func decodePacked(b []byte) (digest.Digest, bool) {
	const end = packedKeySize + len(digest.Digest{})
	check := sha256.Sum256(b[:end])
	return digest.Digest(b[packedKeySize:end]), bytes.Equal(check[:packedRecord-end], b[end:])
}
