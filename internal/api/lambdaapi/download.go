package lambdaapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/laminadev/lamina/internal/digest"
	"github.com/laminadev/lamina/internal/lambda"
)

// downloads is the path under which zips are fetched: the digest and a name for the file follow. Whoever has a URL with a
// valid signature may fetch the zip until it expires, as with AWS's pre-signed ones.
const downloads = "/_lamina/download/"

func isDownload(path string) bool { return strings.HasPrefix(path, downloads) }

// IsDownload reports whether a path is one that a Location names.
func IsDownload(path string) bool { return isDownload(path) }

// location is the URL of a zip on the host that the caller used.
func (a *API) location(c *call, d digest.Digest, name string) string {
	file := d.Hex() + "/" + url.PathEscape(name) + ".zip"
	expires := a.Now().Add(lambda.LocationValidSeconds * time.Second).Unix()
	query := url.Values{
		"Expires":   {strconv.FormatInt(expires, 10)},
		"Nonce":     {c.RequestID}, // a new URL for each call
		"Signature": {a.sign(file, expires, c.RequestID)},
	}
	return c.Base + downloads + file + "?" + query.Encode()
}

func (a *API) sign(file string, expires int64, nonce string) string {
	h := hmac.New(sha256.New, a.Secret)
	fmt.Fprintf(h, "GET\n%s\n%d\n%s", file, expires, nonce)
	return hex.EncodeToString(h.Sum(nil))
}

// download answers a URL that location made.
func (a *API) download(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return lambda.Errorf(lambda.Denied, "A download is a GET request.")
	}
	d, err := a.permitted(r)
	if err != nil {
		return err
	}
	zip, err := a.Control.OpenZip(r.Context(), d)
	if err != nil {
		return err
	}
	defer zip.Close()
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("ETag", `"`+d.Hex()+`"`)
	http.ServeContent(w, r, "", time.Time{}, io.NewSectionReader(zip, 0, zip.Size()))
	return nil
}

// permitted checks the signature and the time of a download, and gives the digest.
func (a *API) permitted(r *http.Request) (digest.Digest, error) {
	file := strings.TrimPrefix(r.URL.EscapedPath(), downloads)
	query := r.URL.Query()
	expires, err := strconv.ParseInt(query.Get("Expires"), 10, 64)
	signature := a.sign(file, expires, query.Get("Nonce"))
	if err != nil || !hmac.Equal([]byte(signature), []byte(query.Get("Signature"))) {
		return digest.Digest{}, lambda.Errorf(lambda.Denied, "The signature of the download is not valid.")
	}
	if a.Now().Unix() >= expires {
		return digest.Digest{}, lambda.Errorf(lambda.Denied, "Request has expired")
	}
	name, _, _ := strings.Cut(file, "/")
	return digest.Parse("sha256:" + name)
}
