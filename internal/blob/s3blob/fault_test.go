package s3blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/blob/s3blob"
	"github.com/laminadev/lamina/internal/blob/s3test"
	"github.com/laminadev/lamina/internal/digest"
)

// fixture is a driver over a store that a test may come in between of.
type fixture struct {
	*s3test.Store
	driver *s3blob.Driver
	blobs  *blob.Store
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	s := s3test.Start(t)
	if !s3test.InMemory() {
		t.Skip("a real store does not fail when it is told to: " + s3test.Variable + " is set")
	}
	return fixture{s, open(t, options(t, s)), nil}.with()
}

func (f fixture) with() fixture { f.blobs = blob.New(f.driver); return f }

func open(t *testing.T, o s3blob.Options) *s3blob.Driver {
	t.Helper()
	d, err := s3blob.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func put(t *testing.T, s *blob.Store, content string) digest.Digest {
	t.Helper()
	st, err := s.Stage(t.Context(), strings.NewReader(content))
	if err != nil {
		t.Fatalf("Stage: %v", err)
	}
	defer st.Discard()
	if err := st.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	return st.Digest()
}

func get(ctx context.Context, s *blob.Store, d digest.Digest) (string, error) {
	r, err := s.Open(ctx, d)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
	return string(b), err
}

// isUpload, isCopy and isRead tell requests apart.
func isUpload(r *http.Request) bool { return r.Method == http.MethodPut && !isCopy(r) && isBlob(r) }
func isCopy(r *http.Request) bool   { return r.Header.Get("X-Amz-Copy-Source") != "" }
func isRead(r *http.Request) bool   { return r.Method == http.MethodGet && isBlob(r) }
func isList(r *http.Request) bool   { return r.URL.Query().Get("list-type") != "" }
func isBlob(r *http.Request) bool   { return strings.Contains(r.URL.Path, "/sha256/") }

func TestErrorsSayWhatToDo(t *testing.T) {
	always := func(status int, code, message string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			s3test.Refuse(w, status, code, message)
			return true
		}
	}
	for name, tt := range map[string]struct {
		change     func(t *testing.T, s *s3test.Store, o *s3blob.Options)
		text, todo string
	}{
		"no credentials": {func(t *testing.T, _ *s3test.Store, _ *s3blob.Options) {
			t.Setenv("AWS_ACCESS_KEY_ID", "")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "")
		}, "there are no AWS credentials for it", "set AWS_ACCESS_KEY_ID"},
		"wrong key": {func(t *testing.T, _ *s3test.Store, _ *s3blob.Options) { t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER") },
			"refuses the credentials (InvalidAccessKeyId", "set the right AWS_ACCESS_KEY_ID"},
		"wrong secret": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(always(403, "SignatureDoesNotMatch", "The request signature we calculated does not match"))
		}, "refuses the credentials (SignatureDoesNotMatch", "set the right AWS_ACCESS_KEY_ID"},
		"unknown in the store's words": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(always(403, "XAdminUserNotFound", "No user exists with the provided access key ID."))
		}, "refuses the credentials (XAdminUserNotFound", "set the right AWS_ACCESS_KEY_ID"},
		"not allowed": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(always(403, "AccessDenied", "Access Denied"))
		},
			"denies access", "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject"},
		"no bucket": {func(_ *testing.T, _ *s3test.Store, o *s3blob.Options) { o.Bucket = "missing" },
			`there is no bucket "missing"`, "aws s3 mb s3://missing --endpoint-url http://127.0.0.1:"},
		"another region": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(always(400, "AuthorizationHeaderMalformed", "the region is wrong"))
		}, "is not in region us-east-1", "region="},
		"another time": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(always(403, "RequestTimeTooSkewed", "The difference is too large"))
		}, "clock", "timedatectl"},
		"unreachable": {func(_ *testing.T, _ *s3test.Store, o *s3blob.Options) { o.Endpoint = "http://127.0.0.1:1" },
			"cannot reach http://127.0.0.1:1", "name the right one: --blob"},
		"no S3": {func(_ *testing.T, s *s3test.Store, _ *s3blob.Options) {
			s.Before(func(w http.ResponseWriter, _ *http.Request) bool {
				http.Error(w, "teapot", http.StatusTeapot)
				return true
			})
		}, "answered", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := s3test.Start(t)
			if !s3test.InMemory() {
				t.Skip(s3test.Variable + " is set")
			}
			o := options(t, s)
			tt.change(t, s, &o)
			_, err := s3blob.Open(t.Context(), o)
			var e *s3blob.Error
			if !errors.As(err, &e) || !strings.Contains(e.Text, tt.text) || !strings.Contains(e.Hint(), tt.todo) {
				t.Errorf("got %v (%+v)\nwant %q and %q", err, e, tt.text, tt.todo)
			}
			if err != nil && strings.Contains(err.Error(), s3test.SecretKey) {
				t.Errorf("the secret key is in %v", err)
			}
		})
	}
}

