// Package client is a Go client for what lamina answers beyond AWS's API, under /lamina/v1, and the types of it. For
// everything that AWS has, use AWS's SDK with lamina's address as its endpoint.
package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Options say which server is asked, and as whom.
type Options struct {
	Endpoint    string                  // "http://127.0.0.1:4566"
	Region      string                  // of the functions that are asked about
	Credentials aws.CredentialsProvider // nil sends requests unsigned: the server takes its default account and region
	HTTP        *http.Client            // nil means http.DefaultClient
}

// Client asks one server. It may be used concurrently.
type Client struct {
	Options
	signer *v4.Signer
}

// New gives a client. Nothing is sent yet.
func New(o Options) *Client {
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	o.Endpoint = strings.TrimSuffix(o.Endpoint, "/")
	return &Client{Options: o, signer: v4.NewSigner()}
}

// Error is an answer that is no success.
type Error struct {
	Status    int
	Code      string // the exception's name
	Message   string
	RequestID string
}

func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// get asks for a path. The caller closes the answer's body.
func (c *Client) get(ctx context.Context, path string, query url.Values) (*http.Response, error) {
	u := c.Endpoint + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	if err := c.sign(req); err != nil {
		return nil, err
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		return nil, readError(res)
	}
	return res, nil
}

// sign signs a request for the service lambda, so that account and region come from where the AWS CLI has them.
func (c *Client) sign(req *http.Request) error {
	if c.Credentials == nil {
		return nil
	}
	cred, err := c.Credentials.Retrieve(req.Context())
	if err != nil {
		return fmt.Errorf("cannot get credentials: %w", err)
	}
	empty := sha256.Sum256(nil)
	return c.signer.SignHTTP(req.Context(), cred, req, hex.EncodeToString(empty[:]), "lambda", c.Region, time.Now())
}

// readError makes an answer an Error. One that is not ours is told by its status.
func readError(res *http.Response) error {
	var body struct{ Message string }
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // what is missing shows in the message
	if json.Unmarshal(text, &body) != nil {
		body.Message = strings.TrimSpace(string(text))
	}
	code := res.Header.Get("x-amzn-ErrorType")
	if code == "" {
		code = res.Status
	}
	return &Error{Status: res.StatusCode, Code: code, Message: body.Message, RequestID: res.Header.Get("x-amzn-RequestId")}
}
