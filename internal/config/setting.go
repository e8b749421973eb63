package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Setting is one row of the table of settings: everything that reads or prints settings walks it.
type Setting struct {
	Name  string // as a flag and in the file
	Value string // what the help shows in its place: "HOST:PORT"
	Usage string
	List  bool // may be given several times

	get func(Config) []string
	set func(*Config, []string) error
}

// Env is the setting's environment variable. A list is separated by commas there.
func (s Setting) Env() string {
	return "LAMINA_" + strings.ToUpper(strings.ReplaceAll(s.Name, "-", "_"))
}

// Get gives the setting's value as text; a list may have none or several.
func (s Setting) Get(c Config) []string { return s.get(c) }

// Set reads the setting from text. It fails on what can't be a value of its type; Validate checks the meaning.
func (s Setting) Set(c *Config, values []string) error { return s.set(c, values) }

// Settings is the table, in the order in which help and --print-config show it.
func Settings() []Setting {
	return []Setting{
		text("listen", "HOST:PORT", "address to listen on; port 0 picks a free one", func(c *Config) *string { return &c.Listen }),
		text("data", "FOLDER", "folder that holds everything lamina keeps (default: $XDG_DATA_HOME/lamina or ~/.local/share/lamina)", func(c *Config) *string { return &c.Data }),
		text("database", "URL", "sqlite:///FILE or postgres://… (default: SQLite in the data folder)", func(c *Config) *string { return &c.Database }),
		text("blob", "URL", "s3://BUCKET/PREFIX?endpoint=URL&region=REGION, with keys in the standard AWS variables or files (default: the data folder)", func(c *Config) *string { return &c.Blob }),
		text("s3-endpoint", "URL", "S3 that holds the objects which S3Bucket and S3Key name, with keys as of --blob (default: lamina's own S3, at its own address)", func(c *Config) *string { return &c.S3Endpoint }),
		text("region", "REGION", "region of calls whose signature names none", func(c *Config) *string { return &c.Region }),
		text("account", "ID", "account of calls whose access key is not 12 digits", func(c *Config) *string { return &c.Account }),
		list("organization", "ORG=ACCOUNT", "organisation that an account belongs to, for layers that are shared with one (repeatable)", func(c *Config) *[]string { return &c.Organization }),
		list("host", "NAME", "extra name by which clients may call the server (repeatable)", func(c *Config) *[]string { return &c.Host }),
		list("reach", "HOST:PORT", "address of the host that functions may dial, at the same port of their own localhost (repeatable)", func(c *Config) *[]string { return &c.Reach }),
		text("network", "MODE", "what functions reach: nat is the internet, none is nothing, auto is nat where this machine can", func(c *Config) *string { return &c.Network }),
		list("network-allow", "CIDR", "private network that functions may call too, such as 10.0.0.0/8 (repeatable)", func(c *Config) *[]string { return &c.NetworkAllow }),
		list("network-deny", "CIDR", "network that functions may not call (repeatable)", func(c *Config) *[]string { return &c.NetworkDeny }),
		text("endpoint-url", "on|off", "whether functions get AWS_ENDPOINT_URL and reach this server there, with keys of their own account", func(c *Config) *string { return &c.EndpointURL }),
		number("concurrency", "N", "invocations of an account that may run at once", func(c *Config) *int { return &c.Concurrency }),
		text("limits", "aws|relaxed", "quotas of layers, zips, variables and stored code: AWS's, or far more than would deploy to AWS", func(c *Config) *string { return &c.Limits }),
		duration("idle-timeout", "TIME", "end an execution environment that was not used for so long", func(c *Config) *time.Duration { return &c.IdleTimeout }),
		duration("drain-timeout", "TIME", "time that running invocations get when the server stops; 0 is as long as their functions' timeouts let them", func(c *Config) *time.Duration { return &c.DrainTimeout }),
		text("log-level", "LEVEL", "debug, info, warn or error", func(c *Config) *string { return &c.LogLevel }),
		text("log-format", "FORMAT", "text or json", func(c *Config) *string { return &c.LogFormat }),
		text("helper", "FILE", "installed lamina-init to start sandboxes with (default: the one inside this program)", func(c *Config) *string { return &c.Helper }),
		number("prepared", "N", "sandboxes kept started ahead of functions, of the account that was served last; each takes about 2 MB", func(c *Config) *int { return &c.Prepared }),
		number("spares", "N", "interpreters kept booted, of each runtime (and memory size, for Node.js) that an account has used lately; python's takes 10 MB, node's 40", func(c *Config) *int { return &c.Spares }),
		number("ahead", "N", "environments kept initialised beyond those that run, of each function that ran several times at once lately; each takes what the function does", func(c *Config) *int { return &c.Ahead }),
		text("freeze", "auto|on|off", "whether functions stand still between invocations; auto is where cgroups can do it", func(c *Config) *string { return &c.Freeze }),
		text("cpu", "share|off", "share gives functions, after their Init phase, as much of the processor as their memory buys on AWS", func(c *Config) *string { return &c.CPU }),
	}
}

// last is the value that counts when a single setting was given several times.
func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

func text(name, value, usage string, at func(*Config) *string) Setting {
	return Setting{Name: name, Value: value, Usage: usage,
		get: func(c Config) []string { return []string{*at(&c)} },
		set: func(c *Config, v []string) error { *at(c) = last(v); return nil },
	}
}

func list(name, value, usage string, at func(*Config) *[]string) Setting {
	return Setting{Name: name, Value: value, Usage: usage, List: true,
		get: func(c Config) []string { return *at(&c) },
		set: func(c *Config, v []string) error { *at(c) = append([]string(nil), v...); return nil },
	}
}

func number(name, value, usage string, at func(*Config) *int) Setting {
	return Setting{Name: name, Value: value, Usage: usage,
		get: func(c Config) []string { return []string{strconv.Itoa(*at(&c))} },
		set: func(c *Config, v []string) error {
			n, err := strconv.Atoi(last(v))
			if err != nil {
				return fmt.Errorf("%q is not a whole number", last(v))
			}
			*at(c) = n
			return nil
		},
	}
}

func duration(name, value, usage string, at func(*Config) *time.Duration) Setting {
	return Setting{Name: name, Value: value, Usage: usage,
		get: func(c Config) []string { return []string{at(&c).String()} },
		set: func(c *Config, v []string) error {
			d, err := time.ParseDuration(last(v))
			if err != nil {
				return fmt.Errorf("%q is not a length of time such as 30s or 10m", last(v))
			}
			*at(c) = d
			return nil
		},
	}
}