// TestCallerGoesAway ends a call that the store does not answer.
func TestCallerGoesAway(t *testing.T) {
	f := newFixture(t)
	d := put(t, f.blobs, "zip")
	ctx, cancel := context.WithCancel(t.Context())
	f.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done()
		return true
	})
	if _, err := get(ctx, f.blobs, d); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestSilentStore lets the store be silent until the driver has given up.
func TestSilentStore(t *testing.T) {
	s3blob.SetOpenTimeout(t, 100*time.Millisecond)
	s := s3test.Start(t)
	if !s3test.InMemory() {
		t.Skip(s3test.Variable + " is set")
	}
	s.Before(func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true })
	_, err := s3blob.Open(t.Context(), options(t, s))
	var e *s3blob.Error
	if !errors.As(err, &e) || !strings.Contains(e.Text, "does not answer in time") || !strings.Contains(e.Todo, "curl -v "+s.URL) {
		t.Errorf("got %v", err)
	}
}

// TestBusyStore answers each kind of request with 503 once.
func TestBusyStore(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	seen := map[string]bool{}
	f.Before(func(w http.ResponseWriter, r *http.Request) bool {
		kind := r.Method
		if isList(r) {
			kind = "list"
		}
		mu.Lock()
		defer mu.Unlock()
		if seen[kind] {
			return false
		}
		seen[kind] = true
		io.Copy(io.Discard, r.Body)
		s3test.Refuse(w, 503, "SlowDown", "Please reduce your request rate.")
		return true
	})
	d := put(t, f.blobs, "zip")
	if got, err := get(t.Context(), f.blobs, d); err != nil || got != "zip" {
		t.Errorf("got %q, %v", got, err)
	}
	if err := f.blobs.Delete(t.Context(), d); err != nil {
		t.Errorf("Delete: %v", err)
	}
	if len(seen) != 4 {
		t.Errorf("only %v were refused", seen)
	}
}

// TestOnlyWhatIsReadIsFetched reads the end of a blob, as who lists a zip does.
func TestOnlyWhatIsReadIsFetched(t *testing.T) {
	s3blob.SetPartSize(t, 1000)
	f := newFixture(t)
	content := strings.Repeat("0123456789", 1000)
	d := put(t, f.blobs, content)
	var mu sync.Mutex
	var ranges []string
	f.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if isRead(r) {
			mu.Lock()
			ranges = append(ranges, r.Header.Get("Range"))
			mu.Unlock()
		}
		return false
	})
	r, err := f.blobs.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 100)
	for range 3 {
		if n, err := r.ReadAt(b, 9950); n != 50 || err != io.EOF || string(b[:n]) != content[9950:] {
			t.Fatalf("got %d, %v, %q", n, err, b[:n])
		}
	}
	if n, err := r.ReadAt(b, 1990); n != 100 || err != nil || string(b) != content[1990:2090] {
		t.Errorf("got %d, %v, %q", n, err, b)
	}
	if diff := cmp.Diff([]string{"bytes=9000-9999", "bytes=1000-1999", "bytes=2000-2999"}, ranges); diff != "" {
		t.Errorf("what was fetched (-want +got):\n%s", diff)
	}
}

