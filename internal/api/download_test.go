package api_test

import (
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

func TestDownload(t *testing.T) {
	var ahead atomic.Int64 // seconds
	s := newServer(t, func(o *api.Options) {
		o.Now = func() time.Time { return time.Unix(1_700_000_000+ahead.Load(), 0) }
	})
	zip := string(lambdatest.PythonLayer("m", "x = 1\n"))
	location := s.publish("libs").body["Content"].(object)["Location"].(string)
	path := strings.TrimPrefix(location, s.url)
	a := s.ok(200, request{method: "GET", path: path})
	if a.text != zip || a.header.Get("Content-Type") != "application/zip" {
		t.Errorf("got %d bytes of %s, want %d", len(a.text), a.header.Get("Content-Type"), len(zip))
	}
	if a := s.ok(206, request{method: "GET", path: path, header: map[string]string{"Range": "bytes=2-3"}}); a.text != zip[2:4] {
		t.Errorf("a range is %q, want %q", a.text, zip[2:4])
	}
	s.ok(403, request{method: "PUT", path: path, body: "x"})

	u, err := url.Parse(location)
	must(t, err)
	for _, change := range []func(url.Values){
		func(q url.Values) { q.Set("Expires", "99999999999") },
		func(q url.Values) { q.Set("Nonce", "x") },
		func(q url.Values) { q.Set("Signature", strings.Repeat("0", 64)) },
		func(q url.Values) { q.Del("Signature") },
	} {
		q := u.Query()
		change(q)
		s.ok(403, request{method: "GET", path: u.EscapedPath() + "?" + q.Encode()})
	}
	s.ok(403, request{method: "GET", path: strings.Replace(path, "libs.zip", "other.zip", 1)})

	ahead.Store(lambda.LocationValidSeconds - 1)
	s.ok(200, request{method: "GET", path: path})
	ahead.Store(lambda.LocationValidSeconds)
	if a := s.ok(403, request{method: "GET", path: path}); a.body["Message"] != "Request has expired" {
		t.Errorf("an old URL: %s", a.text)
	}

	s.create("f")
	function := s.ok(200, request{method: "GET", path: functions + "/f"}).body["Code"].(object)["Location"].(string)
	if a := s.ok(200, request{method: "GET", path: strings.TrimPrefix(function, s.url)}); a.text != string(lambdatest.EchoFunction()) {
		t.Errorf("the function's zip has %d bytes", len(a.text))
	}
	again := s.ok(200, request{method: "GET", path: functions + "/f"}).body["Code"].(object)["Location"].(string)
	if again == function {
		t.Error("two calls gave one URL")
	}
}

func TestDownloadsKeepAcrossServersOfOneSecret(t *testing.T) {
	secret := func(s string) func(*api.Options) { return func(o *api.Options) { o.Secret = []byte(s) } }
	one, other := newServer(t, secret("a")), newServer(t, secret("b"))
	path := strings.TrimPrefix(one.publish("libs").body["Content"].(object)["Location"].(string), one.url)
	other.publish("libs")
	one.ok(200, request{method: "GET", path: path})
	other.ok(403, request{method: "GET", path: path})
}
