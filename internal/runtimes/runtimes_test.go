package runtimes_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/runtimes"
	"github.com/laminadev/lamina/internal/sandbox"
)

func TestResolveProvided(t *testing.T) {
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	r, err := set.Resolve(t.Context(), "provided.al2023")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if diff := cmp.Diff(r.Mounts, []sandbox.Mount{{Target: "/var/runtime", Empty: true}}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
	// A wrapper has no effect on provided runtimes.
	want := []string{"/var/runtime/bootstrap", "/var/task/bootstrap", "/opt/bootstrap"}
	if diff := cmp.Diff(r.Command([]string{"AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"}), want); diff != "" || len(r.Env) != 0 {
		t.Errorf("environment %q, command -got +want:\n%s", r.Env, diff)
	}
}

func TestResolveUnknown(t *testing.T) {
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	for r, want := range map[lambda.Runtime]string{
		"provided":   "use provided.al2023",
		"nodejs16.x": "lamina runs nodejs18.x, nodejs20.x, nodejs22.x and nodejs24.x",
		"nodejs":     "lamina runs nodejs18.x",
		"java21":     "not built into lamina yet",
		"python3.7":  "lamina runs python3.8 to python3.14",
		"python":     "lamina runs python3.8 to python3.14",
	} {
		if _, err := set.Resolve(t.Context(), r); !lambda.IsKind(err, lambda.BadRuntime) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestCommand(t *testing.T) {
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	name := hostPythons(t, set)[0]
	r, err := set.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	direct := []string{"/var/lang/bin/" + string(name), "/var/runtime/bootstrap.py"}
	for _, c := range []struct {
		env  []string
		want []string
	}{
		{nil, direct},
		{[]string{"AWS_LAMBDA_EXEC_WRAPPER="}, direct},
		{[]string{"XAWS_LAMBDA_EXEC_WRAPPER=/x"}, direct},
		{[]string{"A=b", "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"}, []string{"/var/runtime/bootstrap"}},
	} {
		if diff := cmp.Diff(r.Command(c.env), c.want); diff != "" {
			t.Errorf("%q (-got +want):\n%s", c.env, diff)
		}
	}
	if diff := cmp.Diff(r.Env, []string{"AWS_EXECUTION_ENV=AWS_Lambda_" + string(name)}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

// TestWrapper runs the bootstrap script with wrappers that exist, that do not, and that are not executable.
func TestWrapper(t *testing.T) {
	set := runtimes.New(runtimes.Options{Dir: t.TempDir()})
	name := hostPythons(t, set)[0]
	r, err := set.Resolve(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "wrapper"), []byte("#!/bin/sh\necho $AWS_EXECUTION_ENV\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Mounts = append(r.Mounts, sandbox.Mount{Target: "/wrap/plain", File: []byte("x")}, sandbox.Mount{Target: "/wrap/bin", Bind: bin})
	b := open(t, r)
	started := "/var/lang/bin/" + string(name) + " /var/runtime/bootstrap.py"
	for _, c := range []struct{ name, wrapper, want string }{
		{"runs it with the interpreter's command", "/bin/echo", started + "\nexit 0\n"},
		{"missing", "/opt/none", "/opt/none: does not exist\nexit 127\n"},
		{"a folder", "/opt", "/opt: does not exist\nexit 127\n"},
		{"not executable", "/wrap/plain", "/wrap/plain: is not an executable\nexit 126\n"},
	} {
		env := append([]string{"AWS_LAMBDA_EXEC_WRAPPER=" + c.wrapper}, awsEnv...)
		if got := b.run(env, "/bin/sh", "-c", "/var/runtime/bootstrap; echo exit $?"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	env := append([]string{"AWS_LAMBDA_EXEC_WRAPPER=/wrap/bin/wrapper"}, awsEnv...)
	if got, want := b.run(env, "/var/runtime/bootstrap"), "AWS_Lambda_"+string(name)+"\n"; got != want {
		t.Errorf("AWS_EXECUTION_ENV is %q, want %q", got, want)
	}
}
