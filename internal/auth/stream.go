package auth

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// S3's bodies are checked while they are read, since they may be long. X-Amz-Content-Sha256 says how: it is the digest of the
// body, or UNSIGNED-PAYLOAD, or one of these, when the body comes in chunks
//
//	<size in hex>[;chunk-signature=<hex>]\r\n<bytes>\r\n
//
// of which the last is empty. Each signature is made of the one before, the first of the request's own. After the last chunk
// there may be trailers, lines of "name:value", and their signature.
const (
	signedChunks         = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	signedChunksTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	unsignedChunkTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

const (
	maxChunkLine   = 1 << 10  // of a chunk's head and of a trailer
	maxTrailers    = 16       // lines
	chunkBuffer    = 64 << 10 // bytes that are read ahead
	trailerSigLine = "x-amz-trailer-signature"
)

var (
	// ErrContentMismatch is given at the end of a body that has not the digest that its request names.
	ErrContentMismatch = errors.New("the body has not the digest that its request names")
	// ErrBadChunk is given for a body in chunks that has not their form, or not as many bytes as its request says.
	ErrBadChunk = errors.New("the chunks of the body cannot be read")
)

// AuthenticateStream is Authenticate for S3: it reads nothing of the body. Afterwards r.Body gives the bytes that were meant,
// without the form of chunks, and an error in the place of its end when they are not what was signed; r.Trailer has the trailers then,
// and r.ContentLength is the number of these bytes.
func (s *Sessions) AuthenticateStream(r *http.Request, now time.Time) (Session, error) {
	if isOld(r) {
		return s.authenticateOld(r, now)
	}
	sig, err := ParseSignature(r)
	if err != nil {
		return Session{}, err
	}
	session, secret, err := s.open(sig.KeyID, sig.Token, now)
	if err != nil {
		return Session{}, err
	}
	if err := sig.timely(now); err != nil {
		return Session{}, err
	}
	payload := sig.declared(r)
	if payload == "" {
		return Session{}, badSignature("Missing required header for this request: x-amz-content-sha256")
	}
	want, err := sig.sign(r, secret, payload)
	if err != nil {
		return Session{}, err
	}
	if got, err := hex.DecodeString(sig.signature); err != nil || !hmac.Equal(got, want) {
		return Session{}, badSignature(textMismatch)
	}
	return session, openBody(r, payload, &chunkSigner{key: sig.key(secret), stamp: sig.stamp, scope: sig.scope(), last: sig.signature})
}

// OpenStream does with the body of a request what AuthenticateStream does, but for checking signatures.
func OpenStream(r *http.Request) error {
	return openBody(r, r.Header.Get("X-Amz-Content-Sha256"), nil)
}

// openBody puts what the body means in its place; nil for signer checks no signatures of chunks.
func openBody(r *http.Request, payload string, signer *chunkSigner) error {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	switch payload {
	case "", unsignedPayload:
		return nil
	case signedChunks, signedChunksTrailer, unsignedChunkTrailer:
	default:
		if strings.HasPrefix(payload, "STREAMING-") {
			return lambda.Errorf(lambda.NotBuilt, "lamina does not implement bodies of the form %s.", payload)
		}
		r.Body = kept{&sumReader{r: r.Body, want: payload, hash: sha256.New()}, r.Body}
		return nil
	}
	size, err := strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return lambda.Errorf(lambda.Malformed, "You must provide the Content-Length HTTP header.")
	}
	if payload == unsignedChunkTrailer {
		signer = nil
	}
	r.Trailer = http.Header{}
	r.Body = kept{&chunkReader{
		in: bufio.NewReaderSize(r.Body, chunkBuffer), left: size, signer: signer, trailer: r.Trailer,
		trailers: payload != signedChunks, signed: payload == signedChunksTrailer,
	}, r.Body}
	r.ContentLength = size
	return nil
}

// sumReader checks the digest of a body at its end.
type sumReader struct {
	r    io.Reader
	want string
	hash hash.Hash
}

func (s *sumReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.hash.Write(p[:n])
	if err == io.EOF && hex.EncodeToString(s.hash.Sum(nil)) != strings.ToLower(s.want) {
		err = ErrContentMismatch
	}
	return n, err
}

// chunkSigner makes the signatures that chunks should have.
type chunkSigner struct {
	key          []byte
	stamp, scope string
	last         string // the signature before
	hash         hash.Hash
}

// check compares the signature of what was hashed, and begins anew.
func (s *chunkSigner) check(kind, got string, sums ...string) error {
	text := strings.Join(append([]string{kind, s.stamp, s.scope, s.last}, sums...), "\n")
	want := hex.EncodeToString(mac(s.key, text))
	if !hmac.Equal([]byte(want), []byte(got)) {
		return badSignature(textMismatch)
	}
	s.last = want
	return nil
}

