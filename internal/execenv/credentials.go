package execenv

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"time"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/sandbox"
)

// The address at which functions find AWS's API, beside the Runtime API's.
const (
	endpointAddr = apiHost + ":4566"
	endpointURL  = "http://" + endpointAddr
)

// Keys of functions are valid for sessionTime, as a role's are on AWS at the longest; an environment whose keys would not
// outlive an invocation is not used again.
const (
	sessionTime = 12 * time.Hour
	leastTime   = 20 * time.Minute
)

// Keys issues the credentials of functions: an *auth.Sessions.
type Keys interface {
	Issue(auth.Session) auth.Keys
}

// Endpoint answers AWS's API to functions. Serve takes the listener over, which ends with its sandbox; what comes in there
// comes from the account's functions and is to be trusted no more than they are.
type Endpoint interface {
	Serve(l net.Listener, account string)
}

// offerEndpoint opens the API inside the sandbox.
func (p *Pool) offerEndpoint(ctx context.Context, box sandbox.Sandbox, account string) error {
	if p.o.Endpoint == nil {
		return nil
	}
	l, err := box.Listen(ctx, endpointAddr)
	if err != nil {
		return fmt.Errorf("cannot offer the API in the sandbox: %w", err)
	}
	p.o.Endpoint.Serve(l, account)
	return nil
}

// addCredentials gives the function the keys of its role, and where to use them. Without an issuer they only look as AWS's
// do and open nothing; SDKs have to find some.
func (e *environment) addCredentials(env map[string]string) {
	keys := auth.Keys{AccessKeyID: "ASIA" + rand.Text()[:16], SecretAccessKey: randomText(30), SessionToken: randomText(300)}
	if issuer := e.pool.o.Keys; issuer != nil {
		e.keysExpire = e.pool.o.Now().Add(sessionTime)
		keys = issuer.Issue(auth.Session{
			Account: e.rev.Key.Account, Role: e.rev.Config.Role, Name: string(e.rev.Key.Name), Expires: e.keysExpire,
		})
	}
	env["AWS_ACCESS_KEY_ID"] = keys.AccessKeyID
	env["AWS_SECRET_ACCESS_KEY"] = keys.SecretAccessKey
	env["AWS_SESSION_TOKEN"] = keys.SessionToken
	if e.pool.o.Endpoint != nil {
		env["AWS_ENDPOINT_URL"] = endpointURL
	}
}

// keysEnd reports whether the environment's keys might expire while it works.
func (e *environment) keysEnd() bool {
	return !e.keysExpire.IsZero() && e.pool.o.Now().Add(leastTime).After(e.keysExpire)
}

func randomText(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}
