// Package auth finds out who calls: it checks AWS's Signature Version 4, and it issues the session keys that functions get.
//
// A signature is an HMAC of a canonical form of the request, made with a key that is derived from the caller's secret access
// key and a scope (day, region, service). It comes in the Authorization header, or in the query of a pre-signed URL. To check
// one, the same HMAC is made here and compared; the body's digest is part of it, so a body is read to its end, and kept,
// before anything acts on it.
//
// Session keys need no table: the secret access key is derived from the access key ID, and the session token says whose the
// keys are and until when, sealed with an HMAC. Every server that holds the same secret can issue and check them.
//
// Errors are of the lambda.Kinds that the front door words as AWS does: Unsigned, Unverifiable, UnknownKey, ExpiredKey,
// BadSignature.
package auth

import (
	"net/http"
	"time"

	"github.com/laminadev/lamina/internal/lambda"
)

// AWS's texts.
const (
	textUnsigned   = "Missing Authentication Token"
	textUnknownKey = "The security token included in the request is invalid."
	textExpiredKey = "The security token included in the request is expired"
	textMismatch   = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key " +
		"and signing method. Consult the service documentation for details."
)

func badSignature(text string) error { return &lambda.Error{Kind: lambda.BadSignature, Message: text} }

func unknownKey() error { return &lambda.Error{Kind: lambda.UnknownKey, Message: textUnknownKey} }

// Authenticate says whose session keys signed a request. The keys are looked at before the body, which strangers can't make
// the server read. Afterwards r.Body gives the same bytes again; the caller closes it.
func (s *Sessions) Authenticate(r *http.Request, now time.Time) (Session, error) {
	sig, err := ParseSignature(r)
	if err != nil {
		return Session{}, err
	}
	session, secret, err := s.open(sig.KeyID, sig.Token, now)
	if err != nil {
		return Session{}, err
	}
	if long(r) {
		leave, err := s.bodies.Enter(r.Context(), session.Account)
		if err != nil {
			return Session{}, err
		}
		defer leave()
	}
	if err := sig.Verify(r, secret, now); err != nil {
		return Session{}, err
	}
	return session, nil
}
