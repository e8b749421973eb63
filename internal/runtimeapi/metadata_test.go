package runtimeapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const metadata = "/2026-01-15/metadata/execution-environment"

func bearer(method, authorization string) string {
	return method + " " + metadata + " HTTP/1.1\r\nHost: x\r\n" + authorization + "Content-Length: 0\r\n\r\n"
}

// TestMetadata: whoever shows the environment's token is told its zone; the connection goes on after refusals.
func TestMetadata(t *testing.T) {
	s, addr := serve(t)
	c := dial(t, addr)
	refused := func(status int) reply {
		return reply{status, "text/plain; charset=utf-8", http.StatusText(status) + "\n"}
	}
	if diff := cmp.Diff(c.exchange(bearer("GET", "Authorization: Bearer \r\n")), refused(503)); diff != "" {
		t.Errorf("before Describe (-got +want):\n%s", diff)
	}
	token := s.Describe("use1-az1")
	for _, row := range []struct {
		method, authorization string
		want                  reply
	}{
		{"GET", "", refused(401)},
		{"GET", "Authorization: Bearer \r\n", refused(401)},
		{"GET", "Authorization: Bearer " + token + "x\r\n", refused(401)},
		{"GET", "Authorization: " + token + "\r\n", refused(401)},
		{"GET", "Authorization: bearer " + token + "\r\n", refused(401)},
		{"POST", "Authorization: Bearer " + token + "\r\n", refused(405)},
		{"GET", "Authorization: Bearer " + token + "\r\n", reply{200, "application/json", `{"AvailabilityZoneID":"use1-az1"}`}},
	} {
		if diff := cmp.Diff(c.exchange(bearer(row.method, row.authorization)), row.want); diff != "" {
			t.Errorf("%s %q (-got +want):\n%s", row.method, row.authorization, diff)
		}
	}
	c.write(bearer("GET", "Authorization: Bearer "+token+"\r\n"))
	if _, h := c.read(); h.Get("Cache-Control") != "private, max-age=43200, immutable" {
		t.Errorf("got headers %v", h)
	}
	if s.Describe("use1-az1") == token {
		t.Error("two environments have one token")
	}
}

// TestMetadataStays: what starts an environment's runtime again does not change what it is.
func TestMetadataStays(t *testing.T) {
	s, addr := serve(t)
	token := s.Describe("euc1-az1")
	s.Reset()
	got := dial(t, addr).exchange(bearer("GET", "Authorization: Bearer "+token+"\r\n"))
	if diff := cmp.Diff(got, reply{200, "application/json", `{"AvailabilityZoneID":"euc1-az1"}`}); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}
