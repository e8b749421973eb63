package blob_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/digest"
)

// plain hides what a driver can do beside its contract.
type plain struct{ blob.Driver }

// TestStored: a blob that is there is taken in again, by drivers that can renew one and by those that cannot.
func TestStored(t *testing.T) {
	for name, wrap := range map[string]func(*diskblob.Driver) blob.Driver{
		"renews": func(d *diskblob.Driver) blob.Driver { return d },
		"copies": func(d *diskblob.Driver) blob.Driver { return plain{d} },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			d, err := diskblob.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			s := blob.New(wrap(d))
			if _, err := s.Stored(t.Context(), digest.Of([]byte("lambda"))); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("an absent one: got %v", err)
			}
			if err := s.Renew(t.Context(), digest.Of([]byte("lambda"))); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("renewed an absent one: got %v", err)
			}
			st, err := s.Stage(t.Context(), strings.NewReader("lambda"))
			if err != nil {
				t.Fatal(err)
			}
			if err := st.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			sum := st.Digest()
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(dir, "sha256", sum.Hex()[:2], sum.Hex()), old, old); err != nil {
				t.Fatal(err)
			}
			st, err = s.Stored(t.Context(), sum)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(io.NewSectionReader(st, 0, st.Size()))
			if err != nil || string(b) != "lambda" || st.Digest() != sum {
				t.Errorf("got %q with digest %s, %v", b, st.Digest(), err)
			}
			if err := errors.Join(st.Commit(t.Context()), st.Discard(), st.Discard()); err != nil {
				t.Error(err)
			}
			if deleted, err := s.DeleteBefore(t.Context(), sum, old.Add(time.Minute)); deleted || err != nil {
				t.Errorf("a blob that was taken in again is still old: %v, %v", deleted, err)
			}
		})
	}
}
