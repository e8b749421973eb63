package cli

import (
	"os"
	"strings"

	"github.com/laminadev/lamina/internal/daemon"
)

// addVariables adds those of a file and then those of flags to a function's environment.
func addVariables(env map[string]string, file string, flags []string) error {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return usagef("cannot read the variables: %v", err)
		}
		if err := addLines(env, file, string(b)); err != nil {
			return err
		}
	}
	for _, kv := range flags {
		k, v, given := strings.Cut(kv, "=")
		if !given {
			v, given = os.LookupEnv(k)
		}
		if k == "" || !given {
			return usagef("--env is KEY=VALUE, or the name of a variable of this shell, not %q", kv)
		}
		env[k] = v
	}
	return nil
}

// addLines reads KEY=VALUE lines. Empty lines, comments, "export " and quotes around a value are as in a shell's file;
// nothing is expanded.
func addLines(env map[string]string, file, text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimPrefix(strings.TrimSpace(line), "export ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if k = strings.TrimSpace(k); !ok || k == "" || strings.ContainsAny(k, " \t") {
			return usagef("%s, line %d: it is not KEY=VALUE", file, n)
		}
		v = strings.TrimSpace(v)
		if q := strings.TrimRight(v, "\"'"); len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] && len(q) < len(v) {
			v = v[1 : len(v)-1]
		}
		env[k] = v
	}
	return nil
}

// variableWarnings says which variables a function could not have on AWS, in lines.
func variableWarnings(env map[string]string) string {
	reserved, malformed := daemon.RefusedVariables(env)
	text := ""
	if len(reserved) > 0 {
		text += "lamina: Lambda sets these variables itself, and refuses a function's own: " + strings.Join(reserved, ", ") + "\n"
	}
	if len(malformed) > 0 {
		text += "lamina: Lambda refuses variables of these names (two or more letters, digits and _; a letter first): " +
			strings.Join(malformed, ", ") + "\n"
	}
	return text
}
