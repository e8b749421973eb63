package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambda"
)

var (
	now      = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	who      = auth.Session{Account: "123456789012", Role: "arn:aws:iam::123456789012:role/r", Name: "f", Expires: now.Add(time.Hour)}
	sessions = auth.NewSessions([]byte("the server's secret"))
)

// call is a request that a client is about to send.
type call struct {
	method, target string // path and query
	body           string
	header         map[string]string
	service        string
	at             time.Time
	payload        string // what the client says of its body; "" is its digest
	presign        bool
	keys           auth.Keys
	signed         func(*http.Request) // what happens to the request after it was signed
}

// send signs a call with AWS's own signer, sends it over a real connection, and gives what the server makes of it.
func send(t *testing.T, c call) (auth.Session, string, error) {
	t.Helper()
	type result struct {
		session auth.Session
		body    string
		err     error
	}
	results := make(chan result, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		session, err := sessions.Authenticate(r, now)
		body, readErr := io.ReadAll(r.Body)
		r.Body.Close()
		if err == nil {
			err = readErr
		}
		results <- result{session, string(body), err}
	}))
	defer srv.Close()
	res, err := srv.Client().Do(c.request(t, srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	got := <-results
	return got.session, got.body, got.err
}

func (c call) request(t *testing.T, base string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(orElse(c.method, "GET"), base+orElse(c.target, "/"), strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for k, v := range c.header {
		r.Header.Set(k, v)
	}
	if c.keys == (auth.Keys{}) {
		c.keys = sessions.Issue(who)
	}
	c.sign(t, r)
	if c.signed != nil {
		c.signed(r)
	}
	return r
}

func (c call) sign(t *testing.T, r *http.Request) {
	t.Helper()
	at := c.at
	if at.IsZero() {
		at = now
	}
	payload := c.payload
	if payload == "" {
		sum := sha256.Sum256([]byte(c.body))
		payload = hex.EncodeToString(sum[:])
	}
	keys := aws.Credentials{AccessKeyID: c.keys.AccessKeyID, SecretAccessKey: c.keys.SecretAccessKey, SessionToken: c.keys.SessionToken}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = c.service == "s3" })
	service := orElse(c.service, "lambda")
	if !c.presign {
		if err := signer.SignHTTP(context.Background(), keys, r, payload, service, "eu-west-1", at); err != nil {
			t.Fatal(err)
		}
		return
	}
	signed, _, err := signer.PresignHTTP(context.Background(), keys, r, payload, service, "eu-west-1", at)
	if err != nil {
		t.Fatal(err)
	}
	if r.URL, err = url.Parse(signed); err != nil {
		t.Fatal(err)
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestSignedByTheSDK(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", (auth.InMemory+100)/16)
	const hour = "X-Amz-Expires=3600"
	for name, c := range map[string]call{
		"get":                 {target: "/2015-03-31/functions"},
		"root":                {},
		"arn in the path":     {target: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af/configuration"},
		"odd path":            {target: "/a%20b/c+d/~e/%E2%82%AC/(f)!*'/%2F"},
		"query":               {target: "/x?b=2&a=1&a=0&c&d=e%20f&g=%2B%2F~*&h=%E2%82%AC"},
		"body":                {method: "POST", body: `{"a": 1}`},
		"empty post":          {method: "POST"},
		"long body":           {method: "PUT", body: long},
		"declared digest":     {method: "POST", body: "x", header: map[string]string{"X-Amz-Content-Sha256": digest("x")}},
		"unsigned payload":    {method: "POST", body: "x", payload: "UNSIGNED-PAYLOAD", header: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}},
		"spaces in headers":   {header: map[string]string{"X-Amz-Client-Context": "  a   b  c  "}},
		"a header twice":      {signed: func(r *http.Request) { r.Header.Add("User-Agent", "x") }},
		"clock a bit behind":  {at: now.Add(-4 * time.Minute)},
		"clock a bit ahead":   {at: now.Add(4 * time.Minute)},
		"another service":     {service: "sts", method: "POST", body: "Action=GetCallerIdentity"},
		"s3's path":           {service: "s3", target: "/bucket/a%20b", header: map[string]string{"X-Amz-Content-Sha256": digest("")}},
		"pre-signed":          {target: "/x?a=b&" + hour, presign: true},
		"pre-signed long ago": {target: "/x?" + hour, presign: true, at: now.Add(-59 * time.Minute)},
		"pre-signed post":     {method: "POST", target: "/x?" + hour, presign: true, body: "x"},
		"pre-signed for s3":   {service: "s3", target: "/b/k?" + hour, presign: true, payload: "UNSIGNED-PAYLOAD"},
	} {
		t.Run(name, func(t *testing.T) {
			got, body, err := send(t, c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, who); diff != "" {
				t.Errorf("-got +want\n%s", diff)
			}
			if body != c.body {
				t.Errorf("the body changed: %d bytes, sent %d", len(body), len(c.body))
			}
		})
	}
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestRefused(t *testing.T) {
	const mismatch = "The request signature we calculated does not match the signature you provided."
	const unknown = "The security token included in the request is invalid."
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	edit := func(name, old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(name, strings.Replace(r.Header.Get(name), old, new, 1))
		}
	}
	query := func(name, value string) func(*http.Request) {
		return func(r *http.Request) {
			q := r.URL.Query()
			q.Set(name, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	keys := sessions.Issue(who)
	with := func(change func(*auth.Keys)) auth.Keys {
		k := keys
		change(&k)
		return k
	}
	expired := who
	expired.Expires = now
	presigned := call{target: "/x?X-Amz-Expires=60", presign: true}
	for name, tt := range map[string]struct {
		call
		change func(*http.Request)
		kind   lambda.Kind
		text   string
	}{
		"nothing":          {call{}, func(r *http.Request) { r.Header.Del("Authorization") }, lambda.Unsigned, "Missing Authentication Token"},
		"another scheme":   {call{}, set("Authorization", "Basic eDp5"), lambda.Unverifiable, "Unsupported AWS 'algorithm': 'Basic'."},
		"no credential":    {call{}, edit("Authorization", "Credential", "X"), lambda.Unverifiable, "Authorization header requires 'Credential' parameter."},
		"no signature":     {call{}, edit("Authorization", "Signature=", "X="), lambda.Unverifiable, "Authorization header requires 'Signature' parameter."},
		"no date":          {call{}, func(r *http.Request) { r.Header.Del("X-Amz-Date") }, lambda.Unverifiable, "requires existence of either a 'X-Amz-Date'"},
		"bad date":         {call{}, set("X-Amz-Date", "yesterday"), lambda.Unverifiable, "Got 'yesterday'."},
		"short scope":      {call{}, edit("Authorization", "/aws4_request", ""), lambda.Unverifiable, "exactly 5 slash-delimited elements"},
		"host not signed":  {call{}, edit("Authorization", "=host;", "="), lambda.Unverifiable, "'Host' must be"},
		"date not signed":  {call{}, edit("Authorization", ";x-amz-date", ""), lambda.Unverifiable, "'X-Amz-Date' must be"},
		"method":           {call{}, func(r *http.Request) { r.Method = "DELETE" }, lambda.BadSignature, mismatch},
		"path":             {call{}, func(r *http.Request) { r.URL.Path = "/other" }, lambda.BadSignature, mismatch},
		"query added":      {call{}, func(r *http.Request) { r.URL.RawQuery = "a=b" }, lambda.BadSignature, mismatch},
		"query unreadable": {call{}, func(r *http.Request) { r.URL.RawQuery = "a=%zz" }, lambda.BadSignature, mismatch},
		"host":             {call{}, func(r *http.Request) { r.Host = "elsewhere" }, lambda.BadSignature, mismatch},
		"region":           {call{}, edit("Authorization", "eu-west-1", "us-east-1"), lambda.BadSignature, mismatch},
		"service":          {call{}, edit("Authorization", "/lambda/", "/sts/"), lambda.BadSignature, mismatch},
		"day":              {call{}, edit("Authorization", "20260203", "20260204"), lambda.BadSignature, "Date in Credential scope does not match"},
		"time":             {call{}, set("X-Amz-Date", "20260203T040507Z"), lambda.BadSignature, mismatch},
		"signed header":    {call{header: map[string]string{"X-Amz-Log-Type": "None"}}, set("X-Amz-Log-Type", "Tail"), lambda.BadSignature, mismatch},
		"signature":        {call{}, edit("Authorization", "Signature=", "Signature=00"), lambda.BadSignature, mismatch},
		"no hex":           {call{}, edit("Authorization", "Signature=", "Signature=zz"), lambda.BadSignature, mismatch},
		"body": {call{method: "POST", body: "one"}, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("two")) },
			lambda.BadSignature, mismatch},
		"body where there was none": {call{method: "POST"}, func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1
		}, lambda.BadSignature, mismatch},
		"digest of another body": {call{method: "POST", body: "one", header: map[string]string{"X-Amz-Content-Sha256": digest("two")}, payload: digest("two")},
			nil, lambda.BadSignature, mismatch},
		"payload in parts": {call{method: "POST", body: "x", payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", header: map[string]string{
			"X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}, nil, lambda.BadSignature, mismatch},
		"too old":        {call{at: now.Add(-6 * time.Minute)}, nil, lambda.BadSignature, "Signature expired: 20260203T035906Z is now earlier than 20260203T040006Z (20260203T040506Z - 5 min.)"},
		"of the future":  {call{at: now.Add(6 * time.Minute)}, nil, lambda.BadSignature, "Signature not yet current: 20260203T041106Z is still later than 20260203T041006Z (20260203T040506Z + 5 min.)"},
		"any credential": {call{keys: auth.Keys{AccessKeyID: "test", SecretAccessKey: "test"}}, nil, lambda.UnknownKey, unknown},
		"an account as key": {call{keys: auth.Keys{AccessKeyID: "123456789012", SecretAccessKey: "x"}}, nil,
			lambda.UnknownKey, unknown},
		"no token":       {call{keys: with(func(k *auth.Keys) { k.SessionToken = "" })}, nil, lambda.UnknownKey, unknown},
		"token cut":      {call{keys: with(func(k *auth.Keys) { k.SessionToken = k.SessionToken[:40] })}, nil, lambda.UnknownKey, unknown},
		"token changed":  {call{keys: with(func(k *auth.Keys) { k.SessionToken = flip(k.SessionToken, 50) })}, nil, lambda.UnknownKey, unknown},
		"expiry changed": {call{keys: with(func(k *auth.Keys) { k.SessionToken = flip(k.SessionToken, 39) })}, nil, lambda.UnknownKey, unknown},
		"token of other keys": {call{keys: with(func(k *auth.Keys) { k.SessionToken = sessions.Issue(who).SessionToken })}, nil,
			lambda.UnknownKey, unknown},
		"keys of another server": {call{keys: auth.NewSessions([]byte("other")).Issue(who)}, nil, lambda.UnknownKey, unknown},
		"wrong secret":           {call{keys: with(func(k *auth.Keys) { k.SecretAccessKey = sessions.Issue(who).SecretAccessKey })}, nil, lambda.BadSignature, mismatch},
		"expired keys":           {call{keys: sessions.Issue(expired)}, nil, lambda.ExpiredKey, "The security token included in the request is expired"},

		"pre-signed, expired": {call{target: presigned.target, presign: true, at: now.Add(-61 * time.Second)}, nil, lambda.BadSignature, "Signature expired"},
		"pre-signed, longer":  {presigned, query("X-Amz-Expires", "600"), lambda.BadSignature, mismatch},
		"pre-signed, too long": {call{target: "/x?X-Amz-Expires=604801", presign: true}, nil,
			lambda.Unverifiable, "X-Amz-Expires"},
		"pre-signed, not a number": {presigned, query("X-Amz-Expires", "-1"), lambda.Unverifiable, "X-Amz-Expires"},
		"pre-signed, algorithm":    {presigned, query("X-Amz-Algorithm", "MD5"), lambda.Unverifiable, "'MD5'"},
		"pre-signed, more":         {presigned, query("more", "1"), lambda.BadSignature, mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			c := tt.call
			c.signed = tt.change
			got, _, err := send(t, c)
			if !lambda.IsKind(err, tt.kind) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v (%v), want %v: %s", err, lambda.KindOf(err), tt.kind, tt.text)
			}
			if got != (auth.Session{}) {
				t.Errorf("a session came with the error: %+v", got)
			}
		})
	}
}

// flip changes one bit of a byte of a base64 text.
func flip(token string, at int) string {
	b, _ := base64.StdEncoding.DecodeString(token)
	b[at] ^= 1
	return base64.StdEncoding.EncodeToString(b)
}

func TestKeysLookLikeAWS(t *testing.T) {
	k := sessions.Issue(who)
	if !strings.HasPrefix(k.AccessKeyID, "ASIA") || len(k.AccessKeyID) != 20 || len(k.SecretAccessKey) != 40 || len(k.SessionToken) < 400 {
		t.Errorf("got %+v", k)
	}
	if other := sessions.Issue(who); other.AccessKeyID == k.AccessKeyID || other.SecretAccessKey == k.SecretAccessKey {
		t.Errorf("the same keys twice: %+v", k)
	}
	if strings.Contains(strings.TrimRight(k.SessionToken, "="), "=") || strings.HasSuffix(k.SessionToken, "=") {
		t.Errorf("a token with padding: %s", k.SessionToken)
	}
}

// TestAnotherServer shows that keys are good at every server with the same secret.
func TestAnotherServer(t *testing.T) {
	if _, _, err := send(t, call{keys: auth.NewSessions([]byte("the server's secret")).Issue(who)}); err != nil {
		t.Error(err)
	}
}

// TestStrangersBodyIsNotRead shows that keys nobody issued don't make the server read anything.
func TestStrangersBodyIsNotRead(t *testing.T) {
	r := call{method: "POST", body: "x", keys: auth.Keys{AccessKeyID: "AKIA", SecretAccessKey: "x"}}.request(t, "http://localhost")
	r.Body = io.NopCloser(unreadable{t})
	if _, err := sessions.Authenticate(r, now); !lambda.IsKind(err, lambda.UnknownKey) {
		t.Errorf("got %v", err)
	}
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestBodyThatBreaksOff(t *testing.T) {
	for _, size := range []int{1, auth.InMemory + 1} {
		body := strings.Repeat("x", size+1)
		r := call{method: "POST", body: body}.request(t, "http://localhost")
		r.RequestURI = "/"
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte(body[:size])), broken{}))
		if _, err := sessions.Authenticate(r, now); !lambda.IsKind(err, lambda.Malformed) {
			t.Errorf("after %d bytes: %v", size, err)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func FuzzAuthenticate(f *testing.F) {
	f.Add("GET", "/x?a=b", "AWS4-HMAC-SHA256 Credential=k/20260203/r/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20260203T040506Z", "")
	f.Add("POST", "/?X-Amz-Signature=1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=1", "", "", "dG9rZW4=")
	f.Fuzz(func(t *testing.T, method, target, authorization, date, token string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, RequestURI: target, Host: "h", Body: http.NoBody, Header: http.Header{
			"Authorization": {authorization}, "X-Amz-Date": {date}, "X-Amz-Security-Token": {token}}}
		if _, err := sessions.Authenticate(r, now); err == nil {
			t.Error("a request that nobody signed is let in")
		}
	})
}
