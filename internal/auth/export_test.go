package auth

import (
	"net/http"
	"strings"
)

// InMemory is how long a body may be without going to a file.
const InMemory = inMemory

// VerifyOld checks a pre-signed URL of the old form.
var VerifyOld = verifyOld

// OpenSigned opens the body of a request whose signature is good, made with a secret access key.
func OpenSigned(r *http.Request, secret string) error {
	sig, err := ParseSignature(r)
	if err != nil {
		return err
	}
	return openBody(r, r.Header.Get("X-Amz-Content-Sha256"),
		&chunkSigner{key: sig.key(secret), stamp: sig.stamp, scope: sig.scope(), last: strings.ToLower(sig.signature)})
}
