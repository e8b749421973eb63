package cli_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/laminadev/lamina/internal/cli"
)

func TestUploadProgress(t *testing.T) {
	received := make(chan int64, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		received <- n
	}))
	defer s.Close()
	for name, tt := range map[string]struct {
		size int64
		want string // in what is shown; "" is nothing
	}{
		"large": {3 << 20, "uploading 3.0 MiB of 3.0 MiB (100%)"},
		"small": {100, ""},
		"empty": {0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var shown bytes.Buffer
			req, err := http.NewRequest(http.MethodPost, s.URL, bytes.NewReader(make([]byte, tt.size)))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := cli.Uploader(s.Client(), &shown).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if n := <-received; n != tt.size {
				t.Errorf("%d bytes arrived", n)
			}
			if tt.want == "" && shown.Len() > 0 || !strings.Contains(shown.String(), tt.want) {
				t.Errorf("showed %q", shown.String())
			}
			if tt.want != "" && !strings.HasSuffix(shown.String(), "\r\x1b[K") {
				t.Error("the line was not cleared at the end")
			}
		})
	}
}
