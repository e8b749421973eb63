package api

import (
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/laminadev/lamina/internal/lambda"
)

// hosts are the names under which we may be addressed, beside those of loopback.
//
// In open mode whoever reaches the port may do everything, so a web page must not reach it through the browser of somebody
// on this machine. A page's requests carry its Origin or say that they cross sites; and a page whose own name was made to
// resolve to loopback carries that name as Host.
type hosts map[string]bool

func newHosts(names []string) hosts {
	h := hosts{}
	for _, n := range names {
		h[strings.ToLower(n)] = true
	}
	return h
}

// functionURL is a host that only the URL of a function has, below whatever name leads here.
var functionURL = regexp.MustCompile(`^[a-z0-9]{32}\.lambda-url\.[a-z0-9-]+\.`)

// check refuses a request that a foreign page made.
func (h hosts) check(r *http.Request) error {
	if functionURL.MatchString(strings.ToLower(r.Host)) {
		return lambda.Errorf(lambda.NotBuilt, "lamina keeps function URLs and does not answer calls to them yet. Use the operation Invoke.")
	}
	if !h.ours(r.Host) && !h.bucket(r) {
		return lambda.Errorf(lambda.Denied, "The host %q is not one of this server's. Use localhost, or start the server with --host %s.", r.Host, hostname(r.Host))
	}
	if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(origin, r) {
		return lambda.Errorf(lambda.Denied, "Requests of pages from %q are refused.", origin)
	}
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return lambda.Errorf(lambda.Denied, "Requests of pages from other sites are refused.")
	}
	return nil
}

func (h hosts) ours(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(hostname(host)), ".")
	if ip := net.ParseIP(name); ip != nil {
		return ip.IsLoopback() || h[name]
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || name != "" && h[name]
}

// bucket reports whether a request to S3 is for a host below one of ours: a bucket is a host of its own.
func (h hosts) bucket(r *http.Request) bool {
	if readCredential(r).service != "s3" {
		return false
	}
	for _, name, below := strings.Cut(strings.ToLower(hostname(r.Host)), "."); below; _, name, below = strings.Cut(name, ".") {
		if h[name] {
			return true
		}
	}
	return false
}

// hostname is a host without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func sameOrigin(origin string, r *http.Request) bool {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return strings.EqualFold(origin, scheme+r.Host)
}
