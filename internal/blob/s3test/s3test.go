// Package s3test gives tests an S3 store of their own: one with an empty bucket, in memory, in the process of the test. It
// knows its access key and looks at no signature; a test may come between it and its callers.
//
// LAMINA_TEST_S3=http://HOST:PORT names a real store to use instead, with keys in the standard AWS variables that may make
// buckets.
package s3test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Variable names the real store to use.
const Variable = "LAMINA_TEST_S3"

// The keys of the store in memory.
const (
	AccessKey = "AKIAS3TESTS3TESTS3TE"
	SecretKey = "s3test-secret-key"
)

// Store is a running store.
type Store struct {
	URL    string
	Bucket string

	before atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

// made counts buckets, so that each has a name of its own also in a store that outlives the test.
var made atomic.Int64

// Start starts a store that ends with the test, and puts its keys into the environment.
func Start(t interface {
	testing.TB
	Setenv(key, value string)
}) *Store {
	t.Helper()
	s := Run(t)
	if os.Getenv(Variable) == "" {
		for _, kv := range Environ(t.TempDir()) {
			k, v, _ := strings.Cut(kv, "=")
			t.Setenv(k, v)
		}
	}
	return s
}

// Environ is the environment of a program that is to use a store of Run; home has no configuration of AWS tools.
func Environ(home string) []string {
	if os.Getenv(Variable) != "" {
		var all []string
		for _, k := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			all = append(all, k+"="+os.Getenv(k))
		}
		return all
	}
	return []string{"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey, "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_CONFIG_FILE=" + home + "/no-aws-config", "AWS_SHARED_CREDENTIALS_FILE=" + home + "/no-aws-credentials"}
}

// Run starts a store that ends with the test. A real one must be reachable.
func Run(t testing.TB) *Store {
	t.Helper()
	s := &Store{Bucket: fmt.Sprintf("lamina-test-%d-%d", os.Getpid(), made.Add(1))}
	key, secret := AccessKey, SecretKey
	if s.URL = os.Getenv(Variable); s.URL != "" {
		key, secret = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	} else {
		fake := gofakes3.New(s3mem.New()).Server()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(fake, w, r) }))
		t.Cleanup(server.Close)
		s.URL = server.URL
	}
	if err := makeBucket(s.URL, key, secret, s.Bucket); err != nil {
		t.Fatalf("cannot make a bucket at %s: %v", s.URL, err)
	}
	return s
}

func makeBucket(url, key, secret, bucket string) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	host, secure := strings.CutPrefix(url, "https://")
	host = strings.TrimPrefix(host, "http://")
	c, err := minio.New(host, &minio.Options{Creds: credentials.NewStaticV4(key, secret, ""), Secure: secure, Region: "us-east-1", Transport: transport})
	if err != nil {
		return err
	}
	return c.MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{})
}

// Blob is what --blob is given for a prefix of the bucket.
func (s *Store) Blob(prefix string) string {
	return "s3://" + s.Bucket + strings.TrimSuffix("/"+prefix, "/") + "?endpoint=" + s.URL
}

// Before lets f see every request first. When f reports true, it has answered. Tests of a real store must not use it.
func (s *Store) Before(f func(http.ResponseWriter, *http.Request) bool) { s.before.Store(&f) }

// InMemory reports whether the store is one that Before works on.
func InMemory() bool { return os.Getenv(Variable) == "" }

func (s *Store) serve(fake http.Handler, w http.ResponseWriter, r *http.Request) {
	if f := s.before.Load(); f != nil && (*f)(w, r) {
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "Credential="+AccessKey+"/") {
		Refuse(w, http.StatusForbidden, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
		return
	}
	fake.ServeHTTP(w, r)
}

// Refuse answers an error of S3.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>%s</Message></Error>", code, message)
}
