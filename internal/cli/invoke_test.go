package cli_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const invocations = "POST /2015-03-31/functions/hello/invocations"

// invoked answers an invocation like AWS.
func (f *fake) invoked(functionError, payload string) {
	f.mux.HandleFunc(invocations, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Executed-Version", "$LATEST")
		w.Header().Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte("START\nEND\n")))
		if functionError != "" {
			w.Header().Set("X-Amz-Function-Error", functionError)
		}
		w.Write([]byte(payload))
	})
}

func TestInvoke(t *testing.T) {
	bare(t)
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args          []string
		in            string
		sent          string
		functionError string
		code          int
		out, errs     string
	}{
		"answer":         {[]string{"-p", `{"n":1}`}, "", `{"n":1}`, "", 0, "41", ""},
		"no event":       {nil, "", "", "", 0, "41", ""},
		"event in file":  {[]string{"--payload", "@" + file}, "", `{"from":"file"}`, "", 0, "41", ""},
		"event piped":    {[]string{"-p", "-"}, `{"from":"pipe"}`, `{"from":"pipe"}`, "", 0, "41", ""},
		"log":            {[]string{"--log"}, "", "", "", 0, "41", "START\nEND\n"},
		"function error": {nil, "", "", "Unhandled", 4, "41", "START\nEND\nlamina: the function failed (Unhandled)\n"},
		"JSON": {[]string{"--format", "json"}, "", "", "", 0,
			"{\n  \"StatusCode\": 200,\n  \"ExecutedVersion\": \"$LATEST\",\n  \"Log\": \"START\\nEND\\n\",\n  \"Payload\": 41\n}\n", ""},
		"JSON of an error": {[]string{"--format", "json"}, "", "", "Unhandled", 4, `"FunctionError": "Unhandled"`, "the function failed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.invoked(tt.functionError, "41")
			r := runWith(t, tt.in, append([]string{"invoke", "hello"}, tt.args...)...)
			r.want(t, tt.code, tt.out, tt.errs)
			if tt.code == 0 && name != "JSON" && r.Out != tt.out {
				t.Errorf("the answer is the payload and nothing else: got %q", r.Out)
			}
			if len(f.requests) != 1 || f.requests[0].Body != tt.sent || f.requests[0].Header.Get("X-Amz-Log-Type") != "Tail" {
				t.Errorf("sent %+v", f.requests)
			}
		})
	}
}

func TestInvokeDryRunAndQualifier(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.mux.HandleFunc(invocations, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	run(t, "invoke", "hello", "--type", "DryRun", "--qualifier", "7").want(t, 0, "", "")
	got := []string{f.requests[0].Line, f.requests[0].Header.Get("X-Amz-Invocation-Type")}
	if diff := cmp.Diff([]string{"POST /2015-03-31/functions/hello/invocations?Qualifier=7", "DryRun"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsOfTheServer(t *testing.T) {
	bare(t)
	for name, tt := range map[string]struct {
		status        int
		code, message string
		exit          int
		errs          string
	}{
		"not found": {404, "ResourceNotFoundException", "Function not found: arn", 3,
			"lamina: cannot invoke hello: Function not found: arn (ResourceNotFoundException, request 11111111-2222-3333-4444-555555555555)\n"},
		"busy":      {429, "TooManyRequestsException", "Rate Exceeded.", 1, "Rate Exceeded. (TooManyRequestsException"},
		"not built": {501, "NotImplementedException", "Not built.", 1, "Not built. (NotImplementedException"},
		"our fault": {500, "ServiceException", "An error occurred.", 1, "(ServiceException"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.fail(invocations, tt.status, tt.code, tt.message)
			run(t, "invoke", "hello").want(t, tt.exit, "", tt.errs)
			if len(f.requests) != 1 {
				t.Errorf("asked %d times", len(f.requests))
			}
		})
	}
}

func TestServerDiesInACall(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.mux.HandleFunc(invocations, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	run(t, "invoke", "hello").want(t, 1, "", "lamina: cannot invoke hello: the server at "+f.URL+" broke the call off; was it stopped?\n")
}
