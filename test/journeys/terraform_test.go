package journeys_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTerraform applies terraform/main.tf, finds nothing to change, changes it, finds nothing to change, and destroys it.
func TestTerraform(t *testing.T) {
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		skip(t, "terraform", "there is no Terraform")
	}
	provider := awsProvider()
	if provider == "" {
		skip(t, "terraform", "there is no AWS provider for it (LAMINA_TERRAFORM_PLUGINS names a folder of plugins)")
	}
	t.Parallel()
	dir := t.TempDir()
	baggage(t, dir)
	beside(t, dir, "terraform/main.tf")
	s := startServer(t, dir)
	attached := startProvider(t, provider, dir, environ(t, dir, s))
	steps := 0
	run := func(word string, args ...string) string {
		steps++
		return travel(t, dir, s, append([]string{terraform, args[0], "-no-color", "-input=false"}, args[1:]...),
			"TF_VAR_word="+word, "TF_VAR_runtime="+s.runtime, "TF_REATTACH_PROVIDERS="+attached, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	}
	want := map[string][]string{
		"one": {`alias = "1"`, `functions = "f"`, `layer = "arn:aws:lambda:us-east-1:000000000000:layer:words:1"`, `said = "Hello, Ada!"`},
		"two": {`alias = "1"`, `functions = "f"`, `layer = "arn:aws:lambda:us-east-1:000000000000:layer:words:2"`, `said = "Hello again, Ada!"`},
	}
	for _, word := range []string{"one", "two"} {
		applied := run(word, "apply", "-auto-approve")
		_, outputs, _ := strings.Cut(applied, "Apply complete!")
		_, outputs, _ = strings.Cut(outputs, "Outputs:")
		if diff := cmp.Diff(want[word], lines(outputs)); diff != "" {
			t.Errorf("outputs of %q (-want +got):\n%s", word, diff)
		}
		if plan := run(word, "plan"); !strings.Contains(plan, "No changes. Your infrastructure matches the configuration.") {
			t.Errorf("the plan after %q was applied is not empty:\n%s", word, plan)
		}
	}
	if gone := run("two", "destroy", "-auto-approve"); !strings.Contains(gone, "Destroy complete! Resources: 16 destroyed.") {
		t.Errorf("destroy said:\n%s", gone)
	}
	if !t.Failed() {
		fmt.Printf("journey: terraform: %d commands as wanted, with %s\n", steps, filepath.Base(provider))
	}
}

// startProvider starts the AWS provider for all commands together, since its start is the longest part of each, and gives what
// Terraform has to know to reach it.
func startProvider(t *testing.T, provider, dir string, environ []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), provider, "-debug")
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, environ, time.Minute
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() }) // the test's context has ended by then
	var said strings.Builder
	for in := bufio.NewScanner(out); in.Scan(); {
		if _, attach, ok := strings.Cut(in.Text(), "TF_REATTACH_PROVIDERS='"); ok {
			return strings.TrimSuffix(attach, "'")
		}
		fmt.Fprintln(&said, in.Text())
	}
	t.Fatalf("the provider does not start:\n%s", &said)
	return ""
}

// awsProvider finds an AWS provider that starts in the folders where Terraform's settings and conventions put plugins.
func awsProvider() string {
	home, _ := os.UserHomeDir()
	folders := []string{os.Getenv("LAMINA_TERRAFORM_PLUGINS"), os.Getenv("TF_PLUGIN_CACHE_DIR"), "/usr/local/share/terraform/plugins",
		"/usr/share/terraform/plugins", filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(home, ".terraform.d", "plugin-cache"),
		filepath.Join(home, ".local", "share", "terraform", "plugins"), "/opt/*"}
	folders = append(folders, mirrors(os.Getenv("TF_CLI_CONFIG_FILE"))...)
	folders = append(folders, mirrors(filepath.Join(home, ".terraformrc"))...)
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(folder, "*", "hashicorp", "aws", "*", "linux_*", "terraform-provider-aws_*"))
		for _, p := range found {
			if exec.Command(p, "-help").Run() == nil {
				return p
			}
		}
	}
	return ""
}

var mirrorPath = regexp.MustCompile(`(?m)^\s*(?:path|plugin_cache_dir)\s*=\s*"([^"]+)"`)

// mirrors are the folders that a file of Terraform's settings names.
func mirrors(file string) []string {
	b, _ := os.ReadFile(file)
	var all []string
	for _, m := range mirrorPath.FindAllSubmatch(b, -1) {
		all = append(all, string(m[1]))
	}
	return all
}
