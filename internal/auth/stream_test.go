package auth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/signer"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambda"
)

// TestChunksOfTheDocumentation is the example of AWS's documentation of chunks that are signed one by one.
func TestChunksOfTheDocumentation(t *testing.T) {
	const first, second = 65536, 1024
	body := "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", first) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", second) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	request := func(body string) *http.Request {
		r := httptest.NewRequest("PUT", "/examplebucket/chunkObject.txt", strings.NewReader(body))
		for k, v := range map[string]string{
			"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
				"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class, " +
				"Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			"X-Amz-Date": "20130524T000000Z", "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "X-Amz-Decoded-Content-Length": "66560",
		} {
			r.Header.Set(k, v)
		}
		return r
	}
	r := request(body)
	if err := auth.OpenSigned(r, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil || string(b) != strings.Repeat("a", first+second) || r.ContentLength != first+second {
		t.Errorf("got %d bytes of %d, %v", len(b), r.ContentLength, err)
	}
	r = request(strings.Replace(body, "aaaaaa", "aaaaab", 1))
	if err := auth.OpenSigned(r, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r.Body); !lambda.IsKind(err, lambda.BadSignature) {
		t.Errorf("another byte: got %v", err)
	}
}

// closing is a hash as another client wants it.
type closing struct{ hash.Hash }

func (closing) Close() {}

// opened is what a server makes of a request to S3.
type opened struct {
	session auth.Session
	body    string
	trailer http.Header
	length  int64
	err     error // of the request or of its body
}

// put sends a request over a real connection.
func put(t *testing.T, r func(base string) *http.Request) opened {
	t.Helper()
	results := make(chan opened, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var o opened
		if o.session, o.err = sessions.AuthenticateStream(r, now); o.err == nil {
			var b []byte
			b, o.err = io.ReadAll(r.Body)
			o.body, o.trailer, o.length = string(b), r.Trailer, r.ContentLength
		}
		auth.Drain(r, 1<<30)
		results <- o
	}))
	defer srv.Close()
	res, err := srv.Client().Do(r(srv.URL))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return <-results
}

// TestStreams: bodies as clients send them to S3, of every form, long and empty.
func TestStreams(t *testing.T) {
	keys := sessions.Issue(who)
	for _, size := range []int{0, 1, 65536, 65537, 300_000} {
		text := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		streamed := func(sign func(*http.Request) *http.Request, trailer bool) func(string) *http.Request {
			return func(base string) *http.Request {
				r, err := http.NewRequest("PUT", base+"/bucket/a%20key", strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if trailer {
					r.Trailer = http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}
					r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
				}
				return sign(r)
			}
		}
		signed := func(r *http.Request) *http.Request {
			return signer.StreamingSignV4(r, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, "us-east-1", int64(size), now, closing{sha256.New()})
		}
		unsigned := func(base string) *http.Request {
			return call{method: "PUT", target: "/bucket/a%20key", body: inChunks([]byte(text), 65536, "x-amz-checksum-crc32:AAAAAA=="), service: "s3",
				payload: unsignedForm, keys: keys, header: map[string]string{"X-Amz-Content-Sha256": unsignedForm,
					"X-Amz-Decoded-Content-Length": strconv.Itoa(size), "X-Amz-Trailer": "x-amz-checksum-crc32", "Content-Encoding": "aws-chunked"}}.request(t, base)
		}
		plain := func(payload string) func(string) *http.Request {
			return func(base string) *http.Request {
				return call{method: "PUT", target: "/bucket/a%20key", body: text, service: "s3", payload: payload, keys: keys,
					header: map[string]string{"X-Amz-Content-Sha256": orElse(payload, digest(text))}}.request(t, base)
			}
		}
		for name, row := range map[string]struct {
			request func(string) *http.Request
			trailer bool
		}{
			"digest":                   {plain(""), false},
			"unsigned":                 {plain("UNSIGNED-PAYLOAD"), false},
			"signed chunks":            {streamed(signed, false), false},
			"signed chunks, trailer":   {streamed(signed, true), true},
			"unsigned chunks, trailer": {unsigned, true},
		} {
			if size == 0 && strings.HasPrefix(name, "signed chunks") {
				continue // this client sends no chunks then
			}
			got := put(t, row.request)
			if got.err != nil || got.body != text || got.session.Account != who.Account || got.length != int64(size) {
				t.Errorf("%s of %d bytes: got %d of %d, %+v, %v", name, size, len(got.body), got.length, got.session, got.err)
			}
			if v := got.trailer.Get("X-Amz-Checksum-Crc32"); (v == "AAAAAA==") != row.trailer {
				t.Errorf("%s of %d bytes: got trailers %v", name, size, got.trailer)
			}
		}
	}
}

// bent changes what is sent after it was signed.
type bent struct {
	io.ReadCloser
	old, new string
}

