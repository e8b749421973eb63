package linuxsandbox_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/sandbox"
	"github.com/laminadev/lamina/internal/sandbox/helper"
	"github.com/laminadev/lamina/internal/sandbox/linuxsandbox"
	"github.com/laminadev/lamina/internal/sandbox/sandboxtest"
)

func TestMain(m *testing.M) {
	if os.Args[0] == helper.Name {
		helper.Main()
	}
	s := suite(linuxsandbox.Options{})
	if os.Getenv(freezerV1) != "" {
		s = suiteV1()
	}
	if os.Getenv(restAtOnce) != "" {
		s = restingSuite()
	}
	os.Exit(sandboxtest.Main(m, s))
}

// freezerV1 makes processes that the suite starts freeze by cgroup version 1.
const freezerV1 = "LAMINA_TEST_FREEZER_V1"

func suite(o linuxsandbox.Options) sandboxtest.Suite {
	return sandboxtest.Suite{
		Open: func(dir string) (sandbox.Driver, error) {
			o.StateDir, o.CPU = dir, true
			return linuxsandbox.New(o)
		},
		Leftovers: cgroupsOf,
	}
}

// cgroupsOf lists the cgroups of sandboxes whose ID begins so, in every hierarchy, and those that the same process, whose
// number is in the ID, had prepared.
func cgroupsOf(prefix string) []string {
	var all []string
	for _, pattern := range []string{"/sys/fs/cgroup/lamina/*/", "/sys/fs/cgroup/*/lamina/*/"} {
		found, _ := filepath.Glob(pattern + prefix + "*")
		all = append(all, found...)
		if _, process, ok := strings.Cut(strings.TrimSuffix(prefix, "-"), "-"); ok {
			found, _ = filepath.Glob(pattern + "prepared-" + process + "-*")
			all = append(all, found...)
		}
	}
	return all
}

func TestSandbox(t *testing.T)         { sandboxtest.Run(t, suite(linuxsandbox.Options{})) }
func TestSandboxRootless(t *testing.T) { sandboxtest.RunAsOrdinaryUser(t, "TestSandbox") }

// TestSandboxPrepared runs the suite over sandboxes that were started ahead.
func TestSandboxPrepared(t *testing.T) { sandboxtest.Run(t, suite(linuxsandbox.Options{Prepared: 2})) }

func TestSandboxPreparedRootless(t *testing.T) {
	sandboxtest.RunAsOrdinaryUser(t, "TestSandboxPrepared")
}

// TestSandboxSubordinate runs the suite as an ordinary user who has subordinate IDs.
func TestSandboxSubordinate(t *testing.T) { sandboxtest.RunWithSubordinateIDs(t, "TestSandbox") }

func suiteV1() sandboxtest.Suite {
	s := suite(linuxsandbox.Options{})
	s.Open = func(dir string) (sandbox.Driver, error) {
		d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: dir})
		if err == nil {
			linuxsandbox.UseFreezerV1(d)
		}
		return d, err
	}
	return s
}

// TestSandboxFreezerV1 runs the suite over sandboxes that are frozen by cgroup version 1, where version 2 comes first.
func TestSandboxFreezerV1(t *testing.T) {
	d, err := linuxsandbox.New(linuxsandbox.Options{StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !linuxsandbox.UseFreezerV1(d) {
		t.Skip("NOT RUN: there is no freezer of cgroup version 1 for this user")
	}
	t.Setenv(freezerV1, "1")
	sandboxtest.RunOnly(t, suiteV1(), "complete", "freeze", "the end of what is frozen", "close", "killed helper", "many sandboxes leave nothing", "killed owner")
}
