package api

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/laminadev/lamina/internal/api/s3api"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/lambda"
)

// credential is what a SigV4 credential scope says: who calls, where, and which service.
type credential struct{ accessKey, region, service string }

// readCredential reads the credential of a request from its Authorization header or its pre-signed URL. Without one, or
// with one of another form, all is empty.
func readCredential(r *http.Request) credential {
	if s3api.IsOld(r) {
		return credential{accessKey: s3api.OldKey(r), service: "s3"}
	}
	scope := ""
	if _, rest, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		scope, _, _ = strings.Cut(rest, ",")
	} else if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		scope = r.URL.Query().Get("X-Amz-Credential")
	}
	part := strings.Split(strings.TrimSpace(scope), "/")
	if len(part) != 5 || part[4] != "aws4_request" {
		return credential{}
	}
	return credential{accessKey: part[0], region: part[2], service: part[3]}
}

// call says who calls and from where. In open mode an access key of 12 digits is the account.
func (d *door) call(r *http.Request) *wire.Call {
	cred := readCredential(r)
	account, region := d.Account, d.Region
	if isAccount(cred.accessKey) {
		account = cred.accessKey
	}
	if isRegion(cred.region) {
		region = cred.region
	}
	c := &wire.Call{Scope: lambda.NewScope(account, region), RequestID: uuid.NewString(), Base: "http://" + r.Host}
	if r.TLS != nil {
		c.Base = "https://" + r.Host
	}
	return c
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// isRegion keeps what is no region at all out of ARNs.
func isRegion(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
