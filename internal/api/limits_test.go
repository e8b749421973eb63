package api_test

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/control"
	"github.com/laminadev/lamina/internal/database"
	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/lambdatest"
)

// limited is a server with other limits than AWS's.
func limited(t *testing.T, l lambda.Limits) *server {
	c := controlOn(t, database.SQLiteURL(filepath.Join(t.TempDir(), "lamina.db")), func(o *control.Options) { o.Limits = l })
	return newServer(t, func(o *api.Options) { o.Control = c })
}

// TestLimits: each limit is the server's, in what is refused and in what is printed.
func TestLimits(t *testing.T) {
	s := limited(t, lambda.Limits{Layers: 2, ZipSize: 2000, UnzippedSize: 3000, CodeStorage: 5000, EnvironmentSize: 2048, RequestSize: 100_000})
	const invalid = "InvalidParameterValueException"
	content := func(body string) object {
		return object{"Content": object{"ZipFile": lambdatest.Zip(map[string]string{"a": body})}}
	}
	publish := func(layer string, in object) request {
		return request{method: "POST", path: "/2018-10-31/layers/" + layer + "/versions", body: in}
	}
	large, random := strings.Repeat("a", 2000), noise(1700)
	for _, l := range []string{"a", "b", "c"} {
		s.ok(201, publish(l, content(large)))
	}
	s.refused(400, invalid, "Unzipped size must be smaller than 3000 bytes", publish("d", content(strings.Repeat("a", 3001))))
	s.refused(413, "RequestEntityTooLargeException", "Zipped size must be smaller than 2000 bytes", publish("d", content(noise(2500))))
	s.refused(413, "RequestEntityTooLargeException", "Request must be smaller than 100000 bytes for the PublishLayerVersion operation",
		publish("d", object{"Content": object{}, "Unknown": strings.Repeat("x", 500_000)}))
	layers := func(names ...string) object {
		var arns []string
		for _, n := range names {
			arns = append(arns, "arn:aws:lambda:us-east-1:000000000000:layer:"+n+":1")
		}
		return object{"Layers": arns}
	}
	create := func(more ...object) request {
		return request{method: "POST", path: fns, body: function("f", more...)}
	}
	s.refused(400, invalid, "Cannot reference more than 2 layers.", create(layers("a", "b", "c")))
	s.refused(400, invalid, "Layers consume more than the available size of 3000 bytes", create(layers("a", "b")))
	variables := object{"Environment": object{"Variables": object{"AA": strings.Repeat("x", 2048)}}}
	s.refused(400, invalid, "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 2KB limit. String measured: {\"AA\":\""+strings.Repeat("x", 2048)+"\"}", create(variables))
	a := s.ok(200, request{method: "GET", path: "/2016-08-19/account-settings"})
	limit := a.body["AccountLimit"].(object)
	delete(limit, "ConcurrentExecutions")
	delete(limit, "UnreservedConcurrentExecutions")
	if diff := cmp.Diff(object{"TotalCodeSize": 5000.0, "CodeSizeUnzipped": 3000.0, "CodeSizeZipped": 2000.0}, limit); diff != "" {
		t.Error(diff)
	}
	s.ok(201, publish("n", content(random)))
	s.ok(201, publish("n", content(random)))
	s.refused(400, "CodeStorageExceededException", "Code storage limit exceeded.", publish("n", content(random)))
}

// noise gives text that no compression makes much shorter.
func noise(n int) string {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return string(b)
}

// TestRelaxedLimits: with them a server takes what AWS refuses, and every answer says so.
func TestRelaxedLimits(t *testing.T) {
	aws, relaxed := reflect.ValueOf(lambda.AWSLimits()), reflect.ValueOf(lambda.RelaxedLimits())
	for i := range aws.NumField() {
		if relaxed.Field(i).Int() < 8*aws.Field(i).Int() {
			t.Errorf("%s is hardly relaxed", aws.Type().Field(i).Name)
		}
	}
	const notice = "relaxed: what is accepted here would not all deploy to AWS"
	s := limited(t, lambda.RelaxedLimits())
	var arns []string
	for _, l := range []string{"a", "b", "c", "d", "e", "f"} {
		arns = append(arns, s.publish(l).body["LayerVersionArn"].(string))
	}
	a := s.create("f", object{"Layers": arns, "Environment": object{"Variables": object{"AA": strings.Repeat("x", 5000)}}})
	if got := a.header.Get("X-Lamina-Limits"); got != notice {
		t.Errorf("an answer says %q", got)
	}
	if a := s.do(request{method: "GET", path: fns + "/none"}); a.header.Get("X-Lamina-Limits") != notice {
		t.Error("an error does not say it")
	}
	if a := newServer(t).do(request{method: "GET", path: fns}); a.header.Get("X-Lamina-Limits") != "" {
		t.Error("AWS's limits are said to be relaxed")
	}
}
