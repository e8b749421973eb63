package control

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

const environmentRefused = "Lambda was unable to configure your environment variables because the environment variables you have provided "

// reservedVariables are those that the platform sets itself.
var reservedVariables = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_MAX_CONCURRENCY", "AWS_LAMBDA_METADATA_API", "AWS_LAMBDA_METADATA_TOKEN",
	"AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
	"LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}

// ReservedVariables gives those of some names that a function's environment may not have, since the platform sets them itself.
func ReservedVariables(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(reservedVariables, name) })
}

// checkEnvironment refuses reserved and too many variables; raw is their JSON as it was sent, for the order of their names.
func (s *Service) checkEnvironment(vars *lambda.Variables, raw string) error {
	if vars == nil {
		return nil
	}
	names := variableNames(vars.Map, raw)
	if reserved := ReservedVariables(names); len(reserved) > 0 {
		return lambda.Errorf(lambda.Invalid, environmentRefused+"contains reserved keys that are currently not supported for "+
			"modification. Reserved keys used in this request: %s", strings.Join(reserved, ", "))
	}
	if measured := compactJSON(vars.Map, names); len(measured) > s.limits.EnvironmentSize {
		return lambda.Errorf(lambda.Invalid, environmentRefused+"exceeded the %dKB limit. String measured: %s", s.limits.EnvironmentSize>>10, measured)
	}
	return nil
}

// variableNames gives the names in the order of the request; what raw does not tell comes last, by name.
func variableNames(vars map[string]string, raw string) []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if _, ok := vars[name]; ok && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, name := range memberNames(raw) {
		add(name)
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		add(name)
	}
	return names
}

// memberNames gives the names of a JSON object of strings, up to where it stops to be one.
func memberNames(raw string) []string {
	d := json.NewDecoder(strings.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			break
		}
		if _, err := d.Token(); err != nil {
			break
		}
		if s, ok := name.(string); ok {
			names = append(names, s)
		}
	}
	return names
}

// compactJSON is what AWS measures: the variables as JSON without blanks, with no more escapes than JSON needs.
func compactJSON(vars map[string]string, names []string) string {
	var b strings.Builder
	for i, name := range names {
		b.WriteByte("{,"[min(i, 1)])
		writeString(&b, name)
		b.WriteByte(':')
		writeString(&b, vars[name])
	}
	if len(names) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.String()
}

func writeString(b *strings.Builder, s string) {
	var one strings.Builder
	e := json.NewEncoder(&one)
	e.SetEscapeHTML(false)
	e.Encode(s) // cannot fail on a string
	b.WriteString(strings.TrimSuffix(one.String(), "\n"))
}
