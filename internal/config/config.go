// Package config holds the server's settings: one struct whose defaults run on a laptop with no file.
//
// A setting has one name in three spellings: the flag --idle-timeout, the environment variable LAMINA_IDLE_TIMEOUT, and
// the key idle-timeout of one YAML file. Flags win over the environment, the environment over the file, the file over the
// defaults. Load reads all of them and checks the whole before anything starts, so a Config that it gave is valid.
package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// Config is every setting of the server.
type Config struct {
	Listen       string        // host:port, loopback; port 0 picks a free one
	Data         string        // folder of everything that is kept
	Region       string        // of calls whose signature names none
	Account      string        // of calls whose access key is not 12 digits
	Organization []string      // organisations of accounts: "o-…=123456789012"
	Host         []string      // names beside localhost by which the server may be called
	Reach        []string      // host:port that sandboxes may dial, on their own loopback
	EndpointURL  string        // "on": functions find AWS's API at AWS_ENDPOINT_URL; "off": they do not
	Network      string        // the way out of functions: auto, nat or none
	NetworkAllow []string      // private networks that functions may call
	NetworkDeny  []string      // networks that functions may not call
	Database     string        // URL; "" is SQLite in the data folder
	Blob         string        // URL of an S3 store of zips; "" is the data folder
	S3Endpoint   string        // URL of the S3 whose objects requests name; "" is lamina's own
	Concurrency  int           // of an account's invocations
	Limits       string        // aws: AWS's quotas; relaxed: those of the machine
	IdleTimeout  time.Duration // after which an unused execution environment ends
	DrainTimeout time.Duration // that running invocations get when the server stops; 0: as long as their functions' timeouts let them
	LogLevel     string        // debug, info, warn or error
	LogFormat    string        // text or json
	Helper       string        // path of an installed lamina-init; "" is the embedded one
	Prepared     int           // sandboxes kept started ahead of functions
	Spares       int           // interpreters kept booted, of each runtime that an account has used lately
	Ahead        int           // environments initialised ahead where invocations run at once
	Freeze       string        // whether idle environments are stopped: auto, on or off
	CPU          string        // share or off: whether functions get AWS's share of the processor
}

// The defaults that other packages name in their messages.
const (
	DefaultListen  = "127.0.0.1:4566"
	DefaultRegion  = "us-east-1"
	DefaultAccount = "000000000000"
)

// MaxAhead bounds what may be kept ready ahead of any need.
const MaxAhead = 64

// Default gives the settings of a server that was told nothing. getenv reads the environment, root says whether the
// server runs as the superuser.
func Default(getenv func(string) string, root bool) Config {
	return Config{
		Listen:      DefaultListen,
		Data:        defaultData(getenv, root),
		Region:      DefaultRegion,
		Account:     DefaultAccount,
		EndpointURL: "on",
		Network:     "auto",
		Concurrency: lambda.DefaultConcurrency,
		Limits:      "aws",
		IdleTimeout: 10 * time.Minute,
		LogLevel:    "info",
		LogFormat:   "text",
		Prepared:    2,
		Spares:      1,
		Ahead:       1,
		Freeze:      "auto",
		CPU:         "off",
	}
}

// defaultData is the user's data folder as freedesktop.org's base directories have it, or the system's for a superuser
// without a home (a service). It is "" when neither is known, which Validate refuses.
func defaultData(getenv func(string) string, root bool) string {
	if dir := getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lamina")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "share", "lamina")
	}
	if root {
		return "/var/lib/lamina"
	}
	return ""
}

// DefaultFile is the file that is read when none is named, if it exists; "" when there is no home to look in.
func DefaultFile(getenv func(string) string) string {
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lamina", "config.yaml")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".config", "lamina", "config.yaml")
	}
	return ""
}

// Quotas are those of what is uploaded and attached.
func (c Config) Quotas() lambda.Limits {
	if c.Limits == "relaxed" {
		return lambda.RelaxedLimits()
	}
	return lambda.AWSLimits()
}

// DatabaseURL is the database with its default filled in.
func (c Config) DatabaseURL() string {
	if c.Database != "" {
		return c.Database
	}
	return (&url.URL{Scheme: "sqlite", Path: filepath.Join(c.Data, "lamina.db")}).String()
}

// Organizations gives the organisation of each account that has one.
func (c Config) Organizations() map[string]string {
	m := map[string]string{}
	for _, pair := range c.Organization {
		organization, account, _ := strings.Cut(pair, "=")
		m[account] = organization
	}
	return m
}
