package auth_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestOldURLs: URLs that the AWS SDK for Python has signed.
func TestOldURLs(t *testing.T) {
	const (
		get = "/bucket/a%20b/%C3%BC%2B%26.txt?response-content-type=text%2Fy%3B%20a%3Db&versionId=v1&AWSAccessKeyId=ASIAEXAMPLE&" +
			"Signature=2uNIg4zCzpItXyqRHHYzwKbqGYo%3D&x-amz-security-token=to%2Fken%3D%3D&Expires=1770092106"
		put = "/bucket/k?AWSAccessKeyId=ASIAEXAMPLE&Signature=9sl4CTdm%2FJMyDQR%2BKMOstVRfsps%3D&content-type=text%2Fx&x-amz-meta-who=me&" +
			"x-amz-security-token=to%2Fken%3D%3D&Expires=1770092106"
	)
	for name, row := range map[string]struct {
		method, target, header string
		at                     time.Time
		kind                   lambda.Kind // Internal: none
	}{
		"get":                {"GET", get, "", now, lambda.Internal},
		"put":                {"PUT", put, "", now, lambda.Internal},
		"put, as headers":    {"PUT", put, "text/x", now, lambda.Internal},
		"put, another type":  {"PUT", put, "text/y", now, lambda.BadSignature},
		"another method":     {"DELETE", get, "", now, lambda.BadSignature},
		"another key":        {"GET", strings.Replace(get, ".txt", ".tar", 1), "", now, lambda.BadSignature},
		"another version":    {"GET", strings.Replace(get, "versionId=v1", "versionId=v2", 1), "", now, lambda.BadSignature},
		"another operation":  {"GET", get + "&tagging", "", now, lambda.BadSignature},
		"later":              {"GET", strings.Replace(get, "1770092106", "1870092106", 1), "", now, lambda.BadSignature},
		"no more":            {"GET", get, "", now.Add(time.Hour), lambda.Denied},
		"what is not signed": {"GET", get + "&x-id=GetObject", "", now, lambda.Internal},
	} {
		r := httptest.NewRequest(row.method, row.target, nil)
		if row.header != "" {
			r.Header.Set("Content-Type", row.header)
		}
		err := auth.VerifyOld(r, "the secret", row.at)
		if row.kind == lambda.Internal && err != nil || row.kind != lambda.Internal && !lambda.IsKind(err, row.kind) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestOldSessions: the keys of a function sign such a URL, for itself and others of its account.
func TestOldSessions(t *testing.T) {
	keys := sessions.Issue(who)
	expires := strconv.FormatInt(now.Add(time.Minute).Unix(), 10)
	h := hmac.New(sha1.New, []byte(keys.SecretAccessKey))
	h.Write([]byte("GET\n\n\n" + expires + "\nx-amz-security-token:" + keys.SessionToken + "\n/bucket/key"))
	query := url.Values{"AWSAccessKeyId": {keys.AccessKeyID}, "Expires": {expires}, "x-amz-security-token": {keys.SessionToken},
		"Signature": {base64.StdEncoding.EncodeToString(h.Sum(nil))}}
	session, err := sessions.AuthenticateStream(httptest.NewRequest("GET", "/bucket/key?"+query.Encode(), nil), now)
	if err != nil || session.Account != who.Account {
		t.Errorf("got %+v, %v", session, err)
	}
	query.Set("x-amz-security-token", "AAAA")
	if _, err := sessions.AuthenticateStream(httptest.NewRequest("GET", "/bucket/key?"+query.Encode(), nil), now); !lambda.IsKind(err, lambda.UnknownKey) {
		t.Errorf("another token: got %v", err)
	}
}
