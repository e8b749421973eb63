package daemon_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// publish publishes a layer of one module.
func publish(t *testing.T, c *awslambda.Client, name string) int64 {
	t.Helper()
	out, err := c.PublishLayerVersion(t.Context(), layerInput(name))
	if err != nil {
		t.Fatal(err)
	}
	return out.Version
}

// layerInput is a layer of one module.
func layerInput(name string) *awslambda.PublishLayerVersionInput {
	return &awslambda.PublishLayerVersionInput{
		LayerName: aws.String(name), Content: &types.LayerVersionContentInput{ZipFile: lambdatest.PythonLayer(name, "x = 1\n")},
	}
}

func check(t *testing.T, cfg config.Config) (findings []daemon.Finding, done daemon.Checked) {
	t.Helper()
	done, err := daemon.CheckData(t.Context(), cfg, func(f daemon.Finding) { findings = append(findings, f) })
	if err != nil {
		t.Fatalf("CheckData: %v", err)
	}
	return findings, done
}

// TestCollectBesideAServer frees a deleted version's zip while the server has another one.
func TestCollectBesideAServer(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	c := r.client(t)
	publish(t, c, "kept")
	gone := publish(t, c, "gone")
	if _, err := c.DeleteLayerVersion(t.Context(), &awslambda.DeleteLayerVersionInput{LayerName: aws.String("gone"), VersionNumber: &gone}); err != nil {
		t.Fatal(err)
	}
	freed, err := daemon.Collect(t.Context(), cfg, daemon.CollectOptions{})
	if err != nil || freed.Zips != 1 {
		t.Errorf("freed %+v, %v; want 1 zip", freed, err)
	}
	if findings, done := check(t, cfg); len(findings) != 0 || done.Zips != 1 {
		t.Errorf("found %+v in %+v", findings, done)
	}
	publish(t, c, "gone") // what was freed can come back
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	freed, err = daemon.Collect(t.Context(), cfg, daemon.CollectOptions{})
	if err != nil || freed.Zips != 0 {
		t.Errorf("freed %+v, %v; want no zip", freed, err)
	}
	// The tree of what came back is unpacked again only when it is needed, unless it was in use when the rest was freed.
	if findings, done := check(t, cfg); len(findings) != 0 || done.Zips != 2 || done.Trees < 1 || done.Trees > 2 {
		t.Errorf("found %+v in %+v", findings, done)
	}
}

func TestCheckDataNamesEachDamage(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	publish(t, r.client(t), "libs")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	sdk := filepath.Join(cfg.Data, "runtimes/sdk")
	for _, err := range []error{
		os.MkdirAll(sdk, 0o755),
		os.WriteFile(filepath.Join(sdk, "python3.13.json"), []byte("{"), 0o644),
		os.RemoveAll(filepath.Join(cfg.Data, "blobs")),
		os.Mkdir(filepath.Join(cfg.Data, "blobs"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	findings, _ := check(t, cfg)
	for _, f := range findings {
		kinds = append(kinds, f.Kind)
	}
	if diff := cmp.Diff([]string{"runtime", "zip"}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

func TestCheckDataOfADamagedDatabase(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	for range 40 {
		publish(t, r.client(t), "libs")
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(cfg.Data, "lamina.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The first bytes of pages after the first say what kind of page each is.
	for at := 4096; at < len(b); at += 4096 {
		b[at+3] ^= 0x55 // cells of the page
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	findings := 0
	_, err = daemon.CheckData(t.Context(), cfg, func(f daemon.Finding) {
		if f.Kind == "database" {
			findings++
		}
	})
	if findings == 0 && err == nil {
		t.Error("a damaged database has no fault")
	}
}

// TestCodeThatWasCountedWrong: a check finds it, and a collection counts again, beside the server too.
func TestCodeThatWasCountedWrong(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	publish(t, r.client(t), "libs")
	db, err := database.Open(t.Context(), cfg.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	err = db.Transaction(t.Context(), func(tx *database.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE code_sizes SET size = size + 5")
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	findings, _ := check(t, cfg)
	if len(findings) != 1 || findings[0].Kind != "account" || findings[0].What != "000000000000 in us-east-1" ||
		!strings.Contains(findings[0].Mend, "lamina gc") {
		t.Errorf("found %+v, want one of the account's code, and what counts it again", findings)
	}
	for _, step := range []struct {
		dryRun bool
		left   int
	}{{true, 1}, {false, 0}} {
		if _, err := daemon.Collect(t.Context(), cfg, daemon.CollectOptions{DryRun: step.dryRun}); err != nil {
			t.Fatal(err)
		}
		if findings, _ := check(t, cfg); len(findings) != step.left {
			t.Errorf("dry run %v: found %+v, want %d", step.dryRun, findings, step.left)
		}
	}
	publish(t, r.client(t), "libs")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if findings, _ := check(t, cfg); len(findings) != 0 {
		t.Errorf("after one more version: %+v", findings)
	}
}

func TestNoDataFolder(t *testing.T) {
	cfg := settings(t)
	var p *daemon.Problem
	if _, err := daemon.Collect(t.Context(), cfg, daemon.CollectOptions{}); !errors.As(err, &p) || !strings.Contains(p.Todo, "--data") {
		t.Errorf("Collect: %v", err)
	}
	if _, err := daemon.CheckData(t.Context(), cfg, func(daemon.Finding) {}); !errors.As(err, &p) {
		t.Errorf("CheckData: %v", err)
	}
	if _, err := os.Lstat(cfg.Data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}
