package objects

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/lambda"
)

const (
	// MaxKey is how many bytes the key of an object may have.
	MaxKey = 1024
	// MaxPut is how many bytes come in one request.
	MaxPut = 5 << 30

	tooLarge = "Your proposed upload exceeds the maximum allowed size"
)

// Body is the bytes of an object or of a part as they come.
type Body struct {
	io.Reader
	MD5       []byte // what they must have; nil when the caller has not said
	Algorithm string // of the other sum, "" when there is none
	// Expected gives the other sum as the caller says it, when all bytes are read; "" when he does not say.
	Expected  func() string
	Announced bool // he has said that he will say it
}

// Conditions say when an object may be written.
type Conditions struct {
	IfMatch   string // the ETag that it must have
	IfNoMatch bool   // it must not be there
}

func (c Conditions) check(name string) catalog.Check {
	if c == (Conditions{}) {
		return nil
	}
	return func(newest *catalog.Object) error {
		there := newest != nil && !newest.Marker
		switch {
		case c.IfNoMatch && there:
			return preconditionFailed("If-None-Match")
		case c.IfMatch != "" && !there:
			return noSuchKey(name)
		case c.IfMatch != "" && strings.Trim(c.IfMatch, `"`) != newest.ETag:
			return preconditionFailed("If-Match")
		}
		return nil
	}
}

func preconditionFailed(header string) *Error {
	return &Error{Code: PreconditionFailed, Message: "At least one of the pre-conditions you specified did not hold", Condition: header}
}

// PutInput says where an object is written.
type PutInput struct {
	Bucket, Name string
	About        catalog.About
	Conditions   Conditions
}

// Put writes an object. An error of the body's is given back as it is.
func (s *Service) Put(ctx context.Context, caller lambda.Scope, in PutInput, body Body) (catalog.Bucket, catalog.Object, error) {
	b, err := s.bucket(ctx, caller, in.Bucket)
	if err != nil {
		return b, catalog.Object{}, err
	}
	if err := checkKey(in.Name); err != nil {
		return b, catalog.Object{}, err
	}
	got, err := s.receive(ctx, body)
	if err != nil {
		return b, catalog.Object{}, err
	}
	if body.Algorithm != "" {
		in.About.Checksum = catalog.Checksum{Algorithm: body.Algorithm, Type: FullObject, Value: got.Checksum}
	}
	o, err := s.catalog.PutObject(ctx, catalog.Object{
		Bucket: b.Key, Name: in.Name, Digest: got.Digest, Size: got.Size, ETag: got.ETag, Modified: s.now(), About: in.About,
	}, in.Conditions.check(in.Name))
	return b, o, gone(unstorable(err), in.Bucket)
}

func checkKey(name string) error {
	if len(name) > MaxKey {
		return &Error{Code: KeyTooLong, Message: "Your key is too long", Key: name}
	}
	return nil
}

// receive stores bytes while they come, and gives what a part says of them.
func (s *Service) receive(ctx context.Context, body Body) (catalog.Part, error) {
	got := newSums(body.Algorithm)
	st, err := s.blobs.Stage(ctx, &limited{r: io.TeeReader(body, got), left: MaxPut})
	if err != nil {
		return catalog.Part{}, err
	}
	defer st.Discard()
	if err := body.check(got); err != nil {
		return catalog.Part{}, err
	}
	p := catalog.Part{Digest: st.Digest(), Size: st.Size(), ETag: hex.EncodeToString(got.md5.Sum(nil)), Checksum: got.checksum(), Modified: s.now()}
	return p, st.Commit(ctx)
}

// limited refuses what is too long.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, &Error{Code: EntityTooLarge, Message: tooLarge}
	}
	return n, err
}

// CopyInput says what is copied where.
type CopyInput struct {
	From   Source
	To     PutInput
	Change bool // To.About takes the place of the source's, but for the tags; else only what it says of the place where bytes lie
	Retag  bool // To.About.Tags take the place of the source's
}

