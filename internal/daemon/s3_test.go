package daemon_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/diskblob"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
)

// withS3 are settings whose zips are in S3.
func withS3(t *testing.T, s *s3test.Store) config.Config {
	t.Helper()
	cfg := settings(t)
	cfg.Blob = s.Blob("team/lamina")
	return cfg
}

// inS3 gives how many zips the store has.
func inS3(t *testing.T, s *s3test.Store) (n int) {
	t.Helper()
	d, err := s3blob.Open(t.Context(), s3blob.Options{Bucket: s.Bucket, Prefix: "team/lamina", Endpoint: s.URL, Scratch: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.List(t.Context(), func(blob.Info) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// onDisk gives the zips in a data folder.
func onDisk(t *testing.T, cfg config.Config) []string {
	t.Helper()
	zips, err := filepath.Glob(filepath.Join(cfg.Data, "blobs", "sha256", "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return zips
}

func location(t *testing.T, c *awslambda.Client, layer string) (string, int64) {
	t.Helper()
	v, err := c.GetLayerVersion(t.Context(), &awslambda.GetLayerVersionInput{LayerName: &layer, VersionNumber: aws.Int64(1)})
	if err != nil {
		t.Fatal(err)
	}
	return *v.Content.Location, v.Content.CodeSize
}

func wantDownload(t *testing.T, c *awslambda.Client, layer string) {
	t.Helper()
	url, size := location(t, c, layer)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || int64(len(b)) != size {
		t.Errorf("got status %d, %d bytes, %v, want %d", res.StatusCode, len(b), err, size)
	}
}

// TestZipsInS3 goes through the life of a server with SQLite whose zips are elsewhere: restart, check, gc, backup, restore.
func TestZipsInS3(t *testing.T) {
	store := s3test.Start(t)
	cfg := withS3(t, store)
	r := start(t, cfg)
	publish(t, r.client(t), "kept")
	gone := publish(t, r.client(t), "gone")
	if n, zips := inS3(t, store), onDisk(t, cfg); n != 2 || len(zips) != 0 {
		t.Errorf("%d zips are in S3, %v in the data folder", n, zips)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, cfg)
	wantDownload(t, r.client(t), "kept")
	if findings, done := check(t, cfg); len(findings) != 0 || done.Zips != 2 {
		t.Errorf("found %+v in %+v", findings, done)
	}

	// A zip in the data folder that no runtime needs goes too.
	strayed(t, cfg)
	if _, err := r.client(t).DeleteLayerVersion(t.Context(), &awslambda.DeleteLayerVersionInput{LayerName: aws.String("gone"), VersionNumber: &gone}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		opts  daemon.CollectOptions
		freed int
	}{
		{daemon.CollectOptions{DryRun: true}, 2},
		{daemon.CollectOptions{Age: time.Hour}, 0},
		{daemon.CollectOptions{}, 2},
		{daemon.CollectOptions{}, 0},
	} {
		if freed, err := daemon.Collect(t.Context(), cfg, tt.opts); err != nil || freed.Zips != tt.freed {
			t.Errorf("%+v freed %+v, %v; want %d zips", tt.opts, freed, err, tt.freed)
		}
	}
	if n, zips := inS3(t, store), onDisk(t, cfg); n != 1 || len(zips) != 0 {
		t.Errorf("%d zips are left in S3, %v in the data folder", n, zips)
	}

	file := filepath.Join(t.TempDir(), "backup.tar")
	if done, err := daemon.Backup(t.Context(), cfg, file); err != nil || done.Zips != 1 {
		t.Fatalf("Backup: %+v, %v", done, err)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	toDisk := settings(t)
	elsewhere := s3test.Start(t)
	toS3 := withS3(t, elsewhere)
	for name, cfg := range map[string]config.Config{"disk": toDisk, "S3": toS3} {
		if _, err := daemon.Restore(t.Context(), cfg, file); err != nil {
			t.Fatalf("restoring to %s: %v", name, err)
		}
		if findings, done := check(t, cfg); len(findings) != 0 || done.Zips != 1 {
			t.Errorf("restored to %s: found %+v in %+v", name, findings, done)
		}
		again := start(t, cfg)
		wantDownload(t, again.client(t), "kept")
		if err := again.stop(); err != nil {
			t.Error(err)
		}
	}
	if n, zips := inS3(t, elsewhere), onDisk(t, toS3); n != 1 || len(zips) != 0 {
		t.Errorf("%d zips were restored to S3, %v beside them", n, zips)
	}
	if zips := onDisk(t, toDisk); len(zips) != 1 {
		t.Errorf("%v were restored to the disk", zips)
	}
}

// strayed puts a zip into the data folder that nothing needs.
func strayed(t *testing.T, cfg config.Config) {
	t.Helper()
	d, err := diskblob.Open(filepath.Join(cfg.Data, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := blob.New(d).Stage(t.Context(), strings.NewReader("nobody's"))
	if err == nil {
		err = st.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestZipsOfAnotherLamina: what another lamina keeps in a store is neither used nor freed.
func TestZipsOfAnotherLamina(t *testing.T) {
	store := s3test.Start(t)
	first := withS3(t, store)
	r := start(t, first)
	publish(t, r.client(t), "libs")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.tar")
	second := settings(t)
	other := start(t, second)
	publish(t, other.client(t), "others")
	if err := other.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := daemon.Backup(t.Context(), second, backup); err != nil {
		t.Fatal(err)
	}
	restored := withS3(t, store)
	second.Blob = first.Blob
	for name, f := range map[string]func() error{
		"serve":   func() error { return daemon.Run(t.Context(), second, func(net.Addr) { t.Error("ready") }) },
		"gc":      func() error { _, err := daemon.Collect(t.Context(), second, daemon.CollectOptions{}); return err },
		"restore": func() error { _, err := daemon.Restore(t.Context(), restored, backup); return err },
		"check":   func() error { _, err := daemon.CheckData(t.Context(), second, func(daemon.Finding) {}); return err },
	} {
		var p *daemon.Problem
		if err := f(); !errors.As(err, &p) || !strings.Contains(p.Text, "holds the zips of another lamina") || !strings.Contains(p.Todo, "aws s3 rm s3://"+store.Bucket+"/team/lamina/owner") {
			t.Errorf("%s: got %v (%+v)", name, err, p)
		}
	}
	if n := inS3(t, store); n != 1 {
		t.Errorf("%d zips are left", n)
	}
	unused := settings(t)
	if err := start(t, unused).stop(); err != nil {
		t.Fatal(err)
	}
	unused.Blob = store.Blob("elsewhere")
	var p *daemon.Problem
	if _, err := daemon.Collect(t.Context(), unused, daemon.CollectOptions{}); !errors.As(err, &p) || !strings.Contains(p.Text, "no lamina serve has used this S3 store yet") {
		t.Errorf("gc of a store that nobody has used: %v", err)
	}
}

// TestS3ThatIsAway starts without a store, and loses it while it serves.
func TestS3ThatIsAway(t *testing.T) {
	store := s3test.Start(t)
	if !s3test.InMemory() {
		t.Skip(s3test.Variable + " is set")
	}
	nowhere := withS3(t, store)
	nowhere.Blob = "s3://bucket?endpoint=http://127.0.0.1:1"
	err := daemon.Run(t.Context(), nowhere, func(net.Addr) { t.Error("ready") })
	var e *s3blob.Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, "cannot reach http://127.0.0.1:1") {
		t.Errorf("got %v", err)
	}

	r := start(t, withS3(t, store))
	c := r.client(t)
	publish(t, c, "before")
	store.Before(func(w http.ResponseWriter, _ *http.Request) bool {
		s3test.Refuse(w, http.StatusForbidden, "AccessDenied", "Access Denied")
		return true
	})
	_, err = c.PublishLayerVersion(t.Context(), layerInput("during"))
	var answer interface{ ErrorMessage() string }
	if !errors.As(err, &answer) || !strings.Contains(answer.ErrorMessage(), "The S3 store that holds lamina's zips cannot be used now") {
		t.Errorf("while it is away: %v", err)
	}
	if list, err := c.ListLayers(t.Context(), &awslambda.ListLayersInput{}); err != nil || len(list.Layers) != 1 {
		t.Errorf("what needs no zips: %+v, %v", list, err)
	}
	store.Before(func(http.ResponseWriter, *http.Request) bool { return false })
	if n := publish(t, c, "during"); n != 1 {
		t.Errorf("when it is back, the first version is %d", n)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

func TestBackupIsLeftToTheDatabase(t *testing.T) {
	cfg := settings(t)
	cfg.Database = "postgres://h/d"
	for blob, want := range map[string]string{"": filepath.Join(cfg.Data, "blobs"), "s3://zips/p": "the bucket zips (aws s3 sync)"} {
		cfg.Blob = blob
		_, err := daemon.Backup(t.Context(), cfg, filepath.Join(t.TempDir(), "backup.tar"))
		var p *daemon.Problem
		if !errors.As(err, &p) || !strings.Contains(p.Todo, "pg_dump") || !strings.Contains(p.Todo, want) {
			t.Errorf("--blob %q: got %v (%+v)", blob, err, p)
		}
	}
}

func TestExamineTheZipStore(t *testing.T) {
	store := s3test.Start(t)
	cfg := withS3(t, store)
	examine := func() (found daemon.Check) {
		daemon.Examine(t.Context(), cfg, func(c daemon.Check) {
			if c.Name == "zip store" {
				found = c
			}
		})
		return found
	}
	if got := examine(); got.State != daemon.Works || got.Fix != "" {
		t.Errorf("got %+v", got)
	}
	cfg.Blob = "s3://missing?endpoint=" + store.URL
	if got := examine(); got.State != daemon.Failed || !strings.HasPrefix(got.Fix, "aws s3 mb s3://missing") {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(0, inS3(t, store)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
	if _, err := os.Lstat(cfg.Data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data folder was made: %v", err)
	}
}
