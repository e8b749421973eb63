package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	regionPattern  = regexp.MustCompile(`^(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d$`)
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	memberPattern  = regexp.MustCompile(`^o-[a-z0-9]{10,32}=(\d{12})$`)
	hostPattern    = regexp.MustCompile(`^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?$`)
)

// Validate checks every setting and gives all that is wrong at once.
func (c Config) Validate() error {
	return errors.Join(
		named("listen", checkListen(c.Listen)),
		named("data", checkData(c.Data)),
		named("database", checkDatabase(c.Database)),
		named("blob", checkBlob(c.Blob)),
		named("s3-endpoint", checkS3Endpoint(c.S3Endpoint)),
		named("region", check(regionPattern.MatchString(c.Region), "%q is not a region such as %s", c.Region, DefaultRegion)),
		named("account", check(accountPattern.MatchString(c.Account), "%q is not 12 digits", c.Account)),
		named("organization", checkOrganizations(c.Organization)),
		named("host", checkHosts(c.Host)),
		named("reach", checkReach(c.Reach)),
		named("network", oneOf(c.Network, "auto", "nat", "none")),
		named("network-allow", checkNetworks(c.NetworkAllow)),
		named("network-deny", checkNetworks(c.NetworkDeny)),
		named("endpoint-url", oneOf(c.EndpointURL, "on", "off")),
		named("limits", oneOf(c.Limits, "aws", "relaxed")),
		named("concurrency", check(c.Concurrency > 0, "must be at least 1")),
		named("idle-timeout", check(c.IdleTimeout > 0, "must be longer than 0")),
		named("drain-timeout", check(c.DrainTimeout >= 0, "must not be negative")),
		named("log-level", oneOf(c.LogLevel, "debug", "info", "warn", "error")),
		named("log-format", oneOf(c.LogFormat, "text", "json")),
		named("helper", checkHelper(c.Helper)),
		named("prepared", check(c.Prepared >= 0 && c.Prepared <= MaxAhead, "must be between 0 and %d", MaxAhead)),
		named("spares", check(c.Spares >= 0 && c.Spares <= MaxAhead, "must be between 0 and %d", MaxAhead)),
		named("ahead", check(c.Ahead >= 0 && c.Ahead <= MaxAhead, "must be between 0 and %d", MaxAhead)),
		named("freeze", oneOf(c.Freeze, "auto", "on", "off")),
		named("cpu", oneOf(c.CPU, "share", "off")),
	)
}

func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func check(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func oneOf(v string, all ...string) error {
	return check(slices.Contains(all, v), "%q is none of %s", v, strings.Join(all, ", "))
}

// checkListen refuses what strangers could reach: in open mode, the only one that is built, any caller is let in.
func checkListen(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isPort(port, 0) {
		return fmt.Errorf("%q is not HOST:PORT such as %s", addr, DefaultListen)
	}
	if host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s is refused, since others than this machine could reach it: only the \"open\" mode of authentication "+
		"is built, which lets every caller in; \"sigv4\", which other addresses need, is not built yet. "+
		"Use %s, and a tunnel (ssh -L) from elsewhere", addr, net.JoinHostPort("127.0.0.1", port))
}

func isPort(s string, least int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= least && n <= 65535
}

func checkData(dir string) error {
	if dir == "" {
		return errors.New("there is no home folder to keep data in; name one with --data FOLDER")
	}
	return check(filepath.IsAbs(dir), "%q is not an absolute path", dir)
}

func checkDatabase(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil {
		// The parser's own text repeats the URL, which may hold a password.
		return errors.New("is not a URL such as sqlite:///FILE or postgres://USER@HOST/NAME")
	}
	switch u.Scheme {
	case "sqlite":
		return check(u.Host == "" && filepath.IsAbs(u.Path), "a SQLite file is named with three slashes: sqlite:///var/lib/lamina.db")
	case "postgres", "postgresql":
		return nil
	}
	return fmt.Errorf("%q is neither sqlite nor postgres", u.Scheme)
}

// checkS3Endpoint repeats nothing that may be a secret.
func checkS3Endpoint(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("is not a URL such as https://s3.amazonaws.com or http://HOST:9000")
	}
	return check(u.User == nil, "holds credentials: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or in a profile, and leave them out here")
}

func checkHosts(hosts []string) error {
	for _, h := range hosts {
		if len(h) > 253 || !hostPattern.MatchString(h) {
			return fmt.Errorf("%q is not a host name (a name alone, without scheme or port)", h)
		}
	}
	return nil
}

// checkReach refuses two addresses with one port, since the sandbox's loopback has each port only once.
func checkReach(addrs []string) error {
	seen := map[string]string{}
	for _, a := range addrs {
		host, port, err := net.SplitHostPort(a)
		if err != nil || host == "" || !isPort(port, 1) {
			return fmt.Errorf("%q is not HOST:PORT such as 127.0.0.1:8080", a)
		}
		if other := seen[port]; other != "" && other != a {
			return fmt.Errorf("%s and %s have the same port, which functions see on their own localhost", other, a)
		}
		seen[port] = a
	}
	return nil
}

func checkNetworks(list []string) error {
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err != nil || !p.Addr().Is4() || p != p.Masked() {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", s)
		}
	}
	return nil
}

func checkHelper(path string) error {
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is not an absolute path", path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return check(info.Mode().IsRegular() && info.Mode()&0o111 != 0, "%s is not a program", path)
}

// checkOrganizations refuses what is no membership, and an account in two organisations.
func checkOrganizations(list []string) error {
	of := map[string]string{}
	for _, pair := range list {
		m := memberPattern.FindStringSubmatch(pair)
		if m == nil {
			return fmt.Errorf("%q is not an organisation and an account, such as o-abcdefghij=%s", pair, DefaultAccount)
		}
		if other, twice := of[m[1]]; twice && other != pair {
			return fmt.Errorf("account %s is in two organisations: %s and %s", m[1], other, pair)
		}
		of[m[1]] = pair
	}
	return nil
}
