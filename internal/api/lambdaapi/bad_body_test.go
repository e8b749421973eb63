package lambdaapi_test

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
)

// TestBadBodies sends every operation bodies that are not what it expects.
func TestBadBodies(t *testing.T) {
	g := newTarget(t)
	for _, op := range lambdaapi.Routes {
		if !lambdaapi.Built(op.Name) {
			continue
		}
		g.restore()
		good := request(op, input(op), nil)
		for what, body := range map[string]string{
			"nothing": bodyless, "null": "null", "a list": "[]", "a text": `"x"`, "a number": "1", "a word": "hello", "blanks": " \n\t", "open": "{",
			"closed twice": string(good.body) + "}", "twice": string(good.body) + string(good.body), "not UTF-8": "{\"a\":\"\xff\"}", "a byte order mark": "\ufeff" + string(good.body),
			"UTF-16": "\xff\xfe{\x00}\x00", "a NUL": "\x00", "comments": "/* */{}", "a trailing comma": `{"a":1,}`, "no quotes": "{a:1}", "single quotes": "{'a':1}",
			"a form": "a=b&c=d", "deep lists": strings.Repeat("[", 100_000), "deep objects": strings.Repeat(`{"a":`, 100_000),
		} {
			s := good
			s.body, s.what, s.broken = []byte(body), what, true
			g.send(s)
		}
		for _, cut := range []int{1, len(good.body) / 2, len(good.body) - 1} {
			if cut > 0 && cut < len(good.body) {
				s := good
				s.body, s.what, s.broken = good.body[:cut], "cut off", true
				g.send(s)
			}
		}
		s := request(op, input(op), map[string]string{"": `"Unknown":{"a":[1,{"b":null}]}`})
		s.what, s.broken = "an unknown member", op.Name == "Invoke"
		g.send(s)
		if t.Failed() {
			t.Fatalf("stopped after %s", op.Name)
		}
	}
}

// TestLargeBodies sends 10 MB to operations of each sort: with a zip, with members, with a payload. What is kept of a body is bounded, whatever is sent.
func TestLargeBodies(t *testing.T) {
	g := newTarget(t)
	g.restore()
	large := strings.Repeat("a", 10<<20)
	for _, op := range lambdaapi.Routes {
		if !slices.Contains([]string{"PublishLayerVersion", "UpdateFunctionConfiguration", "Invoke"}, op.Name) {
			continue
		}
		for what, body := range map[string]string{
			"10 MB of blanks": strings.Repeat(" ", 10<<20), "10 MB in a member that nobody knows": `{"Unknown":"` + large + `"}`,
			"10 MB of a list": "[" + strings.Repeat(`"aaaaaaaaaaaaaaaaaaaa",`, 10<<20/23) + "1]",
		} {
			s := request(op, input(op), nil)
			s.body, s.what, s.broken = []byte(body), what, true
			g.send(s)
		}
		for _, m := range lambdaapi.Members(op) {
			if m.In == "body" && m.Shape.Kind() == "String" {
				s := request(op, input(op), map[string]string{m.Name: `"` + large + `"`})
				s.what = "10 MB of " + m.Name
				g.send(s)
				break
			}
		}
	}
}

// TestBadPaths sends paths and methods that no operation has, and those of operations bent.
func TestBadPaths(t *testing.T) {
	g := newTarget(t)
	g.restore()
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "X"}
	for _, op := range lambdaapi.Routes {
		good := request(op, input(op), nil)
		path, query, _ := strings.Cut(good.path, "?")
		for _, method := range methods {
			g.send(sent{what: "method", method: method, path: good.path, header: http.Header{}, body: good.body})
		}
		for _, bent := range []string{path + "/", path + "//", "/" + path, path + "/x", strings.ToUpper(path), strings.ReplaceAll(path, "/", "%2f"), path + "%00", path + "/..",
			path + "/.", strings.Replace(path, "-", "", 1), path + ";x=1", path + "?%zz", path + "?" + strings.Repeat("a=b&", 5000), path + "?a;b", path + "/%ff", path + "?Qualifier=%ff&Marker=%00",
			path + "?" + query + "&" + query} {
			g.send(sent{what: "path", method: op.Method, path: bent, header: http.Header{}, body: bytes.Clone(good.body)})
		}
		if t.Failed() {
			t.Fatalf("stopped after %s", op.Name)
		}
	}
	for _, path := range []string{"/", "*", "//", "/%", "/..", "/2015-03-31", "/2015-03-31/functions/" + strings.Repeat("a", 100_000), "/_lamina/download/", "/lamina/v1/", "/lamina/v2/x"} {
		for _, method := range methods {
			g.send(sent{what: "path", method: method, path: path, header: http.Header{}})
		}
	}
}
