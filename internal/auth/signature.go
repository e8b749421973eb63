package auth

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	terminator = "aws4_request"

	// maxSkew is how far the clocks of caller and server may be apart.
	maxSkew = 5 * time.Minute
	// maxValid is the longest life of a pre-signed URL.
	maxValid = 7 * 24 * time.Hour
)

// Signature is a Signature Version 4 as a request carries it.
type Signature struct {
	KeyID   string // access key ID
	Region  string
	Service string
	Token   string // session token, "" when there is none

	day       string
	headers   []string // the signed ones, in lower case
	signature string
	stamp     string // the time as it was signed
	time      time.Time
	valid     time.Duration // of a pre-signed URL
	presigned bool
}

// ParseSignature reads the signature of a request. Without one the error is Unsigned, with one of another form
// Unverifiable.
func ParseSignature(r *http.Request) (*Signature, error) {
	header := r.Header.Get("Authorization")
	switch {
	case header != "":
		return parseHeader(r, header)
	case strings.Contains(r.URL.RawQuery, "X-Amz-Signature="):
		return parseQuery(r)
	}
	return nil, &lambda.Error{Kind: lambda.Unsigned, Message: textUnsigned}
}

func unverifiable(format string, args ...any) error {
	return lambda.Errorf(lambda.Unverifiable, format, args...)
}

// parseHeader reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…".
func parseHeader(r *http.Request, header string) (*Signature, error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != algorithm {
		return nil, unverifiable("Unsupported AWS 'algorithm': '%s'.", scheme)
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			missing = append(missing, fmt.Sprintf("Authorization header requires '%s' parameter.", name))
		}
	}
	if r.Header.Get("X-Amz-Date") == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if missing != nil {
		return nil, unverifiable("%s", strings.Join(missing, " "))
	}
	s := &Signature{Token: r.Header.Get("X-Amz-Security-Token")}
	return s, s.fill(fields["Credential"], fields["SignedHeaders"], fields["Signature"], r.Header.Get("X-Amz-Date"))
}

// parseQuery reads the same of a pre-signed URL.
func parseQuery(r *http.Request) (*Signature, error) {
	q := r.URL.Query()
	if a := q.Get("X-Amz-Algorithm"); a != algorithm {
		return nil, unverifiable("Unsupported AWS 'algorithm': '%s'.", a)
	}
	seconds, err := strconv.ParseUint(q.Get("X-Amz-Expires"), 10, 32)
	valid := time.Duration(seconds) * time.Second
	if err != nil || valid > maxValid {
		return nil, unverifiable("X-Amz-Expires must be a number of seconds of at most %d.", int(maxValid.Seconds()))
	}
	s := &Signature{Token: q.Get("X-Amz-Security-Token"), presigned: true, valid: valid}
	return s, s.fill(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"), q.Get("X-Amz-Date"))
}

func (s *Signature) fill(credential, headers, signature, stamp string) error {
	part := strings.Split(credential, "/")
	if len(part) != 5 || part[4] != terminator {
		return unverifiable("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'.", credential)
	}
	s.KeyID, s.day, s.Region, s.Service = part[0], part[1], part[2], part[3]
	s.headers = strings.Split(strings.ToLower(headers), ";")
	s.signature, s.stamp = signature, stamp
	if !slices.Contains(s.headers, "host") {
		return unverifiable("'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if !s.presigned && !slices.Contains(s.headers, "x-amz-date") {
		return unverifiable("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")
	}
	var err error
	if s.time, err = time.Parse(timeFormat, stamp); err != nil {
		return unverifiable("Date must be in ISO-8601 'basic format'. Got '%s'.", stamp)
	}
	return nil
}

// Verify checks the signature with the secret access key of KeyID. It reads the body to its end and leaves one that gives
// the same bytes.
func (s *Signature) Verify(r *http.Request, secret string, now time.Time) error {
	if err := s.timely(now); err != nil {
		return err
	}
	given := s.declared(r)
	hash, err := given, error(nil)
	if given != unsignedPayload {
		if hash, err = keepBody(r); err != nil {
			return err
		}
	}
	if given == "" {
		given = hash
	}
	want, err := s.sign(r, secret, given)
	if err != nil {
		return err
	}
	got, err := hex.DecodeString(s.signature)
	if err != nil || !hmac.Equal(got, want) || !hmac.Equal([]byte(given), []byte(hash)) {
		return badSignature(textMismatch)
	}
	return nil
}

// unsignedPayload stands where the digest of the body would, when the caller leaves the body out of the signature.
const unsignedPayload = "UNSIGNED-PAYLOAD"

// declared is the digest of the body as the caller gives it, "" when only the signature tells. Parts that are signed one by
// one, as for S3, are not understood: their declaration is never the digest of a body.
func (s *Signature) declared(r *http.Request) string {
	if v := r.Header.Get("X-Amz-Content-Sha256"); v != "" {
		return v
	}
	if s.presigned && s.Service == "s3" {
		return unsignedPayload
	}
	return ""
}

// timely checks the time of the signature against the clock and against its scope.
func (s *Signature) timely(now time.Time) error {
	if s.day != s.time.Format("20060102") {
		return badSignature(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.day, s.time.Format("20060102"), s.stamp))
	}
	now = now.UTC()
	valid, span := maxSkew, "5 min."
	if s.presigned {
		valid, span = s.valid, fmt.Sprintf("%d sec.", int(s.valid.Seconds()))
	}
	switch {
	case s.time.After(now.Add(maxSkew)):
		return badSignature(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			s.stamp, now.Add(maxSkew).Format(timeFormat), now.Format(timeFormat)))
	case s.time.Before(now.Add(-valid)):
		return badSignature(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)",
			s.stamp, now.Add(-valid).Format(timeFormat), now.Format(timeFormat), span))
	}
	return nil
}

// sign makes the signature that the request should have.
func (s *Signature) sign(r *http.Request, secret, payload string) ([]byte, error) {
	canonical, err := s.canonical(r, payload)
	if err != nil {
		return nil, err
	}
	return mac(s.key(secret), strings.Join([]string{algorithm, s.stamp, s.scope(), hashOf(canonical)}, "\n")), nil
}

func (s *Signature) scope() string {
	return strings.Join([]string{s.day, s.Region, s.Service, terminator}, "/")
}

// key is what a secret access key signs with in the scope.
func (s *Signature) key(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.day, s.Region, s.Service, terminator} {
		key = mac(key, part)
	}
	return key
}
