package api_test

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambdatest"
)

const sandboxAccount = "111111111111"

var sessions = auth.NewSessions([]byte("secret"))

// newSandboxServer is a front door that everybody reaches out of a sandbox of one account.
func newSandboxServer(t *testing.T, change ...func(*api.Options)) *server {
	t.Helper()
	var h http.Handler
	s := newServer(t, append(change, func(o *api.Options) {
		o.Sessions = sessions
		h = api.New(*o)
	})...)
	inside := httptest.NewUnstartedServer(h)
	inside.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return api.FromSandbox(ctx, sandboxAccount) }
	inside.Start()
	t.Cleanup(inside.Close)
	s.url, s.client = inside.URL, inside.Client()
	return s
}

func keysFor(account string, expires time.Time) auth.Keys {
	return sessions.Issue(auth.Session{Account: account, Role: "arn:aws:iam::" + account + ":role/path/worker", Name: "caller", Expires: expires})
}

func clientConfig(s *server, k auth.Keys) aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.url), HTTPClient: s.client,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken}, nil
		}),
	}
}

func TestFunctionsCallAsTheirAccount(t *testing.T) {
	s := newSandboxServer(t)
	cfg := clientConfig(s, keysFor(sandboxAccount, time.Now().Add(time.Hour)))
	client := sdk.NewFromConfig(cfg)
	// Longer than what is kept in memory, so that the body takes the way over the disk.
	noise := make([]byte, 2<<20)
	rand.Read(noise)
	large := lambdatest.Zip(map[string]string{"noise": string(noise)})
	published, err := client.PublishLayerVersion(t.Context(), &sdk.PublishLayerVersionInput{
		LayerName: aws.String("big"), Content: &types.LayerVersionContentInput{ZipFile: large},
	})
	must(t, err)
	if want := "arn:aws:lambda:eu-west-1:" + sandboxAccount + ":layer:big:1"; *published.LayerVersionArn != want {
		t.Errorf("got %s, want %s", *published.LayerVersionArn, want)
	}
	functions, err := client.ListFunctions(t.Context(), &sdk.ListFunctionsInput{})
	must(t, err)
	if len(functions.Functions) != 0 {
		t.Errorf("got %d functions", len(functions.Functions))
	}
	// The link to the zip bears its own signature, and leads back into the sandbox.
	version, err := client.GetLayerVersion(t.Context(), &sdk.GetLayerVersionInput{LayerName: aws.String("big"), VersionNumber: aws.Int64(1)})
	must(t, err)
	if !strings.HasPrefix(*version.Content.Location, s.url) {
		t.Errorf("the link leads to %s", *version.Content.Location)
	}
	res, err := s.client.Get(*version.Content.Location)
	must(t, err)
	res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != int64(len(large)) {
		t.Errorf("download: %d, %d bytes", res.StatusCode, res.ContentLength)
	}
	me, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	must(t, err)
	if want := "arn:aws:sts::" + sandboxAccount + ":assumed-role/worker/caller"; *me.Arn != want || *me.Account != sandboxAccount ||
		!strings.HasPrefix(*me.UserId, "AROA") || !strings.HasSuffix(*me.UserId, ":caller") {
		t.Errorf("got %s %s %s", *me.Arn, *me.Account, *me.UserId)
	}
}

