// Package stsapi answers the one operation of AWS STS that tools ask before anything else: who am I. It speaks STS's own
// protocol: a form in, XML out.
package stsapi

import (
	"cmp"
	"encoding/xml"
	"net/http"

	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/lambda"
)

// maxForm is how many bytes a form may have.
const maxForm = 1 << 20

// API is the STS API. It is a wire.API.
type API struct{}

// New gives the API.
func New() *API { return &API{} }

// Serve answers one request.
func (*API) Serve(w http.ResponseWriter, r *http.Request, c *wire.Call) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return lambda.Errorf(lambda.Malformed, "the request is not a form: %v", err)
	}
	switch action := r.Form.Get("Action"); action {
	case "GetCallerIdentity":
		c.Operation = action
		return callerIdentity(w, c)
	case "":
		return lambda.Errorf(lambda.Malformed, "the request names no Action")
	default:
		return lambda.Errorf(lambda.NotBuilt, "lamina does not have the operation %s of STS; it has GetCallerIdentity", action)
	}
}

type identityResponse struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	ARN       string   `xml:"GetCallerIdentityResult>Arn"`
	UserID    string   `xml:"GetCallerIdentityResult>UserId"`
	Account   string   `xml:"GetCallerIdentityResult>Account"`
	RequestID string   `xml:"ResponseMetadata>RequestId"`
}

// callerIdentity says who the caller is: the role of a function, or else the root of its account, since open mode knows no
// users.
func callerIdentity(w http.ResponseWriter, c *wire.Call) error {
	body, err := xml.Marshal(identityResponse{
		ARN:     cmp.Or(c.CallerARN, "arn:"+c.Scope.Partition+":iam::"+c.Scope.Account+":root"),
		UserID:  cmp.Or(c.CallerID, c.Scope.Account),
		Account: c.Scope.Account, RequestID: c.RequestID,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(body) // the caller may be gone
	return nil
}
