package execenv

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/laminadev/lamina/internal/runtimes"
)

// overridable are the variables that the platform sets and a function's configuration may replace. Every other variable of
// the platform keeps the platform's value.
var overridable = []string{"AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL", "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS",
	"LANG", "LD_LIBRARY_PATH", "PATH", "TZ", "AWS_ENDPOINT_URL", "NODE_PATH", "NODE_OPTIONS", "PYTHONPATH", "GEM_PATH", "RUBYLIB", "PWD", "SHLVL"}

// reserved are never the function's, whether the platform sets them or not.
var reserved = []string{"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_MAX_CONCURRENCY"}

// variables is the environment of the runtime's process, sorted. token is what the metadata endpoint asks for.
func (e *environment) variables(token string) []string {
	env := e.platformVariables()
	env["AWS_LAMBDA_METADATA_API"] = apiAddr
	env["AWS_LAMBDA_METADATA_TOKEN"] = token
	for _, kv := range e.runtime.Env {
		if k, v, ok := strings.Cut(kv, "="); ok {
			env[k] = v
		}
	}
	if vars := e.rev.Config.Environment; vars != nil {
		for k, v := range vars.Map {
			_, ours := env[k]
			if (ours && !slices.Contains(overridable, k)) || slices.Contains(reserved, k) || strings.HasPrefix(k, "_") {
				continue
			}
			env[k] = v
		}
	}
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}

func (e *environment) platformVariables() map[string]string {
	c := &e.rev.Config
	env := map[string]string{
		"AWS_REGION":                      e.rev.Key.Region,
		"AWS_DEFAULT_REGION":              e.rev.Key.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        string(e.rev.Key.Name),
		"AWS_LAMBDA_FUNCTION_VERSION":     e.source.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemorySize),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  initOnDemand,
		"AWS_LAMBDA_RUNTIME_API":          apiAddr,
		"AWS_LAMBDA_LOG_GROUP_NAME":       e.source.LogGroup,
		"AWS_LAMBDA_LOG_STREAM_NAME":      e.source.LogStream,
		"AWS_XRAY_CONTEXT_MISSING":        "LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS":         apiHost + ":2000",
		"_AWS_XRAY_DAEMON_ADDRESS":        apiHost,
		"_AWS_XRAY_DAEMON_PORT":           "2000",
		"LAMBDA_TASK_ROOT":                taskRoot,
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
		"_HANDLER":                        c.Handler,
	}
	maps.Copy(env, systemVariables(e.runtime))
	if c.Logging.LogFormat == "JSON" {
		env["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
		env["AWS_LAMBDA_LOG_LEVEL"] = orDefault(c.Logging.ApplicationLogLevel, "INFO")
	}
	if !e.runtime.Name.Provided() {
		// AWS's bootstrap is a shell script, and what a shell sets shows in everybody's dumps.
		env["PWD"] = taskRoot
		env["SHLVL"] = "0"
	}
	if framesLog(e.runtime) {
		env["_LAMBDA_TELEMETRY_LOG_FD"] = "3"
	}
	e.addCredentials(env)
	return env
}

// systemVariables are what the C library, its loader and an interpreter look at when they start.
func systemVariables(r *runtimes.Runtime) map[string]string {
	env := map[string]string{
		"LANG":            "en_US.UTF-8",
		"TZ":              ":UTC",
		"PATH":            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
	}
	if !r.Name.Provided() {
		env["PATH"] = "/var/lang/bin:" + env["PATH"]
		env["LD_LIBRARY_PATH"] = "/var/lang/lib:" + env["LD_LIBRARY_PATH"]
	}
	return env
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