func TestSandboxesAreNeverOpen(t *testing.T) {
	s := newSandboxServer(t)
	later := time.Now().Add(time.Hour)
	good := keysFor(sandboxAccount, later)
	list := func(t *testing.T, k auth.Keys, at time.Time) request {
		t.Helper()
		return request{method: "GET", path: functions, header: signature(t, s, k, "lambda", at)}
	}
	wrong := good
	wrong.SecretAccessKey = "x"
	const invalid = "The security token included in the request is invalid."
	for name, row := range map[string]struct {
		request
		exception, text string
	}{
		"no signature":          {request{method: "GET", path: functions}, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"lamina's own API":      {request{method: "GET", path: "/lamina/v1/version"}, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"signature of nobody":   {request{method: "GET", path: functions, header: with(signed("x", "eu-west-1", "lambda"), map[string]string{"X-Amz-Date": "20260112T000000Z"})}, "IncompleteSignatureException", ""},
		"an account as its key": {list(t, auth.Keys{AccessKeyID: "222222222222", SecretAccessKey: "x"}, time.Now()), "UnrecognizedClientException", invalid},
		"its own account so":    {list(t, auth.Keys{AccessKeyID: sandboxAccount, SecretAccessKey: "x"}, time.Now()), "UnrecognizedClientException", invalid},
		"keys of another one":   {list(t, keysFor("222222222222", later), time.Now()), "UnrecognizedClientException", invalid},
		"keys of nobody":        {list(t, auth.NewSessions([]byte("other")).Issue(auth.Session{Account: sandboxAccount, Expires: later}), time.Now()), "UnrecognizedClientException", invalid},
		"expired keys":          {list(t, keysFor(sandboxAccount, time.Now().Add(-time.Second)), time.Now()), "ExpiredTokenException", "The security token included in the request is expired"},
		"another secret":        {list(t, wrong, time.Now()), "InvalidSignatureException", "The request signature we calculated does not match"},
		"an old signature":      {list(t, good, time.Now().Add(-time.Hour)), "InvalidSignatureException", "Signature expired"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.do(row.request)
			if got := a.header.Get("x-amzn-ErrorType"); a.status != 403 || row.text != "" && got != row.exception || !strings.Contains(a.text, `{"message":"`+row.text) {
				t.Errorf("got %d %s %s", a.status, got, a.text)
			}
		})
	}
	a := s.do(request{method: "POST", path: "/", body: "Action=GetCallerIdentity", header: with(signature(t, s, keysFor("222222222222", later), "sts", time.Now()),
		map[string]string{"Content-Type": "application/x-www-form-urlencoded"})})
	if a.status != 403 || !strings.Contains(a.text, "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("another body for STS: %d %s", a.status, a.text)
	}
}

func with(header, more map[string]string) map[string]string {
	all := maps.Clone(header)
	maps.Copy(all, more)
	return all
}

// signature is the header of a GET request for ListFunctions.
func signature(t *testing.T, s *server, k auth.Keys, service string, at time.Time) map[string]string {
	t.Helper()
	r, err := http.NewRequest("GET", s.url+functions, nil)
	must(t, err)
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	must(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken},
		r, empty, service, "eu-west-1", at))
	header := map[string]string{}
	for name := range r.Header {
		header[name] = r.Header.Get(name)
	}
	return header
}

// TestOtherAccountsAreOutOfReach shows that good keys open nothing of another account, by its ARN.
func TestOtherAccountsAreOutOfReach(t *testing.T) {
	s := newSandboxServer(t)
	client := sdk.NewFromConfig(clientConfig(s, keysFor(sandboxAccount, time.Now().Add(time.Hour))))
	other := aws.String("arn:aws:lambda:eu-west-1:222222222222:function:f")
	_, get := client.GetFunction(t.Context(), &sdk.GetFunctionInput{FunctionName: other})
	_, remove := client.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: other})
	for name, err := range map[string]error{"GetFunction": get, "DeleteFunction": remove} {
		var e smithy.APIError
		if !errors.As(err, &e) || e.ErrorCode() != "AccessDeniedException" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDoorWithoutSessions(t *testing.T) {
	var h http.Handler
	s := newServer(t, func(o *api.Options) { h = api.New(*o) })
	r := httptest.NewRequest("GET", functions, nil)
	r = r.WithContext(api.FromSandbox(r.Context(), sandboxAccount))
	for name, value := range signature(t, s, keysFor(sandboxAccount, time.Now().Add(time.Hour)), "lambda", time.Now()) {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 403 || w.Header()["x-amzn-ErrorType"][0] != "AccessDeniedException" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
