package api_test

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// credentials is an access key whose secret nobody checks.
type credentials string

func (c credentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: string(c), SecretAccessKey: "x"}, nil
}
