package objects

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"slices"
)

// What a sum of an upload is made of.
const (
	FullObject = "FULL_OBJECT" // all bytes
	Composite  = "COMPOSITE"   // the sums of the parts
)

// Algorithms are the sums beside MD5 that we can make.
var Algorithms = []string{"CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"}

// IsAlgorithm reports whether we can make a sum.
func IsAlgorithm(name string) bool { return slices.Contains(Algorithms, name) }

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvme       = crc64.MakeTable(0x9a6c9329ac4bc9b5) // reversed, as Go wants it
)

// newHash makes one of Algorithms.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case "CRC32":
		return crc32.NewIEEE()
	case "CRC32C":
		return crc32.New(castagnoli)
	case "CRC64NVME":
		return crc64.New(nvme)
	case "SHA1":
		return sha1.New()
	case "SHA256":
		return sha256.New()
	}
	return nil
}

// sums are what is summed up of bytes that pass by.
type sums struct {
	md5   hash.Hash
	other hash.Hash // nil when no algorithm was named
}

func newSums(algorithm string) *sums { return &sums{md5: md5.New(), other: newHash(algorithm)} }

func (s *sums) Write(p []byte) (int, error) {
	s.md5.Write(p)
	if s.other != nil {
		s.other.Write(p)
	}
	return len(p), nil
}

// checksum gives the sum of the named algorithm, "" when none was named.
func (s *sums) checksum() string {
	if s.other == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(s.other.Sum(nil))
}
