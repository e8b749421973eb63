package cli

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// download fetches a zip into a temporary file and checks it against AWS's CodeSha256. The caller closes and removes the
// file.
func (s *server) download(ctx context.Context, url, sha string) (_ *os.File, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the download answers %s", resp.Status)
	}
	f, err := os.CreateTemp("", "lamina-*.zip")
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), resp.Body)
	if err == nil && base64.StdEncoding.EncodeToString(h.Sum(nil)) != sha {
		err = errors.New("the download is damaged: its SHA-256 is not the version's")
	}
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	return f, nil
}
