package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/api"
	"github.com/laminadev/lamina/internal/api/apitest"
	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/lambda"
)

// FuzzRoutes sends requests of all kinds: none may panic or be answered with 500.
func FuzzRoutes(f *testing.F) {
	for _, r := range lambdaapi.Routes {
		path := strings.NewReplacer("{FunctionName}", "f", "{LayerName}", "libs", "{VersionNumber}", "1", "{", "", "}", "").Replace(r.Path)
		f.Add(r.Method, path, r.Query, "", `{"Content":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}`, "x/20260112/us-east-1/lambda/aws4_request")
	}
	f.Add("POST", "/", "", "X-Amz-Target", "Action=GetCallerIdentity", "111111111111/20260112/us-east-1/sts/aws4_request")
	f.Add("GET", "/_lamina/download/00/x.zip", "Expires=1&Nonce=&Signature=00", "Range", "", "")
	f.Add("GET", "/lamina/v1/functions/f/logs", "since=1h&limit=2", "Origin", "", "///s3/aws4_request")
	f.Add("POST", "/2015-03-31/functions", "", "", `{"FunctionName":"n","Role":"`+role+`","Runtime":"python3.12","Handler":"h.h","Layers":["a"],"Environment":{"Variables":{"A\u0000":"b"}},"Code":{"ZipFile":"eA=="}}`, "")
	f.Add("PUT", "/2015-03-31/functions/f/configuration", "", "", `{"Description":"\u0000","Layers":[null],"VpcConfig":{"SubnetIds":[null]},"FileSystemConfigs":[{"Arn":1}]}`, "")
	f.Add("POST", "/2015-03-31/functions/a%2fb%00/invocations", "Qualifier=%zz", "X-Amz-Client-Context", "", "")
	s := newServer(f)
	f.Add("PUT", "/bucket/key", "versionId=null", "X-Amz-Copy-Source", "/bucket/key?versionId=x", "000000000000/20260101/us-east-1/s3/aws4_request")
	f.Add("POST", "/bucket", "delete", "Content-Md5", "<Delete><Object><Key>a</Key></Object></Delete>", "000000000000/20260101/us-east-1/s3/aws4_request")
	f.Add("GET", "/bucket", "list-type=2&prefix=%00&continuation-token=YQ", "", "", "000000000000/20260101/us-east-1/s3/aws4_request")
	management, buckets := apitest.New(f, f.TempDir())
	if err := buckets.CreateBucket(f.Context(), lambda.Scope{Partition: "aws", Account: "000000000000", Region: "us-east-1"}, "bucket", nil); err != nil {
		f.Fatal(err)
	}
	handler := api.New(api.Options{Control: management, Objects: buckets, Invoke: s.invoker, Logs: s.logs, Secret: []byte("x")})
	f.Fuzz(func(t *testing.T, method, path, query, header, body, credential string) {
		if !strings.HasPrefix(path, "/") || strings.Contains(query, "follow") {
			t.Skip("no request, or one that does not end")
		}
		u := &url.URL{Path: path, RawQuery: query}
		if decoded, err := url.PathUnescape(path); err == nil {
			u.Path, u.RawPath = decoded, path
		}
		r := httptest.NewRequest("GET", "http://localhost/", strings.NewReader(body))
		r.Method, r.URL = method, u
		if credential != "" {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+credential+", SignedHeaders=host, Signature=0")
		}
		if header != "" {
			r.Header[http.CanonicalHeaderKey(header)] = []string{body}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError {
			t.Errorf("%s %q?%q %s: %s", method, path, query, body, w.Body)
		}
		if len(w.Header()["x-amzn-RequestId"]) != 1 {
			t.Errorf("%s %q: no request id", method, path)
		}
	})
}