// chunkReader reads the bytes of chunks.
type chunkReader struct {
	in       *bufio.Reader
	left     int64        // bytes of all chunks that are still to come
	signer   *chunkSigner // nil: signatures are not checked
	trailer  http.Header  // filled at the end
	trailers bool         // there may be some
	signed   bool         // and they have a signature

	chunk     int64 // bytes of this chunk that are still to come
	inside    bool  // of a chunk
	signature string
	err       error
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	n, err := c.read(p)
	if err == io.ErrUnexpectedEOF {
		err = fmt.Errorf("%w: %w", ErrBadChunk, err)
	}
	c.err = err
	return n, err
}

func (c *chunkReader) read(p []byte) (int, error) {
	for c.chunk == 0 {
		if c.inside {
			if err := c.endChunk(); err != nil {
				return 0, err
			}
		}
		if err := c.beginChunk(); err != nil {
			return 0, err
		}
		if c.chunk == 0 {
			return 0, c.end()
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.chunk)])
	c.chunk -= int64(n)
	c.left -= int64(n)
	if c.signer != nil {
		c.signer.hash.Write(p[:n])
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// beginChunk reads the head of a chunk.
func (c *chunkReader) beginChunk() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	c.signature = ""
	if name, value, _ := strings.Cut(extension, "="); strings.TrimSpace(name) == "chunk-signature" {
		c.signature = strings.TrimSpace(value)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 63)
	if err != nil {
		return fmt.Errorf("%w: %q is no size", ErrBadChunk, size)
	}
	if int64(n) > c.left {
		return fmt.Errorf("%w: there are more bytes than the request says", ErrBadChunk)
	}
	c.chunk, c.inside = int64(n), true
	if c.signer != nil {
		c.signer.hash = sha256.New()
	}
	return nil
}

// endChunk reads the end of the line after a chunk's bytes, and checks its signature.
func (c *chunkReader) endChunk() error {
	line, err := c.line()
	if err == nil && line != "" {
		err = fmt.Errorf("%w: a chunk is longer than its head says", ErrBadChunk)
	}
	if err != nil {
		return err
	}
	c.inside = false
	return c.checkChunk()
}

func (c *chunkReader) checkChunk() error {
	if c.signer == nil {
		return nil
	}
	return c.signer.check("AWS4-HMAC-SHA256-PAYLOAD", c.signature, hashOf(""), hex.EncodeToString(c.signer.hash.Sum(nil)))
}

// end reads what comes after the head of the last chunk: trailers, perhaps, and an empty line.
func (c *chunkReader) end() error {
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.left != 0 {
		return fmt.Errorf("%w: there are fewer bytes than the request says", ErrBadChunk)
	}
	var signed bytes.Buffer
	signature, waits := "", c.signed
	for count := 0; ; count++ {
		line, err := c.line()
		if errors.Is(err, io.ErrUnexpectedEOF) && line == "" { // some clients leave the last empty line out
			break
		}
		if err != nil {
			return err
		}
		if line == "" && waits { // AWS has an empty line before the signature, others have none
			waits = false
			continue
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok, !c.trailers, count == maxTrailers:
			return fmt.Errorf("%w: %q is no trailer that may be there", ErrBadChunk, line)
		case name == trailerSigLine:
			signature, waits = value, false
		default:
			c.trailer[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
			signed.WriteString(name + ":" + value + "\n")
		}
	}
	if c.signer != nil && c.trailers {
		if err := c.signer.check("AWS4-HMAC-SHA256-TRAILER", signature, hashOf(signed.String())); err != nil {
			return err
		}
	}
	return io.EOF
}

// line reads a line without its end. The end of the body is never one.
func (c *chunkReader) line() (string, error) {
	b, err := c.in.ReadSlice('\n')
	switch {
	case err == io.EOF:
		return string(b), io.ErrUnexpectedEOF
	case errors.Is(err, bufio.ErrBufferFull), err == nil && len(b) > maxChunkLine:
		return "", fmt.Errorf("%w: a line is too long", ErrBadChunk)
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(string(b[:len(b)-1]), "\r"), nil
}

// Drain reads what is left of a body that OpenStream or AuthenticateStream has opened, up to a limit, so that a client that is
// still sending gets to read its answer. One that waits to be asked for its body is not asked.
func Drain(r *http.Request, limit int64) {
	if r.Body == nil || r.Header.Get("Expect") != "" {
		return
	}
	body := io.Reader(r.Body)
	if k, ok := body.(kept); ok {
		if raw, ok := k.Closer.(io.Reader); ok {
			body = raw
		}
	}
	_, _ = io.CopyN(io.Discard, body, limit) // the answer matters more than why the body ended
}
