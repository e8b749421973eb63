package s3api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/objects"
)

// request is a request as S3 means it.
type request struct {
	w           http.ResponseWriter
	r           *http.Request
	call        *wire.Call
	bodies      *auth.Rooms
	query       url.Values
	bucket, key string // "" when the request names none
}

func (q *request) ctx() context.Context { return q.r.Context() }

func (q *request) id() catalog.ObjectID {
	return catalog.ObjectID{Name: q.key, VersionID: q.query.Get("versionId")}
}

func (q *request) upload() objects.UploadID {
	return objects.UploadID{Bucket: q.bucket, Name: q.key, ID: q.query.Get("uploadId")}
}

// IsOld reports whether a request is signed in the way that came before Signature Version 4. Only S3 was ever signed so.
func IsOld(r *http.Request) bool {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") {
		return true
	}
	raw := r.URL.RawQuery
	return strings.Contains(raw, "AWSAccessKeyId=") && strings.Contains(raw, "Signature=") && strings.Contains(raw, "Expires=")
}

// OldKey is the access key of a request that IsOld.
func OldKey(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS "); ok {
		key, _, _ := strings.Cut(rest, ":")
		return key
	}
	return r.URL.Query().Get("AWSAccessKeyId")
}

// regionless reports whether a request's signature says no region.
func regionless(r *http.Request) bool { return IsOld(r) }

func (a *API) request(w http.ResponseWriter, r *http.Request, c *wire.Call) (*request, error) {
	q := &request{w: w, r: r, call: c, bodies: a.bodies, query: r.URL.Query(), bucket: a.bucketOfHost(r.Host)}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if q.bucket == "" {
		q.bucket, path, _ = strings.Cut(path, "/")
	}
	q.key = path
	if !utf8.ValidString(q.key) || !utf8.ValidString(q.bucket) {
		return nil, newFault("InvalidURI", "Couldn't parse the specified URI.")
	}
	if q.bucket == "" && q.key != "" {
		return nil, &objects.Error{Code: objects.InvalidBucketName, Message: "The specified bucket is not valid."}
	}
	return q, nil
}

// bucketOfHost gives the bucket that a host names: "name.localhost", "name.s3.localhost", "name.s3.eu-west-2.localhost".
func (a *API) bucketOfHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, base := range a.hosts {
		rest, ok := strings.CutSuffix(host, "."+base)
		if !ok {
			continue
		}
		if rest == "s3" || strings.HasPrefix(rest, "s3.") && strings.Count(rest, ".") == 1 {
			return ""
		}
		if bucket, ok := strings.CutSuffix(rest, ".s3"); ok {
			return bucket
		}
		if i := strings.LastIndex(rest, ".s3."); i > 0 && !strings.Contains(rest[i+4:], ".") {
			return rest[:i]
		}
		return rest
	}
	return ""
}

// checkTime refuses a pre-signed URL whose time is over. That is true of one whose signature nobody checks, too.
func (a *API) checkTime(q *request) error {
	now := a.Now()
	if stamp := q.query.Get("X-Amz-Date"); stamp != "" && q.query.Get("X-Amz-Signature") != "" {
		t, err := time.Parse("20060102T150405Z", stamp)
		seconds, err2 := strconv.ParseInt(q.query.Get("X-Amz-Expires"), 10, 32)
		if err != nil || err2 != nil || seconds < 0 {
			return newFault("AuthorizationQueryParametersError", "X-Amz-Date and X-Amz-Expires must be a time and a number of seconds")
		}
		return expired(now, t.Add(time.Duration(seconds)*time.Second))
	}
	if s := q.query.Get("Expires"); s != "" && IsOld(q.r) {
		seconds, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return newFault("AccessDenied", "Invalid date (should be seconds since epoch): "+s)
		}
		return expired(now, time.Unix(seconds, 0))
	}
	return nil
}

func expired(now, end time.Time) error {
	if now.Before(end) {
		return nil
	}
	f := newFault("AccessDenied", "Request has expired")
	f.body.Expires, f.body.ServerTime = end.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)
	return f
}
