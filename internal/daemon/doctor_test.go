package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/daemon"
)

func examine(t *testing.T, cfg config.Config) map[string]daemon.Check {
	t.Helper()
	checks := map[string]daemon.Check{}
	daemon.Examine(t.Context(), cfg, func(c daemon.Check) { checks[c.Name] = c })
	return checks
}

func TestExamineLeavesNothing(t *testing.T) {
	cfg := settings(t)
	parent := filepath.Dir(cfg.Data)
	for name, c := range examine(t, cfg) {
		if c.State == daemon.Failed {
			t.Errorf("%s failed on this machine: %s", name, c.Detail)
		}
		if c.State != daemon.Works && c.Degrade == "" {
			t.Errorf("%s does not say what happens instead", name)
		}
	}
	left, err := os.ReadDir(parent)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestExamineTriesAWholeSandbox(t *testing.T) {
	c, ok := examine(t, settings(t))["whole sandbox"]
	if !ok || c.State != daemon.Works || !strings.Contains(c.Detail, "with two layers at /opt") {
		t.Errorf("got %+v", c)
	}
}

func TestExamineKnowsTheServerThatRuns(t *testing.T) {
	cfg := settings(t)
	r := start(t, cfg)
	cfg.Listen = r.addr
	checks := examine(t, cfg)
	for _, name := range []string{"address", "data folder"} {
		if c := checks[name]; c.State != daemon.Works || !strings.Contains(c.Detail, "lamina serve, process ") {
			t.Errorf("%s: got %+v", name, c)
		}
	}
	other := settings(t)
	other.Listen = r.addr
	c := examine(t, other)["address"]
	if c.State != daemon.Degraded || !strings.Contains(c.Detail, "taken by process ") || c.Fix != "lamina serve --listen 127.0.0.1:0" {
		t.Errorf("another server's address: got %+v", c)
	}
}

func TestExamineWithoutAPlace(t *testing.T) {
	cfg := settings(t)
	cfg.Data = "/proc/lamina" // where nobody can make a folder
	c := examine(t, cfg)["data folder"]
	if c.State != daemon.Failed || c.Fix == "" {
		t.Errorf("got %+v", c)
	}
}

func TestExamineTriesTheDatabase(t *testing.T) {
	cfg := settings(t)
	if c, ok := examine(t, cfg)["database"]; ok {
		t.Errorf("the one in the data folder: got %+v", c)
	}
	cfg.Database = "postgres://u:hunter2@127.0.0.1:1/none?connect_timeout=1"
	c := examine(t, cfg)["database"]
	if c.State != daemon.Failed || c.Fix == "" || strings.Contains(c.Detail, "hunter2") {
		t.Errorf("a database that is not there: got %+v", c)
	}
	file := filepath.Join(t.TempDir(), "other.db")
	cfg.Database = "sqlite://" + file
	if c := examine(t, cfg)["database"]; c.State != daemon.Works {
		t.Errorf("a file that is not there yet: got %+v", c)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the examination made %s: %v", file, err)
	}
}

func TestPackageManager(t *testing.T) {
	got := map[string]string{}
	for name, release := range map[string]string{
		"debian": "NAME=x\nID=debian\n", "mint": "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "rocky": "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
		"alpine": "ID=alpine\n", "unknown": "ID=plan9\n",
	} {
		got[name] = daemon.PackageManager(release)
	}
	want := map[string]string{
		"debian": "apt-get install -y", "mint": "apt-get install -y", "rocky": "dnf install -y", "alpine": "apk add", "unknown": "apt-get install -y",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestShellWord(t *testing.T) {
	for text, want := range map[string]string{
		"/home/ada/lamina": "/home/ada/lamina",
		"/my data":         "'/my data'",
		"it's":             `'it'\''s'`,
		"$HOME":            "'$HOME'",
		"":                 "''",
	} {
		if got := daemon.ShellWord(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
