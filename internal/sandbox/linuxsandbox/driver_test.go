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
	os.Exit(sandboxtest.Main(m, suite(linuxsandbox.Options{})))
}

func suite(o linuxsandbox.Options) sandboxtest.Suite {
	return sandboxtest.Suite{
		Open: func(dir string) (sandbox.Driver, error) {
			o.StateDir = dir
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
