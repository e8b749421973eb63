package execenv_test

import (
	"encoding/json"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/laminadev/lamina/internal/auth"
	"github.com/laminadev/lamina/internal/execenv"
	"github.com/laminadev/lamina/internal/lambda"
)

// doorman notes whom listeners are for.
type doorman struct{ accounts chan string }

func (d doorman) Serve(l net.Listener, account string) {
	l.Close()
	d.accounts <- account
}

// issuer notes whom keys are for.
type issuer struct{ sessions chan auth.Session }

func (i issuer) Issue(s auth.Session) auth.Keys {
	i.sessions <- s
	return auth.Keys{AccessKeyID: "ASIAX", SecretAccessKey: "secret", SessionToken: "token"}
}

// aws gives the variables of a function that begin with AWS_ and tell of keys and endpoint.
func (b *bench) aws(rev *lambda.Revision, id string) []string {
	b.t.Helper()
	var list []string
	if err := json.Unmarshal(b.invoke(rev, id, "1", false).Payload, &list); err != nil {
		b.t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(kv string) bool {
		return !slices.ContainsFunc([]string{"AWS_ENDPOINT_URL=", "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN="},
			func(p string) bool { return strings.HasPrefix(kv, p) })
	})
}

func TestCredentials(t *testing.T) {
	door, keys := doorman{make(chan string, 9)}, issuer{make(chan auth.Session, 9)}
	var ahead atomic.Int64 // how far the clock was put forward
	start := time.Now()
	b := newBench(t, func(o *execenv.Options) {
		o.Endpoint, o.Keys = door, keys
		o.Now = func() time.Time { return start.Add(time.Duration(ahead.Load())) }
	})
	rev := b.revision("env")
	rev.Config.Role = "arn:aws:iam::123456789012:role/r"
	got := b.aws(rev, "a")
	want := []string{"AWS_ACCESS_KEY_ID=ASIAX", "AWS_ENDPOINT_URL=http://169.254.100.1:4566", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token"}
	slices.Sort(got)
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}
	check(t, "account", <-door.accounts, "123456789012")
	session := <-keys.sessions
	if diff := cmp.Diff(session, auth.Session{Account: "123456789012", Role: rev.Config.Role, Name: "f", Expires: start.Add(12 * time.Hour)}); diff != "" {
		t.Errorf("-got +want\n%s", diff)
	}

	ahead.Store(int64(11 * time.Hour))
	b.aws(rev, "b")
	if n := b.driver.created(); n != 1 {
		t.Errorf("%d environments while the keys were good", n)
	}
	ahead.Store(int64(12*time.Hour - time.Minute))
	b.aws(rev, "c")
	if n := b.driver.created(); n != 2 {
		t.Errorf("%d environments, and keys that are about to expire", n)
	}
	if next := <-keys.sessions; !next.Expires.After(session.Expires) {
		t.Errorf("new keys expire at %v", next.Expires)
	}
}

func TestEndpointOfTheFunctionsChoice(t *testing.T) {
	b := newBench(t, func(o *execenv.Options) { o.Endpoint = doorman{make(chan string, 9)} })
	rev := b.revision("env")
	rev.Config.Environment = &lambda.Variables{Map: map[string]string{"AWS_ENDPOINT_URL": "http://localhost:9000"}}
	if got := b.aws(rev, "a"); !slices.Contains(got, "AWS_ENDPOINT_URL=http://localhost:9000") {
		t.Errorf("got %q", got)
	}
}
