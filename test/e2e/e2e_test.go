// Package e2e_test drives the built program from outside: scripts (*.txtar, by testscript) run the real AWS CLI against a
// fresh server each, and a few Go tests do what a script cannot (kill -9 at random, peak memory).
//
// The first word of a script's name is its subject. Scripts run with version 1 of the AWS CLI; those in `both` run with
// version 2 as well. As root, the same test binary runs once more as an ordinary user, with the scripts in `handOver`.
// What is not run is printed, and each number of scripts has a committed floor.
package e2e_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/laminadev/lamina/internal/database/pgtest"
)

// Floors of the numbers of script runs: raise them when scripts are added.
const (
	leastAsMain = 57 // by the user who runs the tests
	leastAsUser = 12 // by an ordinary user, when root runs the tests
)

// both are the scripts that version 2 of the AWS CLI runs too: the examples, and one of each family of operations.
var both = []string{"url-shortener", "auth-layer", "three-layers", "go-function", "shell-runtime", "layer-overlap",
	"layer-publish", "invoke-tail", "s3-transfer"}

// handOver are the scripts that root runs again as an ordinary user: the examples, and what differs without root.
var handOver = []string{"url-shortener", "auth-layer", "three-layers", "go-function", "shell-runtime", "layer-overlap",
	"function-errors", "invoke-recycle", "serve-restart", "function-api", "run-python", "run-provided"}

// asUser is set in the environment of the run as an ordinary user.
const asUser = "LAMINA_E2E_AS_USER"

var ran atomic.Int64

func TestMain(m *testing.M) {
	flag.Parse()
	code := pgtest.Main(m)
	if ran.Load() > 0 {
		fmt.Printf("e2e: %d script runs as uid %d\n", ran.Load(), os.Getuid())
	}
	os.Exit(code)
}

func TestScripts(t *testing.T) {
	e := environment(t)
	all, err := filepath.Glob("*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	all = without(all, "postgres.txtar")
	least := leastAsMain
	if os.Getenv(asUser) != "" {
		all, least = files(handOver), leastAsUser
	}
	runs := len(all)
	t.Run("aws1", func(t *testing.T) { e.run(t, e.aws1, all, nil) })
	if os.Getenv(asUser) == "" {
		runs += len(both)
		t.Run("aws2", func(t *testing.T) { e.run(t, e.aws2, files(both), nil) })
	}
	if runs < least {
		t.Errorf("%d script runs, and there were %d: did scripts get lost?", runs, least)
	}
}

// TestPostgres runs one script on PostgreSQL.
func TestPostgres(t *testing.T) {
	if os.Getenv(asUser) != "" {
		t.Skip("not run again as an ordinary user: only the hand-over is")
	}
	e := environment(t)
	e.run(t, e.aws1, []string{"postgres.txtar"}, map[string]string{"DATABASE": pgtest.URL(t)})
}

// run runs scripts, in parallel, with one version of the AWS CLI.
func (e *env) run(t *testing.T, aws string, scripts []string, vars map[string]string) {
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(s *testscript.Env) error { return e.setup(s, aws, vars) },
		Cmds:                commands(),
	})
}

// setup gives a script its world: nothing of the caller's but the programs that it names.
func (e *env) setup(s *testscript.Env, aws string, vars map[string]string) error {
	if only := flag.Lookup("test.run").Value.String(); only == "" || strings.Contains(only, "Scripts") || strings.Contains(only, "Postgres") || strings.Contains(only, "Shared") {
		ran.Add(1)
	}
	bin := filepath.Join(s.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	for name, target := range map[string]string{"aws": aws, "lamina": e.lamina} {
		if err := os.Symlink(target, filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	home := filepath.Join(s.WorkDir, ".home")
	if err := os.MkdirAll(filepath.Join(home, ".aws"), 0o755); err != nil {
		return err
	}
	// Version 2 of the AWS CLI reads a payload as base64 unless it is told otherwise.
	config := "[default]\ncli_binary_format = raw-in-base64-out\noutput = json\n"
	if err := os.WriteFile(filepath.Join(home, ".aws", "config"), []byte(config), 0o644); err != nil {
		return err
	}
	for k, v := range map[string]string{
		"HOME":                    home,
		"PATH":                    bin + string(os.PathListSeparator) + e.path,
		"PYENV_ROOT":              e.pyenv,
		"AWS_ACCESS_KEY_ID":       "test",
		"AWS_SECRET_ACCESS_KEY":   "test",
		"AWS_REGION":              "us-east-1",
		"AWS_DEFAULT_REGION":      "us-east-1",
		"AWS_MAX_ATTEMPTS":        "1",
		"AWS_PAGER":               "",
		"LAMINA_TEST_RUN":         os.Getenv("LAMINA_TEST_RUN"),
		"PYTHONDONTWRITEBYTECODE": "1",
		"PIP_CACHE_DIR":           os.Getenv("PIP_CACHE_DIR"),
		"RUNTIME":                 e.python.runtime,
		"PYTHON":                  e.python.path,
		"BOTO":                    e.boto,
		"ARTIFACTS":               e.artifacts,
		"EXAMPLES":                e.examples,
		"ROLE":                    "arn:aws:iam::000000000000:role/any",
		"LAYER":                   "arn:aws:lambda:us-east-1:000000000000:layer:",
		"FUNCTION":                "arn:aws:lambda:us-east-1:000000000000:function:",
	} {
		s.Setenv(k, v)
	}
	for k, v := range vars {
		s.Setenv(k, v)
	}
	w := &world{t: s.T()}
	s.Values[worldKey{}] = w
	s.Defer(w.close)
	return nil
}

func files(names []string) []string {
	var all []string
	for _, n := range names {
		all = append(all, n+".txtar")
	}
	return all
}

func without(list []string, name string) []string {
	var kept []string
	for _, l := range list {
		if l != name {
			kept = append(kept, l)
		}
	}
	return kept
}
