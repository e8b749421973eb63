package daemon_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
)

// restored makes a data folder of a backup.
func restored(t *testing.T, file string) config.Config {
	t.Helper()
	cfg := settings(t)
	if _, err := daemon.Restore(t.Context(), cfg, file); err != nil {
		t.Fatalf("Restore: %v", err)
	}
	return cfg
}

// TestBackupWhileServing publishes all the while; every backup holds what was answered before it began, and is whole.
func TestBackupWhileServing(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	c := r.client(t)
	publish(t, c, "before")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				publish(t, c, "during"+string(rune('a'+i%26)))
			}
		}
	})
	file := filepath.Join(t.TempDir(), "backup.tar")
	done, err := daemon.Backup(t.Context(), cfg, file)
	close(stop)
	wg.Wait()
	if err != nil || done.Zips == 0 {
		t.Fatalf("Backup: %+v, %v", done, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}

	copied := restored(t, file)
	if findings, looked := check(t, copied); len(findings) != 0 || looked.Zips != done.Zips {
		t.Errorf("found %+v in %+v, want %d zips", findings, looked, done.Zips)
	}
	again := start(t, copied)
	list, err := again.client(t).ListLayerVersions(t.Context(), &awslambda.ListLayerVersionsInput{LayerName: aws.String("before")})
	if err != nil || len(list.LayerVersions) != 1 {
		t.Errorf("versions after restoring: %+v, %v", list, err)
	}
	for _, name := range []string{"secret"} {
		was, _ := os.ReadFile(filepath.Join(cfg.Data, name))
		is, err := os.ReadFile(filepath.Join(copied.Data, name))
		if err != nil || !bytes.Equal(was, is) {
			t.Errorf("%s is not what it was (%v)", name, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(cfg.Data, ".backup-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// backedUp gives the bytes of a backup with one zip.
func backedUp(t *testing.T) []byte {
	t.Helper()
	cfg := settings(t)
	r := start(t, cfg)
	publish(t, r.client(t), "libs")
	file := filepath.Join(t.TempDir(), "backup.tar")
	if _, err := daemon.Backup(t.Context(), cfg, file); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Backup(t.Context(), cfg, file); err == nil {
		t.Error("a second backup has replaced the first")
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// renamed gives a backup with another name of one file.
func renamed(t *testing.T, b []byte, from, to string) []byte {
	t.Helper()
	return changedTar(t, b, from, func(h *tar.Header, content []byte) []byte { h.Name = to; return content })
}

// replaced gives a backup with another content of one file.
func replaced(t *testing.T, b []byte, name string, content []byte) []byte {
	t.Helper()
	return changedTar(t, b, name, func(h *tar.Header, _ []byte) []byte { h.Size = int64(len(content)); return content })
}

func changedTar(t *testing.T, b []byte, name string, change func(*tar.Header, []byte) []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	r, w := tar.NewReader(bytes.NewReader(b)), tar.NewWriter(&out)
	for found := false; ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) && found {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == name {
			content, found = change(h, content), true
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestRestoreOfWhatIsNotWhole makes no folder of it.
func TestRestoreOfWhatIsNotWhole(t *testing.T) {
	whole := backedUp(t)
	zip := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	flipped := bytes.Clone(whole)
	flipped[zip] ^= 1
	outside := renamed(t, whole, "secret", "../secret")
	foreign := renamed(t, whole, "secret", "trees/tmp")
	for name, b := range map[string][]byte{
		"empty": nil, "noise": []byte(strings.Repeat("noise", 1000)), "cut": whole[:zip], "without its end": whole[:len(whole)-2048],
		"a byte of a zip": flipped, "a name that leads out": outside, "a name that is not ours": foreign,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "backup.tar")
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := settings(t)
			if _, err := daemon.Restore(t.Context(), cfg, file); err == nil {
				t.Error("Restore gave no error")
			}
			left, err := os.ReadDir(filepath.Dir(cfg.Data))
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestRestoreReplacesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "backup.tar")
	if err := os.WriteFile(file, backedUp(t), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := restored(t, file)
	before, err := os.ReadDir(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	var p *daemon.Problem
	if _, err := daemon.Restore(t.Context(), cfg, file); !errors.As(err, &p) {
		t.Errorf("Restore into a folder that is used: %v", err)
	}
	after, err := os.ReadDir(cfg.Data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(len(before), len(after)); diff != "" {
		t.Error(diff)
	}
	cfg.Data = t.TempDir() // empty
	if _, err := daemon.Restore(t.Context(), cfg, file); err != nil {
		t.Errorf("Restore into an empty folder: %v", err)
	}
	cfg.Database = "postgres://h/d"
	if _, err := daemon.Backup(t.Context(), cfg, file+".2"); !errors.As(err, &p) {
		t.Errorf("Backup of PostgreSQL: %v", err)
	}
}