// Source is the object that a copy is of, on conditions.
type Source struct {
	Bucket string
	ID     catalog.ObjectID
	Check  func(catalog.Object) error // nil: no conditions
}

func (s *Service) source(ctx context.Context, caller lambda.Scope, from Source) (catalog.Bucket, catalog.Object, error) {
	b, o, err := s.Get(ctx, caller, from.Bucket, from.ID)
	if err == nil && from.Check != nil {
		err = from.Check(o)
	}
	return b, o, err
}

// Copied is what a copy gives.
type Copied struct {
	Source        catalog.Object
	SourceBucket  catalog.Bucket
	Bucket        catalog.Bucket
	Object        catalog.Object
	Part          catalog.Part // instead of Object, of CopyPart
	PartAlgorithm string
}

// Copy writes an object that has the bytes of another. None is moved.
func (s *Service) Copy(ctx context.Context, caller lambda.Scope, in CopyInput) (c Copied, err error) {
	if c.Bucket, err = s.bucket(ctx, caller, in.To.Bucket); err != nil {
		return c, err
	}
	if err := checkKey(in.To.Name); err != nil {
		return c, err
	}
	if c.SourceBucket, c.Source, err = s.source(ctx, caller, in.From); err != nil {
		return c, err
	}
	if c.Source.Size > MaxPut {
		return c, &Error{Code: InvalidRequest, Message: "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"}
	}
	if !in.Change && !in.Retag && len(placeOf(in.To.About.Headers)) == 0 && in.To.Bucket == in.From.Bucket && in.To.Name == in.From.ID.Name && in.From.ID.VersionID == "" {
		return c, &Error{Code: InvalidRequest, Message: "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."}
	}
	o := catalog.Object{Bucket: c.Bucket.Key, Name: in.To.Name, Digest: c.Source.Digest, Size: c.Source.Size, ETag: c.Source.ETag, Modified: s.now()}
	o.About = copiedAbout(c.Source.About, in)
	if len(c.Source.About.Parts) > 0 { // the copy is made in one piece, and so is its ETag
		if o.ETag, err = s.sumMD5(ctx, c.Source); err != nil {
			return c, err
		}
	}
	if err := s.blobs.Renew(ctx, o.Digest); err != nil {
		return c, lost(err, c.Source.Name)
	}
	c.Object, err = s.catalog.PutObject(ctx, o, in.To.Conditions.check(in.To.Name))
	return c, gone(unstorable(err), in.To.Bucket)
}

func copiedAbout(source catalog.About, in CopyInput) catalog.About {
	about := source
	about.Headers = placeOf(in.To.About.Headers)
	for name, v := range source.Headers {
		if !ofPlace(name) {
			about.Headers[name] = v
		}
	}
	if in.Change {
		about = in.To.About
		about.Tags = source.Tags
	}
	if in.Retag {
		about.Tags = in.To.About.Tags
	}
	about.Parts, about.Upload = nil, ""
	if about.Checksum = source.Checksum; about.Checksum.Type == Composite {
		about.Checksum = catalog.Checksum{}
	}
	return about
}

// ofPlace reports whether a header is about the place where bytes lie: storage class, encryption and redirection, of which a
// copy has nothing but what its own request asks for.
func ofPlace(header string) bool { return strings.HasPrefix(header, "X-Amz-") }

func placeOf(headers map[string]string) map[string]string {
	place := map[string]string{}
	for name, v := range headers {
		if ofPlace(name) {
			place[name] = v
		}
	}
	return place
}

func (s *Service) sumMD5(ctx context.Context, o catalog.Object) (string, error) {
	r, err := s.blobs.Open(ctx, o.Digest)
	if err != nil {
		return "", lost(err, o.Name)
	}
	h := md5.New()
	_, err = io.Copy(h, untilDone{ctx, io.NewSectionReader(r, 0, r.Size())})
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, r.Close())
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
