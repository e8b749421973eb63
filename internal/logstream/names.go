package logstream

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

const (
	segmentSuffix = ".jsonl"
	maxName       = 180 // bytes of an escaped name; file systems allow 255
)

// groupDir is the folder of a log group.
func groupDir(dir string, s lambda.Scope, group string) string {
	return filepath.Join(dir, escape(s.Partition), escape(s.Account), escape(s.Region), escape(group))
}

// escape gives a file name for any string, a different one for each: letters, digits, "-" and "_" stay, everything else
// becomes "=" and two hex digits, so no name is hidden, is "..", or has a separator. A name that would be too long keeps
// its beginning and gets a hash.
func escape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	if b.Len() == 0 {
		return "="
	}
	if b.Len() <= maxName {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return b.String()[:maxName-66] + "=." + hex.EncodeToString(sum[:])
}