// TestDamagedBytes changes bytes in the store: whoever reads to the end notices.
func TestDamagedBytes(t *testing.T) {
	s3blob.SetPartSize(t, 1000)
	for name, spoil := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"others": func(w http.ResponseWriter, r *http.Request) bool {
			if !isRead(r) || r.Header.Get("Range") != "bytes=1000-1999" {
				return false
			}
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(bytes.Repeat([]byte("x"), 1000))
			return true
		},
		"fewer": func(w http.ResponseWriter, r *http.Request) bool {
			if !isRead(r) || r.Header.Get("Range") != "bytes=1000-1999" {
				return false
			}
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(bytes.Repeat([]byte("y"), 10))
			return true
		},
		"all of them": func(w http.ResponseWriter, r *http.Request) bool { // a store that knows no ranges
			if !isRead(r) {
				return false
			}
			w.Header().Set("Content-Length", "2500")
			w.Write(bytes.Repeat([]byte("y"), 2500))
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			d := put(t, f.blobs, strings.Repeat("y", 2500))
			f.Before(spoil)
			if got, err := get(t.Context(), f.blobs, d); err == nil {
				t.Errorf("%d bytes were read without an error", len(got))
			}
		})
	}
}

// TestReadGoesOnWhenAGenerationIsReplaced commits a blob again, and so replaces the object, while it is read.
func TestReadGoesOnWhenAGenerationIsReplaced(t *testing.T) {
	s3blob.SetPartSize(t, 1000)
	s := s3test.Start(t)
	blobs := blob.New(open(t, options(t, s)))
	content := strings.Repeat("0123456789", 300)
	d := put(t, blobs, content)
	r, err := blobs.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, 10)
	for off := int64(0); off < 3000; off += 1000 {
		if _, err := r.ReadAt(b, off); err != nil || string(b) != "0123456789" {
			t.Errorf("at %d: %q, %v", off, b, err)
		}
		put(t, blobs, content)
	}
	gone, err := blobs.Open(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	if err := blobs.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := gone.ReadAt(b, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a deleted blob: %v", err)
	}
}

// objects gives the keys of the store, without what is random in them.
func objects(t *testing.T, o s3blob.Options) []string {
	t.Helper()
	o.Prefix = ""
	var keys []string
	if err := s3blob.Keys(t.Context(), open(t, o), func(key string) { keys = append(keys, key) }); err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestNothingIsLeft commits one blob in many ways, and wants one object of it.
func TestNothingIsLeft(t *testing.T) {
	for name, interfere := range map[string]func(w http.ResponseWriter, r *http.Request) bool{
		"copies": func(http.ResponseWriter, *http.Request) bool { return false },
		"no copies": func(w http.ResponseWriter, r *http.Request) bool {
			if isCopy(r) {
				s3test.Refuse(w, 501, "NotImplemented", "not here")
			}
			return isCopy(r)
		},
		"the copied is gone": func(w http.ResponseWriter, r *http.Request) bool {
			if isCopy(r) {
				s3test.Refuse(w, 404, "NoSuchKey", "The specified key does not exist.")
			}
			return isCopy(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.Before(interfere)
			var d digest.Digest
			for range 3 {
				d = put(t, f.blobs, "zip")
			}
			if got, err := get(t.Context(), f.blobs, d); err != nil || got != "zip" {
				t.Errorf("got %q, %v", got, err)
			}
			if keys := objects(t, options(t, f.Store)); len(keys) != 1 || !strings.HasPrefix(keys[0], "team/lamina/sha256/"+d.Hex()+"/") {
				t.Errorf("objects %q", keys)
			}
		})
	}
}

// TestCommitAgainUploadsNothing republishes.
func TestCommitAgainUploadsNothing(t *testing.T) {
	f := newFixture(t)
	d := put(t, f.blobs, "zip")
	var uploads atomic.Int64
	f.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if isUpload(r) {
			uploads.Add(1)
		}
		return false
	})
	put(t, f.blobs, "zip")
	if err := f.driver.Renew(t.Context(), d); err != nil {
		t.Errorf("Renew: %v", err)
	}
	if n := uploads.Load(); n != 0 {
		t.Errorf("%d uploads", n)
	}
	if err := f.driver.Renew(t.Context(), digest.Of([]byte("never"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Renew of an absent blob: %v", err)
	}
}

// TestALongUploadIsRenewed wants a copy after an upload that took so long that the store may count it as old.
func TestALongUploadIsRenewed(t *testing.T) {
	f := newFixture(t)
	s3blob.SetFresh(t, 0)
	var copies atomic.Int64
	f.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if isCopy(r) {
			copies.Add(1)
		}
		return false
	})
	d := put(t, f.blobs, "zip")
	if copies.Load() != 1 {
		t.Errorf("%d copies", copies.Load())
	}
	if got, err := get(t.Context(), f.blobs, d); err != nil || got != "zip" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestASlowRenewalEnds lets every copy be slow, or find nothing to copy: neither is tried for ever.
