package cli_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func helloFunction() map[string]any {
	return map[string]any{
		"FunctionName": "hello", "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:hello", "Runtime": "python3.12",
		"Handler": "app.handler", "MemorySize": 128, "Timeout": 3, "State": "Pending", "StateReason": "The function is being created.",
		"LastUpdateStatus": "Successful", "CodeSize": 2048, "CodeSha256": "abc=", "LastModified": "2026-11-25T10:20:30.000+0000",
		"Architectures": []string{"x86_64"}, "Environment": map[string]any{"Variables": map[string]any{"TOKEN": "hunter2", "A": "b"}},
		"Layers": []any{map[string]any{"Arn": libsARN + ":3", "CodeSize": 100}, map[string]any{"Arn": libsARN + ":4", "CodeSize": 3 << 20}},
	}
}

func TestFunctionList(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.answer("GET /2015-03-31/functions", 200, map[string]any{"Functions": []any{helloFunction()}})
	want := "NAME   RUNTIME     MEMORY  TIMEOUT  LAYERS  MODIFIED\nhello  python3.12  128 MB  3 s      2       2026-11-25 10:20\n"
	if r := run(t, "function", "list"); r.Out != want || r.Code != 0 {
		t.Errorf("got %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

func TestFunctionShow(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.answer("GET /2015-03-31/functions/hello", 200, map[string]any{"Configuration": helloFunction(), "Code": map[string]any{"Location": "http://x"}})
	r := run(t, "function", "show", "hello")
	golden(t, "function_show.txt", r.Out)
	if strings.Contains(r.Out, "hunter2") {
		t.Error("the value of a variable was printed")
	}
	run(t, "function", "show", "hello", "--format", "json").want(t, 0, `"TOKEN": "hunter2"`, "")
	f.fail("GET /2015-03-31/functions/other", 404, "ResourceNotFoundException", "Function not found: x")
	run(t, "function", "show", "other").want(t, 3, "", "cannot show function other: Function not found: x")
}

func TestFunctionLogs(t *testing.T) {
	bare(t)
	f := newFake(t)
	f.mux.HandleFunc("GET /lamina/v1/functions/hello/logs", func(w http.ResponseWriter, _ *http.Request) {
		for _, m := range []string{"START\n", "two\nlines\n", "no end"} {
			json.NewEncoder(w).Encode(map[string]any{"time": "2026-11-25T10:20:30.5Z", "stream": "s", "message": m})
		}
	})
	const at = "2026-11-25T10:20:30.500Z "
	want := at + "START\n" + at + "two\nlines\n" + at + "no end\n"
	if r := run(t, "function", "logs", "hello", "-f", "--limit", "9"); r.Out != want || r.Code != 0 {
		t.Errorf("got code %d\n%s%s", r.Code, r.Out, r.Err)
	}
	if got := f.requests[0]; got.Line != "GET /lamina/v1/functions/hello/logs?follow=true&limit=9" || got.Header.Get("Authorization") == "" {
		t.Errorf("asked %+v", got)
	}
	run(t, "function", "logs", "hello", "--since", "10m", "--format", "json").want(t, 0, `"message":"two\nlines\n"}`, "")
	if got := f.requests[1].Line; !strings.Contains(got, "since=20") {
		t.Errorf("asked %s", got)
	}
	f.fail("GET /lamina/v1/functions/other/logs", 404, "ResourceNotFoundException", "Function not found: x")
	run(t, "function", "logs", "other").want(t, 3, "", "cannot read the log of other: Function not found: x (ResourceNotFoundException, request ")
	run(t, "function", "logs", "hello", "--aws").want(t, 2, "", "aws logs tail /aws/lambda/hello")
}
