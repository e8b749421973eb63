package api

import (
	"net/http"
	"strings"

	"github.com/laminadev/lamina/internal/api/lambdaapi"
	"github.com/laminadev/lamina/internal/api/wire"
	"github.com/laminadev/lamina/internal/lambda"
)

// services is what lamina answers, for the message to a caller of something else.
const services = "lambda, s3 and sts"

// dispatch finds the API of a request. What lies under our own paths is ours, whatever service it was signed for; but for
// "/lamina/" when it was signed for S3, where it is a bucket.
func (d *door) dispatch(r *http.Request) (wire.API, error) {
	service := readCredential(r).service
	switch path := r.URL.Path; {
	case lambdaapi.IsDownload(path): // admit has asked for no signature
		return d.lambda, nil
	case service == "s3" && d.Objects != nil:
		return d.s3, nil
	case strings.HasPrefix(path, "/lamina/"):
		return d.lamina, nil
	}
	switch service {
	case "s3":
		return nil, lambda.Errorf(lambda.NotBuilt, "S3 is at %q here, as --s3-endpoint says; lamina answers it only without that setting.", d.S3)
	case "lambda":
		return d.lambda, nil
	case "sts":
		return d.sts, nil
	case "":
		return d.byPath(r), nil
	default:
		return nil, lambda.Errorf(lambda.NotBuilt, "lamina does not have the AWS service %q. It answers %s; point other services at another endpoint.", service, services)
	}
}

// byPath finds the API of a request without a signature: STS lies at the root, all others under a date.
func (d *door) byPath(r *http.Request) wire.API {
	if r.URL.Path == "/" && (r.Method == http.MethodPost || r.URL.Query().Has("Action")) {
		return d.sts
	}
	return d.lambda
}
