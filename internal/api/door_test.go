package api_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/invoke"
)

func TestOrigin(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.Hosts = []string{"Lamina.example"} })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	for name, row := range map[string]struct {
		header map[string]string
		status int
	}{
		"as it is":               {nil, 200},
		"localhost":              {map[string]string{"Host": "localhost:" + port}, 200},
		"localhost, capitals":    {map[string]string{"Host": "LocalHost"}, 200},
		"below localhost":        {map[string]string{"Host": "lambda.us-east-1.localhost:4566"}, 200},
		"IPv6":                   {map[string]string{"Host": "[::1]:4566"}, 200},
		"IPv6 without port":      {map[string]string{"Host": "[::1]"}, 200},
		"another loopback":       {map[string]string{"Host": "127.9.9.9"}, 200},
		"an extra host":          {map[string]string{"Host": "lamina.example:80"}, 200},
		"a stranger":             {map[string]string{"Host": "attacker.example"}, 403},
		"a stranger's localhost": {map[string]string{"Host": "localhost.attacker.example"}, 403},
		"a machine's address":    {map[string]string{"Host": "192.168.1.1"}, 403},
		"below an extra host":    {map[string]string{"Host": "x.lamina.example"}, 403},
		"own origin":             {map[string]string{"Origin": s.url}, 200},
		"own page":               {map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"typed by a person":      {map[string]string{"Sec-Fetch-Site": "none"}, 200},
		"foreign origin":         {map[string]string{"Origin": "https://attacker.example"}, 403},
		"another port":           {map[string]string{"Origin": "http://localhost:3000"}, 403},
		"another scheme":         {map[string]string{"Origin": strings.Replace(s.url, "http:", "https:", 1)}, 403},
		"no origin to name":      {map[string]string{"Origin": "null"}, 403},
		"from another site":      {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
	} {
		for _, path := range []string{"/2018-10-31/layers", "/lamina/v1/version"} {
			a := s.do(request{method: "GET", path: path, header: row.header})
			if a.status != row.status || a.header.Get("x-amzn-RequestId") == "" {
				t.Errorf("%s, %s: %d %s", name, path, a.status, a.text)
			}
			if a.status == 403 && a.header.Get("x-amzn-ErrorType") != "AccessDeniedException" {
				t.Errorf("%s, %s: %v", name, path, a.header)
			}
		}
	}
}

func TestServices(t *testing.T) {
	s := newServer(t)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	with := func(more ...map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range more {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	for name, row := range map[string]struct {
		request
		status int
		want   string // in the answer
	}{
		"lambda, signed":   {request{method: "GET", path: "/2018-10-31/layers", header: signed("x", "us-east-1", "lambda")}, 200, `"Layers":[]`},
		"lambda, by curl":  {request{method: "POST", path: "/2015-03-31/functions", body: "{", header: form}, 400, `"Type":"User"`},
		"lambda, root":     {request{method: "GET", path: "/"}, 403, "Unable to determine service/operation name"},
		"sts":              {request{method: "POST", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15", header: with(form, signed("111111111111", "eu-west-1", "sts"))}, 200, "<Arn>arn:aws:iam::111111111111:root</Arn><UserId>111111111111</UserId><Account>111111111111</Account>"},
		"sts, unsigned":    {request{method: "POST", path: "/", body: "Action=GetCallerIdentity", header: form}, 200, "<Account>000000000000</Account>"},
		"sts, by query":    {request{method: "GET", path: "/?Action=GetCallerIdentity"}, 200, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">`},
		"sts, not built":   {request{method: "POST", path: "/", body: "Action=AssumeRole", header: with(form, signed("x", "us-east-1", "sts"))}, 501, "<Code>NotImplementedException</Code>"},
		"sts, no action":   {request{method: "POST", path: "/", header: signed("x", "us-east-1", "sts")}, 400, "<ErrorResponse><Error>"},
		"sts, broken form": {request{method: "POST", path: "/", body: "%zz", header: form}, 400, "the request is not a form"},
		"s3":               {request{method: "GET", path: "/bucket", header: signed("x", "us-east-1", "s3")}, 404, "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message><BucketName>bucket</BucketName>"},
		"s3, old":          {request{method: "GET", path: "/bucket/key?AWSAccessKeyId=x&Signature=y&Expires=99999999999"}, 404, "<Code>NoSuchBucket</Code>"},
		"s3, lamina":       {request{method: "GET", path: "/lamina/v1/version", header: signed("x", "us-east-1", "s3")}, 404, "<BucketName>lamina</BucketName>"},
		"s3, download":     {request{method: "GET", path: "/_lamina/download/x", header: signed("x", "us-east-1", "s3")}, 403, "<Code>AccessDenied</Code>"},
		"another by query": {request{method: "POST", path: "/", body: "Action=ListUsers", header: with(form, signed("x", "us-east-1", "iam"))}, 501, "<Type>Sender</Type><Code>NotImplementedException</Code>"},
		"another by JSON":  {request{method: "POST", path: "/", body: "{}", header: signed("x", "us-east-1", "dynamodb")}, 501, `"message":"lamina does not have the AWS service`},
		"our own":          {request{method: "GET", path: "/lamina/v1/version", header: signed("x", "us-east-1", "lambda")}, 200, `{"version":"1.2.3-test"}`},
		"our own, unknown": {request{method: "GET", path: "/lamina/v1/nothing"}, 404, "lamina's own API has no operation GET /lamina/v1/nothing."},
		"our own, method":  {request{method: "POST", path: "/lamina/v1/version"}, 404, "no operation POST"},
		"our own, no API":  {request{method: "GET", path: "/lamina/v2/version"}, 404, "no operation GET"},
	} {
		a := s.do(row.request)
		if a.status != row.status || !strings.Contains(a.text, row.want) {
			t.Errorf("%s: got %d %s, want %d with %s", name, a.status, a.text, row.status, row.want)
		}
		if !strings.Contains(a.text, "<RequestId>"+a.header.Get("x-amzn-RequestId")+"</RequestId>") && strings.HasPrefix(a.text, "<") {
			t.Errorf("%s: the request id %s is not in %s", name, a.header.Get("x-amzn-RequestId"), a.text)
		}
	}
}

// faulty is an invoker with a bug.
type faulty struct{}

func (faulty) Invoke(context.Context, invoke.Input) (invoke.Output, error) { panic("a bug") }

func TestPanicsBecomeAnswers(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.Invoke = faulty{} })
	a := s.ok(500, request{method: "POST", path: functions + "/f/invocations"})
	if a.header.Get("x-amzn-ErrorType") != "ServiceException" || strings.Contains(a.text, "bug") {
		t.Errorf("%v %s", a.header, a.text)
	}
	if log := s.log.String(); !strings.Contains(log, "a bug") || !strings.Contains(log, a.header.Get("x-amzn-RequestId")) || !strings.Contains(log, "operation=Invoke") {
		t.Errorf("the log is %s", log)
	}
}

func TestNothingIsLoggedPerRequest(t *testing.T) {
	s := newServer(t)
	s.ok(200, request{method: "POST", path: functions + "/f/invocations"})
	s.ok(404, request{method: "GET", path: functions + "/f"})
	s.ok(501, request{method: "GET", path: "/2025-11-30/capacity-providers"})
	if log := s.log.String(); log != "" {
		t.Errorf("the log is %s", log)
	}
}

// A caller who breaks off while the body is sent leaves nothing behind, and is no fault of ours.
func TestCallerBreaksOff(t *testing.T) {
	s := newServer(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	_, err = io.WriteString(conn, "POST /2018-10-31/layers/libs/versions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"Content\":{\"ZipFile\":\"QUJDQUJD")
	must(t, err)
	must(t, conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	must(t, err)
	must(t, conn.Close())
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || !strings.Contains(string(answer), "the request ended early") {
		t.Errorf("answered %q", answer)
	}
	if n := staged(t, s); n != 0 || s.log.String() != "" {
		t.Errorf("%d staged zips are left; the log is %s", n, s.log)
	}
}

var _ http.Handler = api.New(api.Options{})
