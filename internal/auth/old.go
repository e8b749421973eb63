package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// S3 alone has signatures older than version 4, and SDKs still make pre-signed URLs with them: the query has AWSAccessKeyId,
// Expires (seconds since 1970) and Signature, an HMAC-SHA1 of
//
//	method \n Content-MD5 \n Content-Type \n Expires \n x-amz-headers resource
//
// with the secret access key itself. Headers that the signer knew may be in the query instead, the session token always is. The
// resource is the path as it was sent, and those parameters that say what is asked for.

// oldParameters are those of the resource.
var oldParameters = []string{"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location",
	"logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId",
	"uploads", "versionId", "versioning", "versions", "website"}

// isOld reports whether a request is a pre-signed URL of the old form, and nothing else.
func isOld(r *http.Request) bool {
	q := r.URL.Query()
	return r.Header.Get("Authorization") == "" && !q.Has("X-Amz-Signature") && q.Has("AWSAccessKeyId") && q.Has("Signature") && q.Has("Expires")
}

func (s *Sessions) authenticateOld(r *http.Request, now time.Time) (Session, error) {
	q := r.URL.Query()
	session, secret, err := s.open(q.Get("AWSAccessKeyId"), q.Get("x-amz-security-token"), now)
	if err != nil {
		return Session{}, err
	}
	if err := verifyOld(r, secret, now); err != nil {
		return Session{}, err
	}
	return session, openBody(r, r.Header.Get("X-Amz-Content-Sha256"), nil)
}

// verifyOld checks the signature of a pre-signed URL of the old form.
func verifyOld(r *http.Request, secret string, now time.Time) error {
	q := r.URL.Query()
	h := hmac.New(sha1.New, []byte(secret))
	h.Write([]byte(oldText(r, q)))
	if want := base64.StdEncoding.EncodeToString(h.Sum(nil)); !hmac.Equal([]byte(want), []byte(q.Get("Signature"))) {
		return badSignature(textMismatch)
	}
	seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil || now.Unix() >= seconds {
		return &lambda.Error{Kind: lambda.Denied, Message: "Request has expired"}
	}
	return nil
}

// oldText is what is signed.
func oldText(r *http.Request, q url.Values) string {
	value := func(name string) string {
		if v := r.Header.Get(name); v != "" {
			return v
		}
		return q.Get(name)
	}
	amz := map[string]string{}
	for name, values := range q {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			amz[lower] = values[0]
		}
	}
	for name, values := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			amz[lower] = strings.Join(values, ",")
		}
	}
	var lines []string
	for name, v := range amz {
		lines = append(lines, name+":"+strings.TrimSpace(v)+"\n")
	}
	slices.Sort(lines)
	return strings.Join([]string{r.Method, value("content-md5"), value("content-type"), q.Get("Expires"), ""}, "\n") +
		strings.Join(lines, "") + oldResource(r, q)
}

func oldResource(r *http.Request, q url.Values) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		path = r.URL.EscapedPath()
	}
	var parts []string
	for _, name := range oldParameters {
		switch {
		case !q.Has(name):
		case q.Get(name) == "":
			parts = append(parts, name)
		default:
			parts = append(parts, name+"="+q.Get(name))
		}
	}
	if parts == nil {
		return path
	}
	return path + "?" + strings.Join(parts, "&")
}
