package cli_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestNothingAnswers(t *testing.T) {
	bare(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + ln.Addr().String()
	ln.Close() // a port where nobody listens
	for _, args := range [][]string{{"invoke", "f"}, {"layer", "list"}, {"layer", "show", "a"}, {"function", "list"}, {"function", "show", "f"}, {"function", "logs", "f"}} {
		run(t, append(args, "--endpoint-url", url)...).want(t, 5, "",
			"lamina: nothing answers at "+url+": start it with `lamina serve`, or set AWS_ENDPOINT_URL\n")
	}
}

// TestWhichServer sends one request and looks where it went and with which key.
func TestWhichServer(t *testing.T) {
	const profiles = "[default]\nregion = eu-west-3\n[profile lab]\nendpoint_url = %s\nregion = eu-west-1\naws_access_key_id = KEYOFLAB\naws_secret_access_key = x\n"
	for name, tt := range map[string]struct {
		set         func(t *testing.T, url string) []string // gives extra arguments
		key, region string
	}{
		"environment": {func(*testing.T, string) []string { return nil }, "lamina", "us-east-1"},
		"flag wins": {func(t *testing.T, url string) []string {
			t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
			return []string{"--endpoint-url", url + "/", "--region", "eu-west-2"}
		}, "lamina", "eu-west-2"},
		"of the service": {func(t *testing.T, url string) []string {
			t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
			t.Setenv("AWS_ENDPOINT_URL_LAMBDA", url)
			return nil
		}, "lamina", "us-east-1"},
		"keys and region of the environment": {func(t *testing.T, _ string) []string {
			t.Setenv("AWS_ACCESS_KEY_ID", "123456789012")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
			t.Setenv("AWS_REGION", "ap-south-1")
			return nil
		}, "123456789012", "ap-south-1"},
		"profile": {func(t *testing.T, url string) []string {
			os.Unsetenv("AWS_ENDPOINT_URL")
			writeFile(t, os.Getenv("AWS_CONFIG_FILE"), strings.Replace(profiles, "%s", url, 1))
			return []string{"--profile", "lab"}
		}, "KEYOFLAB", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			bare(t)
			f := newFake(t)
			f.answer("GET /2015-03-31/functions", 200, map[string]any{"Functions": []any{}})
			run(t, append([]string{"function", "list"}, tt.set(t, f.URL)...)...).want(t, 0, "NAME", "")
			if len(f.requests) != 1 {
				t.Fatalf("got %d requests", len(f.requests))
			}
			auth := f.requests[0].Header.Get("Authorization")
			if !strings.Contains(auth, "Credential="+tt.key+"/") || !strings.Contains(auth, "/"+tt.region+"/lambda/") {
				t.Errorf("signed %s", auth)
			}
		})
	}
}

// TestAWSItself sees that --aws leaves the local server alone, also when the environment names it.
func TestAWSItself(t *testing.T) {
	bare(t)
	f := newFake(t)
	// Without keys the call ends before anything is sent.
	run(t, "function", "list", "--aws").want(t, 2, "", "lamina: there are no keys for AWS: run `aws configure`")
	if len(f.requests) != 0 {
		t.Errorf("called the local server: %+v", f.requests)
	}
}
