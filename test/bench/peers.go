package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/lambdatest"
)

// moto is the peer that every package registry of Python has; it is installed into .tools/ when peers are asked for.
const moto = "5.2.5"

// peers measures what another free server of this API answers, beside ours in turns, both empty but for one function. It is
// seen from outside only. Peers hold their records in memory, and answer before anything is safe.
func (b *bench) peers() error {
	program, err := b.installMoto()
	if err != nil {
		return err
	}
	s, err := b.serve()
	if err != nil {
		return err
	}
	defer s.stop()
	zip := lambdatest.Zip(map[string]string{"app.py": trivial})
	if err := s.create("f", b.python.runtime, zip); err != nil {
		return err
	}
	p, err := startPeer(program, s.calls)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.prepare(zip); err != nil {
		return err
	}
	const what = " a second, 8 clients | moto " + moto
	path := "/2015-03-31/functions/f"
	ours, theirs, err := b.turns(8,
		func() (time.Duration, error) { return timed(s.calls, s.url+path) },
		func() (time.Duration, error) { return timed(p.calls, p.url+path) })
	if err != nil {
		return err
	}
	b.table.rate("GetFunction"+what, ours.rate, theirs.rate, 0)
	const batch = 64
	var myTime, theirTime time.Duration
	rounds := b.rounds(3)
	for round := range rounds {
		bodies, err := smallBodies(batch, uint64(1000+round))
		if err != nil {
			return err
		}
		for _, side := range []struct {
			calls *http.Client
			url   string
			took  *time.Duration
		}{{s.calls, s.url, &myTime}, {p.calls, p.url, &theirTime}} {
			_, took, err := all(8, batch, func(i int) (time.Duration, error) {
				return send(side.calls, side.url+"/2018-10-31/layers/small/versions", bodies[i], 201)
			})
			if err != nil {
				return err
			}
			*side.took += took
		}
	}
	count := float64(rounds * batch)
	b.table.rate("publish 1 MB"+what, count/myTime.Seconds(), count/theirTime.Seconds(), 0)
	return nil
}

func (b *bench) installMoto() (program string, err error) {
	dir := filepath.Join(b.root, ".tools", "bench", "moto-"+moto)
	program = filepath.Join(dir, "bin", "moto_server")
	if _, err := os.Stat(filepath.Join(dir, ".made")); err == nil {
		return program, nil
	}
	for _, c := range [][]string{
		{b.python.path, "-m", "venv", "--clear", dir},
		{filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "-q", "--only-binary=:all:", "moto[server]==" + moto, "docker"},
	} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("cannot install moto: %w\n%s", err, out)
		}
	}
	return program, os.WriteFile(filepath.Join(dir, ".made"), nil, 0o644)
}

// peer is another server of the API.
type peer struct {
	url   string
	cmd   *exec.Cmd
	calls *http.Client
}

func startPeer(program string, calls *http.Client) (*peer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	p := &peer{url: "http://" + l.Addr().String(), cmd: exec.Command(program, "-H", host, "-p", port)}
	p.calls = &http.Client{Transport: signed{calls.Transport}}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
			return p, c.Close()
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s is not ready after a minute", program)
}

func (p *peer) stop() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// prepare makes the role and the function.
func (p *peer) prepare(zip []byte) error {
	form := url.Values{"Action": {"CreateRole"}, "Version": {"2010-05-08"}, "RoleName": {"any"}, "AssumeRolePolicyDocument": {"{}"}}
	req, err := http.NewRequest("POST", p.url+"/", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", authorization("iam"))
	res, err := p.calls.Do(req)
	if err != nil {
		return err
	}
	res.Body.Close()
	s := &server{url: p.url, calls: p.calls}
	return s.createAs("arn:aws:iam::123456789012:role/any", "f", "python3.11", zip)
}

// signed names the service in the requests that do not, as a signature would: the peer looks no further.
type signed struct{ http.RoundTripper }

func (s signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", authorization("lambda"))
	}
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return s.RoundTripper.RoundTrip(r)
}

func authorization(service string) string {
	return "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
}
