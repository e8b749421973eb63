package objects_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/laminadev/lamina/internal/lambda"
	"github.com/laminadev/lamina/internal/objects"
)

// keys are AWS credentials that are always there.
var keys = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret"}, nil
})

func elsewhere(t *testing.T, endpoint string) *objects.Elsewhere {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &objects.Elsewhere{Blobs: newParts(t).blobs, Endpoint: endpoint, Keys: keys, Transport: transport}
}

// TestElsewhere fetches from another implementation of S3.
func TestElsewhere(t *testing.T) {
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	const text = "not really a zip"
	if _, err := backend.PutObject("bucket", "/a b.zip", map[string]string{"Last-Modified": "Mon, 12 Jan 2026 15:31:58 GMT"}, strings.NewReader(text), int64(len(text)), nil); err != nil {
		t.Fatal(err)
	}
	e := elsewhere(t, server.URL)
	st, err := e.Stage(t.Context(), here, objects.Ref{Bucket: "bucket", Key: "/a b.zip"}, 100)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(io.NewSectionReader(st, 0, st.Size()))
	if err != nil || string(b) != text {
		t.Errorf("got %q, %v", b, err)
	}
	st.Discard()
	for _, row := range []struct {
		ref   objects.Ref
		limit int64
		want  objects.Code
	}{
		{objects.Ref{Bucket: "bucket", Key: "none"}, 100, objects.NoSuchKey},
		{objects.Ref{Bucket: "none", Key: "a"}, 100, objects.NoSuchBucket},
		{objects.Ref{Bucket: "bucket", Key: "/a b.zip"}, int64(len(text)) - 1, objects.EntityTooLarge},
	} {
		if _, err := e.Stage(t.Context(), here, row.ref, row.limit); !objects.IsCode(err, row.want) {
			t.Errorf("%v: got %v, want %s", row.ref, err, row.want)
		}
	}
}

// TestElsewhereFails: what is wrong with the other S3, or on the way to it, is told from what it answers.
func TestElsewhereFails(t *testing.T) {
	for name, row := range map[string]struct {
		answer http.HandlerFunc
		code   objects.Code // "": none, but a fault
	}{
		"another region": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `<Error><Code>AuthorizationHeaderMalformed</Code><Message>no</Message><Region>eu-west-2</Region></Error>`)
		}, objects.PermanentRedirect},
		"refused": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		}, objects.AccessDenied},
		"broken": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotImplemented) }, ""},
		"cut short": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Header().Set("Last-Modified", "Mon, 12 Jan 2026 15:31:58 GMT")
			io.WriteString(w, "short")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(row.answer)
			t.Cleanup(server.Close)
			_, err := elsewhere(t, server.URL).Stage(t.Context(), here, objects.Ref{Bucket: "bucket", Key: "key"}, 100)
			if row.code != "" && !objects.IsCode(err, row.code) {
				t.Errorf("got %v, want %s", err, row.code)
			}
			if row.code == "" && lambda.FaultText(err) == "" {
				t.Errorf("got %v, want a fault", err)
			}
		})
	}
	e := elsewhere(t, "http://127.0.0.1:1")
	e.Keys = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })
	if _, err := e.Stage(t.Context(), here, objects.Ref{Bucket: "bucket", Key: "key"}, 100); lambda.FaultText(err) == "" {
		t.Errorf("without keys: got %v, want a fault", err)
	}
}
