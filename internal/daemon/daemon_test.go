package daemon_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"go.uber.org/goleak"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
	"github.com/laminadev/lamina/internal/database/pgtest"
	"github.com/laminadev/lamina/internal/failpoint/failpointtest"
	"github.com/laminadev/lamina/internal/lambdatest"
	"github.com/laminadev/lamina/internal/sandbox/helper"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == helper.Name {
		helper.Main() // a build without the small helper starts itself as a sandbox's PID 1
	}
	failpointtest.BeVictim(beVictim)
	goleak.VerifyTestMain(withPostgres{m})
}

// withPostgres ends the PostgreSQL of the tests, if one was started, before it is looked who still runs.
type withPostgres struct{ *testing.M }

func (m withPostgres) Run() int { return pgtest.Main(m.M) }

// settings are those of a server on a free port with a data folder of its own.
func settings(t *testing.T) config.Config {
	t.Helper()
	return settingsIn(filepath.Join(t.TempDir(), "data"))
}

func settingsIn(dir string) config.Config {
	cfg, err := config.Load(config.Sources{
		Getenv: func(string) string { return "" },
		Flags:  map[string][]string{"listen": {"127.0.0.1:0"}, "data": {dir}, "log-level": {"warn"}},
	})
	if err != nil {
		panic(err)
	}
	return cfg
}

// running is a daemon that runs; stop ends it and gives what Run gave.
type running struct {
	url  string
	addr string
	stop func() error
}

func start(t *testing.T, cfg config.Config) running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- daemon.Run(ctx, cfg, func(a net.Addr) { ready <- a }) }()
	var ended bool
	r := running{stop: func() error {
		if ended {
			return nil
		}
		ended = true
		cancel()
		return <-done
	}}
	t.Cleanup(func() { r.stop() })
	select {
	case a := <-ready:
		r.addr, r.url = a.String(), "http://"+a.String()
	case err := <-done:
		ended = true
		cancel()
		t.Fatalf("the daemon did not start: %v", err)
	}
	return r
}

// client speaks to a running daemon as an SDK does.
func (r running) client(t *testing.T) *awslambda.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return awslambda.New(awslambda.Options{
		BaseEndpoint: aws.String(r.url), Region: "us-east-1", HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""), Retryer: aws.NopRetryer{},
	})
}

func TestPublishSurvivesARestart(t *testing.T) {
	cfg := settings(t)
	first := start(t, cfg)
	published, err := first.client(t).PublishLayerVersion(t.Context(), &awslambda.PublishLayerVersionInput{
		LayerName: aws.String("libs"), Content: &types.LayerVersionContentInput{ZipFile: lambdatest.PythonLayer("hello", "x = 1\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatalf("stopped with %v", err)
	}

	second := start(t, cfg)
	list, err := second.client(t).ListLayerVersions(t.Context(), &awslambda.ListLayerVersionsInput{LayerName: aws.String("libs")})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.LayerVersions) != 1 || *list.LayerVersions[0].LayerVersionArn != *published.LayerVersionArn {
		t.Errorf("after a restart: got %+v, want %s alone", list.LayerVersions, *published.LayerVersionArn)
	}
	if err := second.stop(); err != nil {
		t.Errorf("stopped with %v", err)
	}
}

// TestLinksOutliveARestart sees that the key which signs them is kept, and kept private.
func TestLinksOutliveARestart(t *testing.T) {
	cfg := settings(t)
	var secrets [2]string
	for i := range secrets {
		if err := start(t, cfg).stop(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(cfg.Data, "secret"))
		if err != nil || len(b) < 32 {
			t.Fatalf("got %d bytes, %v", len(b), err)
		}
		secrets[i] = string(b)
	}
	if secrets[0] != secrets[1] {
		t.Error("the key changed")
	}
	for path, want := range map[string]fs.FileMode{".": 0o700, "secret": 0o600, "lamina.db": 0o600} {
		info, err := os.Stat(filepath.Join(cfg.Data, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestWhatIsInTheWay(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	elsewhere := settings(t)
	elsewhere.Listen = r.addr
	filled := settings(t)
	filled.Data = t.TempDir()
	if err := os.WriteFile(filepath.Join(filled.Data, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	file := settings(t)
	file.Data = filepath.Join(filled.Data, "thesis.txt")
	for name, tt := range map[string]struct {
		cfg        config.Config
		text, hint string
	}{
		"the address":        {elsewhere, "the address is taken by process ", "kill "},
		"the data folder":    {cfg, "is used by another lamina serve, process ", "--data FOLDER"},
		"things of others":   {filled, "it holds other things than lamina's", "--data FOLDER"},
		"a file, not folder": {file, "cannot use the data folder", "--data FOLDER"},
	} {
		t.Run(name, func(t *testing.T) {
			err := daemon.Run(t.Context(), tt.cfg, func(net.Addr) { t.Error("ready") })
			var p *daemon.Problem
			if !errors.As(err, &p) || !strings.Contains(p.Text, tt.text) || !strings.Contains(p.Todo, tt.hint) {
				t.Errorf("got %v (%+v), want %q and %q", err, p, tt.text, tt.hint)
			}
		})
	}
	if info, err := os.Stat(filled.Data); err != nil || info.Mode().Perm() == 0o700 {
		t.Errorf("a folder that is not ours was closed: %v, %v", info.Mode(), err)
	}
}

// TestAFailedStartLeavesNothingRunning breaks each part in turn; goleak sees what stays.
func TestAFailedStartLeavesNothingRunning(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, cfg *config.Config){
		"database": func(t *testing.T, cfg *config.Config) { cfg.Database = "postgres://127.0.0.1:1/none?connect_timeout=1" },
		"blobs":    func(t *testing.T, cfg *config.Config) { inTheWay(t, cfg, "blobs") },
		"trees":    func(t *testing.T, cfg *config.Config) { inTheWay(t, cfg, "trees") },
		"logs":     func(t *testing.T, cfg *config.Config) { inTheWay(t, cfg, "logs") },
		"secret":   func(t *testing.T, cfg *config.Config) { mkdir(t, filepath.Join(cfg.Data, "secret")) },
		"helper":   func(t *testing.T, cfg *config.Config) { cfg.Helper = "/nowhere" },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := settings(t)
			if err := start(t, cfg).stop(); err != nil { // makes the folder
				t.Fatal(err)
			}
			spoil(t, &cfg)
			if err := daemon.Run(t.Context(), cfg, func(net.Addr) { t.Error("ready") }); err == nil {
				t.Error("started")
			}
			goleak.VerifyNone(t)
		})
	}
}

// inTheWay puts a file where a part wants its folder.
func inTheWay(t *testing.T, cfg *config.Config, name string) {
	t.Helper()
	path := filepath.Join(cfg.Data, name)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
}
