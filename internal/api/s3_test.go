package api_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	static "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/auth"
)

// s3Client is another implementation of S3's signatures. Over plain HTTP it signs the chunks of bodies.
func s3Client(t *testing.T, s *server, k auth.Keys) *minio.Core {
	t.Helper()
	u, err := url.Parse(s.url)
	must(t, err)
	c, err := minio.NewCore(u.Host, &minio.Options{Creds: static.NewStaticV4(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
		Region: "eu-west-1", Transport: s.client.Transport, MaxRetries: 1, TrailingHeaders: true})
	must(t, err)
	return c
}

// TestS3FromSandbox: a function uses S3 with its keys, and every chunk that it sends is checked.
func TestS3FromSandbox(t *testing.T) {
	s := newSandboxServer(t)
	ctx := t.Context()
	c := s3Client(t, s, keysFor(sandboxAccount, time.Now().Add(time.Hour)))
	must(t, c.MakeBucket(ctx, "bucket", minio.MakeBucketOptions{Region: "eu-west-1"}))
	must(t, c.EnableVersioning(ctx, "bucket"))
	big := bytes.Repeat([]byte("0123456789abcdef"), 12<<20/16)
	for name, b := range map[string][]byte{"empty": nil, "a key/with + ü": []byte("hello"), "big": big} {
		info, err := c.Client.PutObject(ctx, "bucket", name, bytes.NewReader(b), int64(len(b)), minio.PutObjectOptions{PartSize: 5 << 20,
			UserMetadata: map[string]string{"Who": "me"}, Checksum: minio.ChecksumCRC32C})
		if err != nil || info.VersionID == "" {
			t.Fatalf("%s: %+v, %v", name, info, err)
		}
		r, got, _, err := c.GetObject(ctx, "bucket", name, minio.GetObjectOptions{VersionID: info.VersionID})
		must(t, err)
		back, err := io.ReadAll(r)
		r.Close()
		if err != nil || !bytes.Equal(back, b) || got.UserMetadata["Who"] != "me" {
			t.Errorf("%s: got %d bytes, %+v, %v", name, len(back), got.UserMetadata, err)
		}
	}
	u, err := c.PresignedGetObject(ctx, "bucket", "big", time.Minute, nil)
	must(t, err)
	res, err := s.client.Get(u.String())
	must(t, err)
	back, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || !bytes.Equal(back, big) {
		t.Errorf("pre-signed: got %d with %d bytes, %v", res.StatusCode, len(back), err)
	}
	u.RawQuery = strings.Replace(u.RawQuery, "X-Amz-Expires=60", "X-Amz-Expires=61", 1)
	if res, err = s.client.Get(u.String()); err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("pre-signed, changed: got %v, %v", res, err)
	}
	res.Body.Close()
}

// TestS3FromSandboxRefused: with other keys, or none, nothing is there.
func TestS3FromSandboxRefused(t *testing.T) {
	s := newSandboxServer(t)
	wrong := keysFor(sandboxAccount, time.Now().Add(time.Hour))
	wrong.SecretAccessKey = "wrong"
	for name, row := range map[string]struct {
		keys auth.Keys
		code string
	}{
		"another account":  {keysFor("222222222222", time.Now().Add(time.Hour)), "InvalidAccessKeyId"},
		"nobody's":         {auth.Keys{AccessKeyID: "AKID", SecretAccessKey: "secret"}, "InvalidAccessKeyId"},
		"expired":          {keysFor(sandboxAccount, time.Now().Add(-time.Hour)), "ExpiredToken"},
		"another's secret": {wrong, "SignatureDoesNotMatch"},
	} {
		err := s3Client(t, s, row.keys).MakeBucket(t.Context(), "bucket", minio.MakeBucketOptions{})
		var answer minio.ErrorResponse
		if !errors.As(err, &answer) || answer.Code != row.code {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
	}
	for name, header := range map[string]map[string]string{
		"version 2": {"Authorization": "AWS 111111111111:c2ln"},
		"no digest": {"Authorization": "AWS4-HMAC-SHA256 Credential=111111111111/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "X-Amz-Date": "20260101T000000Z"},
	} {
		a := s.do(request{method: "PUT", path: "/bucket/key", body: "x", header: header})
		if a.status != http.StatusForbidden || !strings.HasPrefix(a.text, `<?xml version="1.0" encoding="UTF-8"?>`) {
			t.Errorf("%s: got %d %s", name, a.status, a.text)
		}
	}
}

// TestS3Elsewhere: where the settings name another S3, this one says so.
func TestS3Elsewhere(t *testing.T) {
	s := newServer(t, func(o *api.Options) { o.Objects, o.S3 = nil, "http://127.0.0.1:9000" })
	a := s.do(request{method: "GET", path: "/bucket", header: signed("x", "us-east-1", "s3")})
	if a.status != http.StatusNotImplemented || !strings.Contains(a.text, "<Code>NotImplemented</Code>") || !strings.Contains(a.text, "http://127.0.0.1:9000") {
		t.Errorf("got %d %s", a.status, a.text)
	}
}