func (b bent) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	copy(p[:n], bytes.Replace(p[:n], []byte(b.old), []byte(b.new), 1))
	return n, err
}

// TestStreamsRefused: what is not what was signed is refused, at its end if need be.
func TestStreamsRefused(t *testing.T) {
	keys := sessions.Issue(who)
	text := strings.Repeat("x", 70_000)
	signed := func(change func(*http.Request)) func(string) *http.Request {
		return func(base string) *http.Request {
			r, err := http.NewRequest("PUT", base+"/bucket/key", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			r.Trailer = http.Header{"X-Amz-Checksum-Crc32": {"AAAAAA=="}}
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
			r = signer.StreamingSignV4(r, keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, "us-east-1", int64(len(text)), now, closing{sha256.New()})
			change(r)
			return r
		}
	}
	bend := func(old, with string) func(*http.Request) {
		return func(r *http.Request) { r.Body = bent{r.Body, old, with} }
	}
	digested := func(change func(*http.Request)) func(string) *http.Request {
		return func(base string) *http.Request {
			return call{method: "PUT", target: "/bucket/key", body: text, service: "s3", keys: keys, signed: change,
				header: map[string]string{"X-Amz-Content-Sha256": digest(text)}}.request(t, base)
		}
	}
	kind := func(k lambda.Kind) func(error) bool { return func(err error) bool { return lambda.IsKind(err, k) } }
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	for name, row := range map[string]struct {
		request func(string) *http.Request
		want    func(error) bool
	}{
		"a byte":           {signed(bend("xxxx", "xxyx")), kind(lambda.BadSignature)},
		"a signature":      {signed(bend("chunk-signature=", "chunk-signatura=")), kind(lambda.BadSignature)},
		"the trailer":      {signed(bend("AAAAAA==", "BAAAAA==")), kind(lambda.BadSignature)},
		"a header":         {signed(func(r *http.Request) { r.Header.Set("X-Amz-Decoded-Content-Length", "1") }), kind(lambda.BadSignature)},
		"the path":         {signed(func(r *http.Request) { r.URL.Path = "/bucket/other" }), kind(lambda.BadSignature)},
		"the body":         {digested(func(r *http.Request) { r.Body = bent{r.Body, "xxxx", "xxyx"} }), is(auth.ErrContentMismatch)},
		"another digest":   {digested(func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", digest("")) }), kind(lambda.BadSignature)},
		"no digest":        {digested(func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }), kind(lambda.BadSignature)},
		"another token":    {digested(func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "AAAA") }), kind(lambda.UnknownKey)},
		"no signature":     {digested(func(r *http.Request) { r.Header.Del("Authorization") }), kind(lambda.Unsigned)},
		"an old signature": {digested(func(r *http.Request) { r.Header.Set("Authorization", "AWS AKID:c2ln") }), kind(lambda.Unverifiable)},
	} {
		if got := put(t, row.request); !row.want(got.err) {
			t.Errorf("%s: got %v", name, got.err)
		}
	}
}

// chunked is a request with a body in chunks that nobody has signed.
func chunked(form, body string, size int) *http.Request {
	r := httptest.NewRequest("PUT", "/bucket/key", strings.NewReader(body))
	r.Header.Set("X-Amz-Content-Sha256", form)
	r.Header.Set("X-Amz-Decoded-Content-Length", strconv.Itoa(size))
	return r
}

// inChunks puts a body into chunks of a size, with a trailer.
func inChunks(body []byte, size int, trailer string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String() + "0\r\n" + trailer + "\r\n\r\n"
}

const unsignedForm = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

