package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// Session is whom keys are for.
type Session struct {
	Account string    `json:"a"` // 12 digits
	Role    string    `json:"r"` // ARN of the role that was assumed
	Name    string    `json:"n"` // of the session; for a function it is the function's name
	Expires time.Time `json:"-"`
}

// Keys are what signs requests.
type Keys struct {
	AccessKeyID     string // "ASIA" and 16 characters
	SecretAccessKey string // 40 characters
	SessionToken    string
}

// Sessions issues session keys and recognises them. It is safe for concurrent use.
type Sessions struct {
	seals   []byte // makes the MACs of tokens
	secrets []byte // makes secret access keys
	bodies  *Rooms // for long bodies
}

// longBodies is how many long bodies of one account are read at once.
const longBodies = 4

// NewSessions derives what it needs from a secret that the server keeps.
func NewSessions(secret []byte) *Sessions {
	return &Sessions{seals: mac(secret, "lamina session token 1"), secrets: mac(secret, "lamina secret access key 1"),
		bodies: NewRooms(longBodies)}
}

func mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// A token is, in base64: a MAC of the access key ID and of what follows, the expiry in seconds since 1970, and the session
// as JSON, filled up with spaces to the length that AWS's tokens have at least.
const (
	macSize   = sha256.Size
	timeSize  = 8
	leastSize = 300
)

// Issue makes new keys.
func (s *Sessions) Issue(who Session) Keys {
	id := "ASIA" + rand.Text()[:16]
	body := binary.BigEndian.AppendUint64(nil, uint64(who.Expires.Unix()))
	text, _ := json.Marshal(who) // strings always marshal
	body = append(body, text...)
	for len(body)+macSize < leastSize || (len(body)+macSize)%3 != 0 {
		body = append(body, ' ')
	}
	token := append(s.seal(id, body), body...)
	return Keys{AccessKeyID: id, SecretAccessKey: s.secret(id), SessionToken: base64.StdEncoding.EncodeToString(token)}
}

func (s *Sessions) seal(id string, body []byte) []byte { return mac(s.seals, id, "\n", string(body)) }

func (s *Sessions) secret(id string) string {
	return base64.StdEncoding.EncodeToString(mac(s.secrets, id)[:30])
}

// open reads a token that was issued with an access key ID, and gives the secret access key of that.
func (s *Sessions) open(id, token string, now time.Time) (Session, string, error) {
	sealed, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil || len(sealed) < macSize+timeSize {
		return Session{}, "", unknownKey()
	}
	body := sealed[macSize:]
	if !hmac.Equal(sealed[:macSize], s.seal(id, body)) {
		return Session{}, "", unknownKey()
	}
	who := Session{Expires: time.Unix(int64(binary.BigEndian.Uint64(body)), 0).UTC()}
	if err := json.Unmarshal(body[timeSize:], &who); err != nil {
		return Session{}, "", unknownKey()
	}
	if !now.Before(who.Expires) {
		return Session{}, "", &lambda.Error{Kind: lambda.ExpiredKey, Message: textExpiredKey}
	}
	return who, s.secret(id), nil
}
