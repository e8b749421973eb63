package objects

import (
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/laminadev/lamina/internal/blob"
	"github.com/laminadev/lamina/internal/catalog"
	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

const (
	// MaxParts is how many parts an upload may have.
	MaxParts = 10000
	// MinPart is how many bytes a part must have that is not the last.
	MinPart = 5 << 20
	// MaxObject is how many bytes an object may have.
	MaxObject = 5 << 40
)

// CreateUpload begins an object that comes in parts. in.About.Checksum names the sums that are to be made.
func (s *Service) CreateUpload(ctx context.Context, caller lambda.Scope, in PutInput) (catalog.Upload, error) {
	b, err := s.bucket(ctx, caller, in.Bucket)
	if err != nil {
		return catalog.Upload{}, err
	}
	if err := checkKey(in.Name); err != nil {
		return catalog.Upload{}, err
	}
	u, err := s.catalog.InsertUpload(ctx, catalog.Upload{Bucket: b.Key, Name: in.Name, About: in.About, Initiated: s.now()})
	return u, gone(unstorable(err), in.Bucket)
}

// UploadID names an upload.
type UploadID struct{ Bucket, Name, ID string }

// Upload gives an upload.
func (s *Service) Upload(ctx context.Context, caller lambda.Scope, id UploadID) (catalog.Upload, error) {
	b, err := s.bucket(ctx, caller, id.Bucket)
	if err != nil {
		return catalog.Upload{}, err
	}
	u, err := s.catalog.GetUpload(ctx, b.Key, id.Name, id.ID)
	return u, ended(unstorable(err))
}

func ended(err error) error {
	if lambda.IsKind(err, lambda.NotFound) {
		return noSuchUpload()
	}
	return err
}

func checkPartNumber(n int) error {
	if n < 1 || n > MaxParts {
		return invalid("Part number must be an integer between 1 and %d, inclusive", MaxParts)
	}
	return nil
}

// PutPart takes in a part. The upload's algorithm is summed up where the body names none.
func (s *Service) PutPart(ctx context.Context, caller lambda.Scope, id UploadID, number int, body Body) (catalog.Upload, catalog.Part, error) {
	u, err := s.Upload(ctx, caller, id)
	if err != nil {
		return u, catalog.Part{}, err
	}
	if err := checkPartNumber(number); err != nil {
		return u, catalog.Part{}, err
	}
	own := u.About.Checksum.Algorithm
	switch {
	case body.Algorithm == "":
		body.Algorithm = own
	case own != "" && body.Algorithm != own:
		return u, catalog.Part{}, &Error{Code: InvalidRequest, Message: fmt.Sprintf(
			"Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", strings.ToLower(own), strings.ToLower(body.Algorithm))}
	}
	p, err := s.receive(ctx, body)
	if err != nil {
		return u, p, err
	}
	if own == "" {
		p.Checksum = "" // it was checked, and the object will have none
	}
	p.Number = number
	p, err = s.catalog.PutPart(ctx, u, p)
	return u, p, ended(err)
}

// ByteRange is bytes from First to Last, both included; a nil one is all.
type ByteRange struct{ First, Last int64 }

// CopyPart takes in a part of the bytes of an object.
func (s *Service) CopyPart(ctx context.Context, caller lambda.Scope, id UploadID, number int, from Source, part *ByteRange) (c Copied, err error) {
	u, err := s.Upload(ctx, caller, id)
	if err != nil {
		return c, err
	}
	if err := checkPartNumber(number); err != nil {
		return c, err
	}
	if c.SourceBucket, c.Source, err = s.source(ctx, caller, from); err != nil {
		return c, err
	}
	if part == nil {
		part = &ByteRange{0, c.Source.Size - 1}
	}
	if part.First > part.Last+1 || part.Last >= c.Source.Size {
		return c, invalid("Range specified is not valid for source object of size: %d", c.Source.Size)
	}
	r, err := s.blobs.Open(ctx, c.Source.Digest)
	if err != nil {
		return c, lost(err, c.Source.Name)
	}
	defer r.Close()
	p, err := s.receive(ctx, Body{Reader: io.NewSectionReader(r, part.First, part.Last-part.First+1), Algorithm: u.About.Checksum.Algorithm})
	if err != nil {
		return c, err
	}
	p.Number = number
	c.Part, err = s.catalog.PutPart(ctx, u, p)
	c.PartAlgorithm = u.About.Checksum.Algorithm
	return c, ended(err)
}

// Parts gives up to limit parts of an upload with numbers above after.
func (s *Service) Parts(ctx context.Context, u catalog.Upload, after, limit int) ([]catalog.Part, error) {
	return s.catalog.ListParts(ctx, u, after, limit)
}

// AbortUpload forgets an upload.
func (s *Service) AbortUpload(ctx context.Context, caller lambda.Scope, id UploadID) error {
	u, err := s.Upload(ctx, caller, id)
	if err != nil {
		return err
	}
	return ended(s.catalog.DeleteUpload(ctx, u))
}

// NamedPart is a part as the caller names it when he completes an upload.
type NamedPart struct {
	Number   int
	ETag     string
	Checksum string // "" when he does not say
}

// CompleteInput says of which parts an object is made.
type CompleteInput struct {
	Upload     UploadID
	Parts      []NamedPart
	Checksum   string // of the whole object, as the caller says it; "" when he does not
	Conditions Conditions
}

// CompleteUpload makes an object of the parts of an upload. That may take longer than its caller waits, so it goes on when he is
// gone, and goes on once: who asks the same again meanwhile has the answer of the first.
func (s *Service) CompleteUpload(ctx context.Context, caller lambda.Scope, in CompleteInput) (catalog.Bucket, catalog.Object, error) {
	b, err := s.bucket(ctx, caller, in.Upload.Bucket)
	if err != nil {
		return b, catalog.Object{}, err
	}
	for {
		got, err, _ := s.joins.Do(fmt.Sprintf("%q %q", b.Key, in.Upload), func() (any, error) {
			o, err := s.complete(context.WithoutCancel(ctx), caller, b, in)
			return completion{in, o}, err
		})
		if c := got.(completion); reflect.DeepEqual(c.in, in) {
			return b, c.object, err
		}
	}
}

// completion is what has come of a question.
type completion struct {
	in     CompleteInput
	object catalog.Object
}

func (s *Service) complete(ctx context.Context, caller lambda.Scope, b catalog.Bucket, in CompleteInput) (catalog.Object, error) {
	u, err := s.Upload(ctx, caller, in.Upload)
	if IsCode(err, NoSuchUpload) {
		return s.completed(ctx, b, in.Upload, err)
	}
	if err != nil {
		return catalog.Object{}, err
	}
	parts, err := s.choose(ctx, u, in.Parts)
	if err != nil {
		return catalog.Object{}, err
	}
	o, err := s.join(ctx, u, parts)
	if err != nil {
		return o, err
	}
	if !sameSum(in.Checksum, o.About.Checksum) {
		return o, &Error{Code: BadDigest, Message: "The " + u.About.Checksum.Algorithm + " you specified did not match the calculated checksum."}
	}
	o.Modified = s.now()
	o, err = s.catalog.CompleteUpload(ctx, u, o, in.Conditions.check(u.Name))
	return o, ended(err)
}

// completed gives the object that an upload has become already: who has not heard so asks again. missing is the error of another
// upload that is not there.
func (s *Service) completed(ctx context.Context, b catalog.Bucket, id UploadID, missing error) (catalog.Object, error) {
	o, err := s.catalog.GetObject(ctx, b.Key, catalog.ObjectID{Name: id.Name})
	switch {
	case lambda.IsKind(err, lambda.NotFound), err == nil && (o.About.Upload == "" || o.About.Upload != id.ID):
		return catalog.Object{}, missing
	}
	return o, err
}

// sameSum reports whether an object has the sum that the caller says, if he says one and the object has one. Some say that of parts
// without the number of parts.
func sameSum(want string, c catalog.Checksum) bool {
	bare, _, _ := strings.Cut(c.Value, "-")
	return want == "" || c.Algorithm == "" || want == c.Value || want == bare
}

// choose gives the parts that the caller names.
func (s *Service) choose(ctx context.Context, u catalog.Upload, named []NamedPart) ([]catalog.Part, error) {
	all, err := s.catalog.ListParts(ctx, u, 0, MaxParts)
	if err != nil {
		return nil, err
	}
	byNumber := map[int]catalog.Part{}
	for _, p := range all {
		byNumber[p.Number] = p
	}
	// Of two with one number neither comes first.
	if !slices.IsSortedFunc(named, func(a, b NamedPart) int { return cmp.Or(a.Number-b.Number, -1) }) {
		return nil, &Error{Code: InvalidPartOrder, Message: "The list of parts was not in ascending order. Parts must be ordered by part number."}
	}
	var parts []catalog.Part
	var size int64
	for i, n := range named {
		p, there := byNumber[n.Number]
		switch {
		case !there, strings.Trim(n.ETag, `"`) != p.ETag, n.Checksum != "" && p.Checksum != "" && n.Checksum != p.Checksum:
			return nil, &Error{Code: InvalidPart, Message: "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."}
		case i < len(named)-1 && p.Size < MinPart:
			return nil, &Error{Code: EntityTooSmall, Message: "Your proposed upload is smaller than the minimum allowed size"}
		}
		if size += p.Size; size > MaxObject {
			return nil, &Error{Code: EntityTooLarge, Message: tooLarge}
		}
		if n := s.blobs.MaxSize(); n > 0 && size > n { // before any byte of it is read
			return nil, &Error{Code: EntityTooLarge, Message: fmt.Sprintf("%s: the store that lamina keeps objects in takes %d bytes at once (doc/scale-out.md)", tooLarge, n)}
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// join makes one blob of parts. An upload of one part is that blob already.
func (s *Service) join(ctx context.Context, u catalog.Upload, parts []catalog.Part) (catalog.Object, error) {
	o := catalog.Object{Bucket: u.Bucket, Name: u.Name, About: u.About, ETag: joinedETag(parts)}
	o.About.Upload = u.ID
	for _, p := range parts {
		o.About.Parts = append(o.About.Parts, p.Size)
	}
	whole := u.About.Checksum.Type != Composite
	if !whole {
		o.About.Checksum.Value = composite(u.About.Checksum.Algorithm, parts)
	}
	if len(parts) == 1 {
		o.Digest, o.Size = parts[0].Digest, parts[0].Size
		if whole {
			o.About.Checksum.Value = parts[0].Checksum
		}
		return o, lost(s.blobs.Renew(ctx, o.Digest), u.Name)
	}
	sum := newHash("")
	if whole {
		sum = newHash(u.About.Checksum.Algorithm)
	}
	all := &partReader{ctx: ctx, blobs: s.blobs, parts: parts}
	defer all.close()
	var in io.Reader = all
	if sum != nil {
		in = io.TeeReader(in, sum)
	}
	st, err := s.blobs.Stage(ctx, in)
	if err != nil {
		return o, err
	}
	defer st.Discard()
	o.Digest, o.Size = st.Digest(), st.Size()
	if sum != nil {
		o.About.Checksum.Value = base64.StdEncoding.EncodeToString(sum.Sum(nil))
	}
	return o, st.Commit(ctx)
}

// joinedETag is how AWS makes the ETag of an object in parts: the MD5 of their MD5s, and their number.
func joinedETag(parts []catalog.Part) string {
	h := md5.New()
	for _, p := range parts {
		b, _ := hex.DecodeString(p.ETag) // we wrote it
		h.Write(b)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// composite is the same of another sum.
func composite(algorithm string, parts []catalog.Part) string {
	h := newHash(algorithm)
	if h == nil {
		return ""
	}
	for _, p := range parts {
		b, _ := base64.StdEncoding.DecodeString(p.Checksum)
		h.Write(b)
	}
	return fmt.Sprintf("%s-%d", base64.StdEncoding.EncodeToString(h.Sum(nil)), len(parts))
}

// partReader reads parts one after the other, and checks them.
type partReader struct {
	ctx   context.Context
	blobs *blob.Store
	parts []catalog.Part
	open  blob.Reader // nil between parts
	r     io.Reader   // checks what comes of it
}

func (p *partReader) Read(b []byte) (int, error) {
	for {
		if p.open == nil {
			if len(p.parts) == 0 {
				return 0, io.EOF
			}
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		n, err := p.r.Read(b)
		if errors.Is(err, io.EOF) {
			err = errors.Join(p.close(), p.ctx.Err())
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (p *partReader) next() error {
	part := p.parts[0]
	r, err := p.blobs.Open(p.ctx, part.Digest)
	if err != nil {
		return err
	}
	p.open, p.r, p.parts = r, digest.NewReader(io.NewSectionReader(r, 0, r.Size()), part.Digest, part.Size), p.parts[1:]
	return nil
}

func (p *partReader) close() error {
	if p.open == nil {
		return nil
	}
	err := p.open.Close()
	p.open = nil
	return err
}