// TestOpenStream: without signatures to check, the form of chunks is checked all the same.
func TestOpenStream(t *testing.T) {
	for name, row := range map[string]struct {
		form, body string
		size       int
		want       string // the body; "!" for ErrBadChunk
	}{
		"one chunk":           {unsignedForm, "3\r\nabc\r\n0\r\n\r\n", 3, "abc"},
		"chunks":              {unsignedForm, "3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", 5, "abcde"},
		"empty":               {unsignedForm, "0\r\n\r\n", 0, ""},
		"no last line":        {unsignedForm, "1\r\na\r\n0\r\n", 1, "a"},
		"capitals":            {unsignedForm, "A\r\n0123456789\r\n0\r\n\r\n", 10, "0123456789"},
		"signed, not checked": {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "1;chunk-signature=0\r\na\r\n0;chunk-signature=0\r\n\r\n", 1, "a"},
		"too long":            {unsignedForm, "3\r\nabc\r\n0\r\n\r\n", 2, "!"},
		"too short":           {unsignedForm, "3\r\nabc\r\n0\r\n\r\n", 4, "!"},
		"cut in a chunk":      {unsignedForm, "3\r\nab", 3, "!"},
		"cut after a chunk":   {unsignedForm, "3\r\nabc", 3, "!"},
		"no size":             {unsignedForm, "x\r\nabc\r\n0\r\n\r\n", 3, "!"},
		"a negative size":     {unsignedForm, "-3\r\nabc\r\n0\r\n\r\n", 3, "!"},
		"an endless size":     {unsignedForm, strings.Repeat("0", 5000) + "3\r\nabc\r\n0\r\n\r\n", 3, "!"},
		"a huge size":         {unsignedForm, "ffffffffffffffff\r\nabc\r\n0\r\n\r\n", 3, "!"},
		"a longer chunk":      {unsignedForm, "2\r\nabc\r\n0\r\n\r\n", 3, "!"},
		"no trailer":          {unsignedForm, "0\r\nnonsense\r\n\r\n", 0, "!"},
		"many trailers":       {unsignedForm, "0\r\n" + strings.Repeat("a:b\r\n", 17) + "\r\n", 0, "!"},
		"a trailer too many":  {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0\r\na:b\r\n\r\n", 0, "!"},
		"signed trailer":      {"STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "0;chunk-signature=0\r\na:b\n\r\nx-amz-trailer-signature:0\r\n\r\n", 0, ""},
		"nothing":             {unsignedForm, "", 0, "!"},
	} {
		r := chunked(row.form, row.body, row.size)
		if err := auth.OpenStream(r); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		switch {
		case row.want == "!" && !errors.Is(err, auth.ErrBadChunk):
			t.Errorf("%s: got %q, %v, want an error", name, b, err)
		case row.want != "!" && (err != nil || string(b) != row.want):
			t.Errorf("%s: got %q, %v, want %q", name, b, err, row.want)
		}
	}
	for form, kind := range map[string]lambda.Kind{"STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD": lambda.NotBuilt, unsignedForm: lambda.Malformed} {
		r := chunked(form, "", 0)
		r.Header.Del("X-Amz-Decoded-Content-Length")
		if err := auth.OpenStream(r); !lambda.IsKind(err, kind) {
			t.Errorf("%s: got %v", form, err)
		}
	}
}

// TestDrain: a client that waits to be asked for its body is not asked.
func TestDrain(t *testing.T) {
	for expect, want := range map[string]string{"": "", "100-continue": "3\r\nabc\r\n0\r\n\r\n"} {
		r := chunked(unsignedForm, "3\r\nabc\r\n0\r\n\r\n", 3)
		raw := r.Body
		r.Header.Set("Expect", expect)
		if err := auth.OpenStream(r); err != nil {
			t.Fatal(err)
		}
		auth.Drain(r, 100)
		if b, _ := io.ReadAll(raw); string(b) != want {
			t.Errorf("%q: %q is left, want %q", expect, b, want)
		}
	}
}

// FuzzChunks: whatever comes, a body that is accepted has as many bytes as the request says, and reading ends.
func FuzzChunks(f *testing.F) {
	f.Add("3\r\nabc\r\n0\r\n\r\n", 3, 1)
	f.Add("3;chunk-signature=00\r\nabc\r\n0;chunk-signature=00\r\nx-amz-checksum-crc32:AAAA\r\nx-amz-trailer-signature:00\r\n\r\n", 3, 2)
	f.Add("0\r\n", 0, 7)
	f.Fuzz(func(t *testing.T, body string, size, step int) {
		r := chunked(unsignedForm, body, size)
		if auth.OpenStream(r) != nil {
			return
		}
		step = max(1, step%4096)
		n, p := 0, make([]byte, step)
		var err error
		for err == nil {
			var m int
			m, err = r.Body.Read(p)
			if n += m; n > len(body) {
				t.Fatal("there are more bytes than were sent")
			}
		}
		if err == io.EOF && n != size {
			t.Errorf("got %d bytes, the request says %d", n, size)
		}
		if _, again := r.Body.Read(p); again == nil {
			t.Error("it goes on after its end")
		}
	})
}

// FuzzChunksRoundTrip: what was put into chunks comes out again.
func FuzzChunksRoundTrip(f *testing.F) {
	f.Add([]byte("some bytes\r\n0\r\n\r\n"), 3)
	f.Fuzz(func(t *testing.T, body []byte, size int) {
		size = max(1, size%70_000)
		sum := sha256.Sum256(body)
		sent := inChunks(body, size, "x-amz-checksum-sha256:"+hex.EncodeToString(sum[:]))
		r := chunked(unsignedForm, sent, len(body))
		if err := auth.OpenStream(r); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(got, body) || r.Trailer.Get("X-Amz-Checksum-Sha256") != hex.EncodeToString(sum[:]) {
			t.Errorf("got %q, %v, %v", got, r.Trailer, err)
		}
	})
}