func TestASlowRenewalEnds(t *testing.T) {
	for name, row := range map[string]struct {
		gone   bool
		copies int64
	}{"slow": {false, 2}, "gone": {true, s3blob.MaxGone}} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			d := put(t, f.blobs, "zip")
			s3blob.SetFresh(t, 0)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var copies atomic.Int64
			f.Before(func(w http.ResponseWriter, r *http.Request) bool {
				if !isCopy(r) {
					return false
				}
				if copies.Add(1) == 100 {
					cancel()
				}
				if row.gone {
					s3test.Refuse(w, 404, "NoSuchKey", "The specified key does not exist.")
				}
				return row.gone
			})
			if err := f.driver.Renew(ctx, d); (err != nil) != row.gone || ctx.Err() != nil {
				t.Errorf("got %v", err)
			}
			if copies.Load() != row.copies {
				t.Errorf("%d copies, want %d", copies.Load(), row.copies)
			}
			if keys := objects(t, options(t, f.Store)); len(keys) != 1 {
				t.Errorf("objects %q", keys)
			}
		})
	}
}

// TestAFailedCommitKeepsTheBytes fails an upload for good, and then not any more.
func TestAFailedCommitKeepsTheBytes(t *testing.T) {
	f := newFixture(t)
	st, err := f.blobs.Stage(t.Context(), strings.NewReader("zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Discard()
	f.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if isUpload(r) {
			s3test.Refuse(w, 403, "AccessDenied", "Access Denied")
		}
		return isUpload(r)
	})
	var e *s3blob.Error
	if err := st.Commit(t.Context()); !errors.As(err, &e) || !strings.Contains(e.Todo, "s3:PutObject") {
		t.Errorf("got %v", err)
	}
	f.Before(func(http.ResponseWriter, *http.Request) bool { return false })
	if err := st.Commit(t.Context()); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if got, err := get(t.Context(), f.blobs, st.Digest()); err != nil || got != "zip" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestTheStoreIsToldTheDigest sees that the digest is what is signed.
func TestTheStoreIsToldTheDigest(t *testing.T) {
	f := newFixture(t)
	var told []string
	var mu sync.Mutex
	f.Before(func(_ http.ResponseWriter, r *http.Request) bool {
		if isUpload(r) {
			mu.Lock()
			told = append(told, r.Header.Get("X-Amz-Content-Sha256"))
			mu.Unlock()
		}
		return false
	})
	d := put(t, f.blobs, "zip")
	if !slices.Equal(told, []string{d.Hex()}) {
		t.Errorf("told %q, want %s", told, d.Hex())
	}
}

// TestCommitAgainstDeleteBefore lets commits and deletions of one blob meet, from several servers: after both it is there.
func TestCommitAgainstDeleteBefore(t *testing.T) {
	s := s3test.Start(t)
	servers := []*blob.Store{blob.New(open(t, options(t, s))), blob.New(open(t, options(t, s))), blob.New(open(t, options(t, s)))}
	d := put(t, servers[0], "contested")
	rounds := 40
	if !s3test.InMemory() {
		rounds = 5 // its clock may tell seconds alone
	}
	for round := range rounds {
		old := createdAt(t, servers[0], d)
		now := old
		for !now.After(old) { // until the store's clock has gone on
			now = createdAt(t, servers[0], put(t, servers[0], "clock"))
		}
		var g sync.WaitGroup
		for i, server := range servers {
			g.Go(func() {
				if i == 0 {
					put(t, server, "contested")
				} else if _, err := server.DeleteBefore(t.Context(), d, now); err != nil {
					t.Errorf("DeleteBefore: %v", err)
				}
			})
		}
		g.Wait()
		if got, err := get(t.Context(), servers[round%3], d); err != nil || got != "contested" {
			t.Fatalf("round %d: %q, %v", round, got, err)
		}
	}
}

func createdAt(t *testing.T, s *blob.Store, d digest.Digest) (at time.Time) {
	t.Helper()
	if err := s.List(t.Context(), func(i blob.Info) error {
		if i.Digest == d {
			at = i.Created
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestClaim(t *testing.T) {
	s := s3test.Start(t)
	drivers := []*s3blob.Driver{open(t, options(t, s)), open(t, options(t, s))}
	if owner, err := drivers[0].Owner(t.Context()); err != nil || owner != "" {
		t.Errorf("nobody's is %q, %v", owner, err)
	}
	got := make([]string, 8)
	var g sync.WaitGroup
	for i := range got {
		g.Go(func() {
			var err error
			if got[i], err = drivers[i%2].Claim(t.Context(), string(rune('a'+i))); err != nil {
				t.Errorf("Claim: %v", err)
			}
		})
	}
	g.Wait()
	owner, err := drivers[1].Owner(t.Context())
	if err != nil || owner == "" {
		t.Errorf("the owner is %q, %v", owner, err)
	}
	for i := range got {
		if got[i] != owner {
			t.Errorf("%d was told that %q owns it, and %q does", i, got[i], owner)
		}
	}
	o := options(t, s)
	o.Prefix = "another"
	if owner, err := open(t, o).Claim(t.Context(), "z"); err != nil || owner != "z" {
		t.Errorf("another prefix belongs to %q, %v", owner, err)
	}
}

// TestClaimWithoutConditions claims in a store that knows no conditional writes.
func TestClaimWithoutConditions(t *testing.T) {
	f := newFixture(t)
	f.Before(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("If-None-Match") == "" {
			return false
		}
		s3test.Refuse(w, 501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
		return true
	})
	for _, id := range []string{"first", "second"} {
		if owner, err := f.driver.Claim(t.Context(), id); err != nil || owner != "first" {
			t.Errorf("%s: the owner is %q, %v", id, owner, err)
		}
	}
}

func TestProbe(t *testing.T) {
	s := s3test.Start(t)
	if err := open(t, options(t, s)).Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if keys := objects(t, options(t, s)); len(keys) != 0 {
		t.Errorf("it left %q", keys)
	}
}

func TestProbeThatFails(t *testing.T) {
	for method, want := range map[string]string{"PUT": "cannot write", "GET": "cannot read", "DELETE": "cannot delete"} {
		t.Run(method, func(t *testing.T) {
			f := newFixture(t)
			f.Before(func(w http.ResponseWriter, r *http.Request) bool {
				refuse := r.Method == method && !isList(r)
				if refuse {
					s3test.Refuse(w, 403, "AccessDenied", "Access Denied")
				}
				return refuse
			})
			if err := f.driver.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// TestStrangersAreLeftAlone puts other objects beside the blobs.
func TestStrangersAreLeftAlone(t *testing.T) {
	s := s3test.Start(t)
	d := open(t, options(t, s))
	blobs := blob.New(d)
	sum := put(t, blobs, "zip")
	strangers := []string{"README", "sha256/README", "sha256/" + sum.Hex() + "/a/b", "sha256/abc/generation"}
	if s3test.InMemory() { // a store over a file system cannot have it
		strangers = append(strangers, "sha256/"+sum.Hex())
	}
	for _, key := range strangers {
		if err := s3blob.Put(t.Context(), d, key, "not ours"); err != nil {
			t.Fatal(err)
		}
	}
	var got []digest.Digest
	err := blobs.List(t.Context(), func(i blob.Info) error { got = append(got, i.Digest); return nil })
	if diff := cmp.Diff([]digest.Digest{sum}, got); err != nil || diff != "" {
		t.Errorf("blobs (-want +got, %v):\n%s", err, diff)
	}
	if err := blobs.Delete(t.Context(), sum); err != nil {
		t.Error(err)
	}
	if keys := objects(t, options(t, s)); len(keys) != len(strangers) {
		t.Errorf("%q are left", keys)
	}
}
