package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/config"
	"github.com/laminadev/lamina/internal/lambda"
)

// sources is an environment with a home, where nothing is set but what the test sets.
type sources struct {
	env   map[string]string
	flags map[string][]string
	file  string // contents; "" is no file
	root  bool
}

func (s sources) load(t *testing.T) (config.Config, error) {
	t.Helper()
	src := config.Sources{Flags: s.flags, Root: s.root, Getenv: func(k string) string { return s.env[k] }}
	if s.file != "" {
		src.File = filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(src.File, []byte(s.file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(src)
}

func home(more ...string) map[string]string {
	env := map[string]string{"HOME": "/home/ada"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

func TestDefaultsNeedNothing(t *testing.T) {
	got, err := sources{env: home()}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		Listen: "127.0.0.1:4566", Data: "/home/ada/.local/share/lamina", Region: "us-east-1", Account: "000000000000", EndpointURL: "on", Network: "auto",
		Concurrency: 1000, Limits: "aws", IdleTimeout: 10 * time.Minute, LogLevel: "info", LogFormat: "text",
		Prepared: 2, Spares: 1, Ahead: 1, Freeze: "auto", CPU: "off",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.DatabaseURL() != "sqlite:///home/ada/.local/share/lamina/lamina.db" {
		t.Error(got.DatabaseURL())
	}
}

func TestWhereDataIsKept(t *testing.T) {
	for name, tt := range map[string]struct {
		sources
		want string
	}{
		"home":                      {sources{env: home()}, "/home/ada/.local/share/lamina"},
		"data home":                 {sources{env: home("XDG_DATA_HOME", "/x")}, "/x/lamina"},
		"relative data home":        {sources{env: home("XDG_DATA_HOME", "x")}, "/home/ada/.local/share/lamina"},
		"superuser with a home":     {sources{env: home(), root: true}, "/home/ada/.local/share/lamina"},
		"superuser without a home":  {sources{root: true}, "/var/lib/lamina"},
		"relative flag, made whole": {sources{env: home(), flags: map[string][]string{"data": {"d"}}}, wd(t) + "/d"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tt.load(t)
			if err != nil || got.Data != tt.want {
				t.Errorf("got %q, %v, want %q", got.Data, err, tt.want)
			}
		})
	}
	if _, err := (sources{}).load(t); err == nil || !strings.Contains(err.Error(), "--data FOLDER") {
		t.Errorf("an ordinary user without a home: got %v", err)
	}
}

func wd(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestPrecedence sets every setting in all three places, and takes the uppermost away one by one.
func TestPrecedence(t *testing.T) {
	values := map[string][3]string{ // file, environment, flag
		"listen":        {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
		"data":          {"/1", "/2", "/3"},
		"database":      {"sqlite:///1", "sqlite:///2", "sqlite:///3"},
		"blob":          {"s3://one", "s3://two", "s3://three"},
		"s3-endpoint":   {"http://one:9000", "https://two", "https://three/"},
		"region":        {"eu-west-1", "eu-west-2", "eu-west-3"},
		"account":       {"000000000001", "000000000002", "000000000003"},
		"organization":  {"o-aaaaaaaaaa=000000000001", "o-bbbbbbbbbb=000000000002", "o-cccccccccc=000000000003"},
		"host":          {"one", "two", "three"},
		"reach":         {"h:1", "h:2", "h:3"},
		"concurrency":   {"1", "2", "3"},
		"limits":        {"relaxed", "aws", "relaxed"},
		"idle-timeout":  {"1m0s", "2m0s", "3m0s"},
		"drain-timeout": {"1s", "2s", "3s"},
		"log-level":     {"debug", "warn", "error"},
		"log-format":    {"json", "text", "json"},
		"network":       {"auto", "nat", "none"},
		"network-allow": {"10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"},
		"network-deny":  {"10.0.0.0/8", "10.1.0.0/16", "10.2.0.0/16"},
		"endpoint-url":  {"off", "on", "off"},
		"helper":        {"/bin/sh", "/bin/true", "/bin/cat"},
		"prepared":      {"0", "1", "3"},
		"spares":        {"0", "2", "3"},
		"ahead":         {"0", "2", "3"},
		"freeze":        {"on", "off", "on"},
		"cpu":           {"share", "off", "share"},
	}
	for _, s := range config.Settings() {
		v, ok := values[s.Name]
		if !ok {
			t.Errorf("%s has no row in this test", s.Name)
			continue
		}
		all := sources{env: home(s.Env(), v[1]), file: s.Name + ": " + v[0], flags: map[string][]string{s.Name: {v[2]}}}
		for level := 2; level >= 0; level-- {
			got, err := all.load(t)
			if err != nil {
				t.Fatalf("%s: %v", s.Name, err)
			}
			if diff := cmp.Diff([]string{v[level]}, s.Get(got)); diff != "" {
				t.Errorf("%s at level %d: %s", s.Name, level, diff)
			}
			if level == 2 {
				all.flags = nil
			} else {
				all.env = home()
			}
		}
	}
}

func TestLists(t *testing.T) {
	want := []string{"a.example", "b.example"}
	for name, src := range map[string]sources{
		"flags":         {env: home(), flags: map[string][]string{"host": want}},
		"environment":   {env: home("LAMINA_HOST", "a.example, b.example,")},
		"file":          {env: home(), file: "host:\n- a.example\n- b.example\n"},
		"flags replace": {env: home("LAMINA_HOST", "c"), file: "host: d", flags: map[string][]string{"host": want}},
	} {
		got, err := src.load(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(want, got.Host); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOrganizations(t *testing.T) {
	got, err := sources{env: home(), file: "organization:\n- o-abcdefghij=000000000001\n- o-abcdefghij=000000000002\n- o-bbcdefghij=000000000003\n"}.load(t)
	want := map[string]string{"000000000001": "o-abcdefghij", "000000000002": "o-abcdefghij", "000000000003": "o-bbcdefghij"}
	if diff := cmp.Diff(want, got.Organizations()); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestFile(t *testing.T) {
	got, err := sources{env: home(), file: "# nothing\naccount: 000000000042\nconcurrency: 7\n"}.load(t)
	if err != nil || got.Account != "000000000042" || got.Concurrency != 7 {
		t.Errorf("got %q and %d, %v", got.Account, got.Concurrency, err)
	}
	for name, content := range map[string]string{"comments": "# only\n", "blank": "\n", "empty document": "---\n"} {
		if _, err := (sources{env: home(), file: content}).load(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFileThatIsLookedFor(t *testing.T) {
	dir := t.TempDir()
	env := home("XDG_CONFIG_HOME", dir)
	if _, err := (sources{env: env}).load(t); err != nil {
		t.Errorf("without the file: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "lamina"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lamina", "config.yaml"), []byte("region: eu-north-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := sources{env: env}.load(t)
	if err != nil || got.Region != "eu-north-1" {
		t.Errorf("with it: got %q, %v", got.Region, err)
	}
	env["LAMINA_CONFIG"] = filepath.Join(dir, "absent.yaml")
	if _, err := (sources{env: env}).load(t); err == nil {
		t.Error("a file that was named and is absent must be an error")
	}
}

func TestErrorsSayWhere(t *testing.T) {
	for name, tt := range map[string]struct {
		sources
		want string
	}{
		"unknown key":        {sources{file: "region: us-east-1\nlisten_: x\n"}, "config.yaml:2: unknown setting \"listen_\" (did you mean \"listen\"?)"},
		"underscore":         {sources{file: "idle_timeout: 1m"}, "did you mean \"idle-timeout\"?"},
		"far from any":       {sources{file: "colour: red"}, "config.yaml:1: unknown setting \"colour\"\n"},
		"wrong type":         {sources{file: "\nconcurrency: many"}, "config.yaml:2: concurrency: \"many\" is not a whole number"},
		"list for one":       {sources{file: "listen: [a, b]"}, "config.yaml:1: listen: is one value"},
		"mapping":            {sources{file: "host: {a: b}"}, "config.yaml:1: host: is one value"},
		"list of mappings":   {sources{file: "host: [{a: b}]"}, "config.yaml:1: host: is a list of plain values"},
		"no value":           {sources{file: "listen:\n"}, "config.yaml:1: listen: has no value"},
		"not settings":       {sources{file: "- a"}, "config.yaml:1: settings are lines such as"},
		"not YAML":           {sources{file: "a: [b"}, "config.yaml is not YAML"},
		"variable":           {sources{env: home("LAMINA_IDLE_TIMEOUT", "soon")}, "LAMINA_IDLE_TIMEOUT: \"soon\" is not a length of time"},
		"flag":               {sources{flags: map[string][]string{"concurrency": {"x"}}}, "--concurrency: \"x\" is not a whole number"},
		"a date for a level": {sources{file: "log-level: 2020-01-01"}, "log-level: \"2020-01-01\" is none of debug, info, warn, error"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.env == nil {
				tt.env = home()
			}
			_, err := tt.load(t)
			if err == nil || !strings.Contains(err.Error()+"\n", tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDatabaseOfAnOddFolder(t *testing.T) {
	got := config.Config{Data: "/data/what? #1"}.DatabaseURL()
	if want := "sqlite:///data/what%3F%20%231/lamina.db"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestQuotas(t *testing.T) {
	for mode, want := range map[string]lambda.Limits{"aws": lambda.AWSLimits(), "relaxed": lambda.RelaxedLimits()} {
		got, err := sources{env: home(), flags: map[string][]string{"limits": {mode}}}.load(t)
		if err != nil || got.Quotas() != want {
			t.Errorf("%s: got %+v, %v", mode, got.Quotas(), err)
		}
	}
}
