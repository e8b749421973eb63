package api

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/lambda"
)

type sandboxKey struct{}

// FromSandbox marks the requests of a connection as coming out of a sandbox of an account.
func FromSandbox(ctx context.Context, account string) context.Context {
	return context.WithValue(ctx, sandboxKey{}, account)
}

// IsFromSandbox reports whether a request that FromSandbox has marked is the cause of what is done.
func IsFromSandbox(ctx context.Context) bool {
	_, inside := ctx.Value(sandboxKey{}).(string)
	return inside
}

// admit lets a caller in. From a sandbox it must be signed with keys of that sandbox's account; a link to a zip bears its own
// signature. Everybody else must not be a web page of another origin.
func (d *door) admit(r *http.Request, c *wire.Call) error {
	account, inside := r.Context().Value(sandboxKey{}).(string)
	switch {
	case !inside:
		return d.open(r)
	case lambdaapi.IsDownload(r.URL.Path):
		return nil
	}
	session, err := d.session(r)
	if err != nil {
		return err
	}
	if session.Account != account {
		return &lambda.Error{Kind: lambda.UnknownKey, Message: "The security token included in the request is invalid."}
	}
	c.Scope.Account = session.Account
	c.CallerARN, c.CallerID = assumedRole(c.Scope.Partition, session)
	return nil
}

// open lets in who is on this machine, whatever the signature is.
func (d *door) open(r *http.Request) error {
	if err := d.hosts.check(r); err != nil || readCredential(r).service != "s3" {
		return err
	}
	return auth.OpenStream(r)
}

func (d *door) session(r *http.Request) (auth.Session, error) {
	if d.Sessions == nil {
		return auth.Session{}, lambda.Errorf(lambda.Denied, "This server gives functions no access to its API.")
	}
	if readCredential(r).service == "s3" { // whose bodies are long, and checked while they are read
		return d.Sessions.AuthenticateStream(r, d.Now())
	}
	return d.Sessions.Authenticate(r, d.Now())
}

// assumedRole is how AWS names somebody with the keys of a role: by the role's name without its path, and the session's.
func assumedRole(partition string, s auth.Session) (arn, id string) {
	role := s.Role[strings.LastIndexByte(s.Role, '/')+1:]
	sum := sha256.Sum256([]byte(s.Role))
	id = "AROA" + base32.StdEncoding.EncodeToString(sum[:10])
	return "arn:" + partition + ":sts::" + s.Account + ":assumed-role/" + role + "/" + s.Name, id + ":" + s.Name
}
